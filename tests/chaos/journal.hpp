// What the jobs of a chaos test write down themselves. A job's script, and each task of its steps:
// one line when it starts, one when it ends, one for each lock that somebody else holds, all
// appended and synced before it goes on, so that a line is there whatever dies next; and between
// them, a few times a second, one that says that it lives, for those that do not come to their end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hyades::test {

struct JournalLine {
  enum class What {
    Start,
    End,       // the work is done; the exit follows
    CoreHeld,  // a core given to this attempt is in use by another process
    JobHeld,   // another attempt of the same job is alive, here or on another node
    Alive,
  };
  What what = What::Start;
  std::string label;  // the client's name for the job
  std::string host;
  std::string boot_id;
  std::int64_t at_ns = 0;  // CLOCK_BOOTTIME
  std::int64_t wall_ms = 0;
  std::uint64_t job = 0;
  int attempt = 0;
  int task = -1;       // its rank in a step; -1: the script
  std::string launch;  // HYADES_LAUNCH
  int pid = 0;
  std::string node;
  std::string cores;  // "0-1,3"; of CoreHeld: the one core
  int exit_code = 0;  // of End

  friend bool operator==(const JournalLine&, const JournalLine&) = default;
};

// With the newline.
std::string to_text(const JournalLine& line);
// False when `text` is not exactly one line.
bool parse(const std::string& text, JournalLine& line);

// The exit code of the job with this label; the checker and the job work it out apart from each
// other's word.
int exit_code_of(const std::string& label);

// The members of "0-1,3"; empty when it is malformed.
std::vector<int> cores_of(const std::string& list);

std::string journal_path(const std::string& directory, const std::string& node);

// All journals of a directory. Lines that cannot be understood are appended to `broken`.
std::vector<JournalLine> read_journals(const std::string& directory,
                                       std::vector<std::string>& broken);

}  // namespace hyades::test
