#include "policy/learned/training_checkpoint.hpp"

#include <vector>

#include "file_io.hpp"
#include "policy/learned/training_bytes.hpp"
#include "sealed_file.hpp"

namespace hyades::learned {
namespace {

constexpr const char* kFix =
    "Begin anew without --resume, or name the checkpoint that htrain wrote with --checkpoint FILE";

const jobscripts::FileKind& kind() {
  static const jobscripts::FileKind kind{"HYTRAIN1", "checkpoint of htrain", kFix};
  return kind;
}

bool is_log(const std::string& fact) { return fact.starts_with("log "); }

bool take_checkpoint(Taker from, TrainingCheckpoint& checkpoint) {
  return take_facts(from, checkpoint.facts) && from.take(checkpoint.seconds) &&
         take_text(from, checkpoint.state) && from.is_empty();
}

}  // namespace

void put_facts(std::string& out, const TrainingFacts& facts) {
  put_value(out, static_cast<std::uint64_t>(facts.size()));
  for (const auto& [name, value] : facts) {
    put_text(out, name);
    put_text(out, value);
  }
}

bool take_facts(Taker& from, TrainingFacts& facts) {
  std::uint64_t count = 0;
  if (!from.take(count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name, value;
    if (!take_text(from, name) || !take_text(from, value)) return false;
    facts[name] = value;
  }
  return true;
}

void save_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint) {
  std::string bytes;
  put_facts(bytes, checkpoint.facts);
  put_value(bytes, checkpoint.seconds);
  put_text(bytes, checkpoint.state);
  jobscripts::write_sealed_file(path, kind(), bytes);
}

TrainingCheckpoint load_checkpoint(const std::string& path) {
  const std::string bytes = jobscripts::read_sealed_file(path, kind());
  TrainingCheckpoint checkpoint;
  if (!take_checkpoint(Taker(bytes), checkpoint)) {
    throw jobscripts::FileError(path, "holds no training of this version", kFix);
  }
  return checkpoint;
}

std::string difference(const TrainingFacts& there, const TrainingFacts& here) {
  std::string text;
  const auto add = [&](const std::string& sentence) {
    text += (text.empty() ? "" : "; ") + sentence;
  };
  for (const auto& [name, value] : here) {
    const auto found = there.find(name);
    if (found == there.end()) {
      add(name + " is not of it");
    } else if (found->second != value) {
      add(is_log(name) ? name + " has other jobs there"
                       : name + " is " + found->second + " there and " + value + " here");
    }
  }
  for (const auto& [name, value] : there) {
    if (here.count(name) == 0) add(name + " is of it, and is not here");
  }
  return text;
}

}  // namespace hyades::learned
