// The `#HSUB` and `#SBATCH` lines at the head of a job script. The grammar, which is sbatch's, is
// schema/directives.md. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// One word of a directive line, quotes and escapes resolved.
struct DirectiveWord {
  std::string text;
  int line = 0;  // in the script, from 1

  friend bool operator==(const DirectiveWord&, const DirectiveWord&) = default;
};

// What the head of a script says. The two dialects take the same options; those of `sbatch` count
// as given before those of `hsub`, wherever they stand.
struct Directives {
  std::vector<DirectiveWord> sbatch;
  std::vector<DirectiveWord> hsub;
  std::vector<std::string> warnings;  // "train.sh:7: ..."
  std::vector<std::string> errors;    // likewise; the script must not be submitted
};

// Reads any bytes; `file` is what messages call the script.
Directives scan_directives(const std::string& script, const std::string& file);

// "" when the script may be submitted: it begins with "#!" and an interpreter. Else a sentence.
std::string check_first_line(const std::string& script, const std::string& file);

}  // namespace hyades
