#include "journal.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace hyades::test {
namespace {

const char* const kWords[] = {"start", "end", "core-held", "job-held", "alive"};

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

}  // namespace

std::string to_text(const JournalLine& line) {
  std::ostringstream text;
  text << kWords[static_cast<int>(line.what)] << ' ' << or_dash(line.label) << ' '
       << or_dash(line.host) << ' ' << or_dash(line.boot_id) << ' ' << line.at_ns << ' '
       << line.wall_ms << ' ' << line.job << ' ' << line.attempt << ' ' << line.task << ' '
       << or_dash(line.launch) << ' ' << line.pid << ' ' << or_dash(line.node) << ' '
       << or_dash(line.cores) << ' ' << line.exit_code << " .\n";
  return text.str();
}

bool parse(const std::string& text, JournalLine& line) {
  std::istringstream words(text);
  std::string what;
  std::string period;
  words >> what >> line.label >> line.host >> line.boot_id >> line.at_ns >> line.wall_ms >>
      line.job >> line.attempt >> line.task >> line.launch >> line.pid >> line.node >> line.cores >>
      line.exit_code >> period;
  if (!words || period != "." || text.empty() || text.back() != '\n') return false;
  for (int i = 0; i < static_cast<int>(std::size(kWords)); ++i) {
    if (what != kWords[i]) continue;
    line.what = static_cast<JournalLine::What>(i);
    return true;
  }
  return false;
}

int exit_code_of(const std::string& label) {
  unsigned sum = 0;
  for (const char c : label) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum % 3 == 0 ? 0 : static_cast<int>(sum % 200);
}

std::vector<int> cores_of(const std::string& list) {
  std::vector<int> cores;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    int first = 0;
    int last = 0;
    char dash = 0;
    std::istringstream range(part);
    if (!(range >> first)) return {};
    last = range >> dash >> last ? last : first;
    for (int core = first; core <= last; ++core) cores.push_back(core);
  }
  return cores;
}

std::string journal_path(const std::string& directory, const std::string& node) {
  return directory + "/journal." + node;
}

std::vector<JournalLine> read_journals(const std::string& directory,
                                       std::vector<std::string>& broken) {
  std::vector<JournalLine> lines;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!entry.path().filename().string().starts_with("journal.")) continue;
    std::ifstream file(entry.path());
    for (std::string text; std::getline(file, text);) {
      JournalLine line;
      if (parse(text + "\n", line)) {
        lines.push_back(std::move(line));
      } else {
        broken.push_back(entry.path().string() + ": " + text);
      }
    }
  }
  return lines;
}

}  // namespace hyades::test
