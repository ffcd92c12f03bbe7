// Who is there: every process that a test has started, directly or not, however it tried to hide.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace hyades::test {

// From now on, orphans of anything that this process starts become its children: nothing that it
// started can leave its family.
void keep_orphans();

// Collects the ended ones. Children of the test's own session are left to who started them.
void reap_orphans();

struct Kin {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string name;     // as in /proc/<pid>/comm
  std::string command;  // its arguments, joined by blanks
};

// All living descendants of this process.
std::vector<Kin> family();

// Living processes with "NAME=value" in their environment, as far as it can be read: not for what
// hides it (launchers and shepherds, unless we are root), nor other users' processes.
std::vector<Kin> bearing(const std::string& variable);

std::string to_text(const std::vector<Kin>& processes);

// Ends them one by one, by pid; returns when none of them is left.
void end_all(const std::vector<Kin>& processes);

}  // namespace hyades::test
