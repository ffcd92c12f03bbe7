#include "policy/learned/search_ledger.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "cli/failure.hpp"
#include "file_io.hpp"
#include "policy/learned/training_checkpoint.hpp"

namespace hyades::learned {
namespace {

constexpr const char* kHead = "htrain search 1";
constexpr const char* kFix = "Name another file with --out, or remove this one";
constexpr std::size_t kMost = std::size_t{64} << 20;

// A line each: a name of a log may hold anything.
std::string one_line(std::string text) {
  for (char& letter : text) {
    if (static_cast<unsigned char>(letter) < ' ') letter = '?';
  }
  return text;
}

std::string head_of(const TrainingFacts& facts) {
  std::string text = std::string(kHead) + "\n";
  for (const auto& [name, value] : facts) {
    text += "of\t" + one_line(name) + "\t" + one_line(value) + "\n";
  }
  return text;
}

std::string line_of(const Genome& genome, double score) {
  std::string line = "training";
  for (const std::uint8_t gene : genome) line += "\t" + std::to_string(gene);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, score).ptr;
  return line + "\t" + std::string(text, end) + "\t" + options_text(genome) + "\n";
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream rest(line);
  for (std::string field; std::getline(rest, field, '\t');) fields.push_back(field);
  return fields;
}

template <typename T>
bool read_number(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_training(const std::vector<std::string>& fields, Genome& genome, double& score) {
  if (fields.size() != genome.size() + 3 || fields[0] != "training") return false;
  for (std::size_t i = 0; i < genome.size(); ++i) {
    if (!read_number(fields[i + 1], genome[i])) return false;
    if (genome[i] >= hyper_parameters()[i].values.size()) return false;
  }
  if (fields.back() != options_text(genome)) return false;  // of other values
  return read_number(fields[genome.size() + 1], score) && std::isfinite(score);
}

}  // namespace

SearchLedger::SearchLedger(std::string path, const TrainingFacts& facts) : path_(std::move(path)) {
  if (std::filesystem::exists(path_)) {
    read(jobscripts::read_file(path_, kMost, kFix), facts);
  } else {
    text_ = head_of(facts);
    jobscripts::write_file_atomically(path_, text_);
  }
}

void SearchLedger::read(const std::string& text, const TrainingFacts& facts) {
  text_ = text.substr(0, text.rfind('\n') + 1);
  std::istringstream lines(text_);
  std::string line;
  std::getline(lines, line);
  if (line != kHead) throw Failure(path_ + ": holds no search of htrain. " + kFix);
  TrainingFacts there, here;
  for (const auto& [name, value] : facts) here[one_line(name)] = one_line(value);
  for (int number = 2; std::getline(lines, line); ++number) {
    const std::vector<std::string> fields = fields_of(line);
    Genome genome{};
    double score = 0;
    if (fields.size() == 3 && fields[0] == "of") {
      there[fields[1]] = fields[2];
    } else if (read_training(fields, genome, score)) {
      scores_[genome] = score;
    } else {
      throw Failure(path_ + ":" + std::to_string(number) + ": no training of a search. " + kFix);
    }
  }
  const std::string differs = difference(there, here);
  if (!differs.empty()) {
    throw Failure(path_ + " is of another search: " + differs + ". " + kFix, kExitUsage);
  }
}

std::optional<double> SearchLedger::score(const Genome& genome) const {
  const auto found = scores_.find(genome);
  if (found == scores_.end()) return std::nullopt;
  return found->second;
}

void SearchLedger::add(const Genome& genome, double score) {
  scores_[genome] = score;
  text_ += line_of(genome, score);
  jobscripts::write_file_atomically(path_, text_);
}

}  // namespace hyades::learned
