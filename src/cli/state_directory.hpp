// Where a cluster lives: the one rule by which every command and `hyades` itself find it.
#pragma once

#include <string>

#include "wire/master_address.hpp"

namespace hyades {

// What the rule looks at; filled in from the process by `state_directory`, by hand in tests.
struct StateDirectorySources {
  std::string option;      // --dir, or ""
  std::string hyades_dir;  // $HYADES_DIR, or ""
  std::string xdg_state;   // $XDG_STATE_HOME, or ""
  std::string home;        // the user's home directory, or ""
  std::string current;     // to make relative paths absolute
};

// --dir, else $HYADES_DIR, else $XDG_STATE_HOME/hyades, else ~/.local/state/hyades; absolute and
// without "." or "..". "" only when there is no home directory either.
std::string choose_state_directory(const StateDirectorySources& sources);

// The same for this process: $HOME, or the password file when it is unset. `option` is the value
// of --dir, or "". Throws std::runtime_error with a sentence for people when nothing names one.
std::string state_directory(const std::string& option);

// Where the commands find the master: --master, else --dir, else $HYADES_MASTER, else the rule
// above. "" for options that were not given.
MasterAddress choose_master(const std::string& master_option, const std::string& dir_option);

}  // namespace hyades
