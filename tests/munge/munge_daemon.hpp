// A MUNGE daemon of the test's own: its own key, socket and log, in a directory that every user can
// reach. Nothing of it touches the host's.
#pragma once

#include <sys/types.h>

#include <string>

#include "wire/munge_credential.hpp"

namespace hyades::test {

class MungeDaemon {
 public:
  // Daemons with the same key trust each other. `clock_off` is for faketime: "+600s".
  explicit MungeDaemon(const std::string& key, std::string clock_off = "");
  ~MungeDaemon();
  MungeDaemon(const MungeDaemon&) = delete;
  MungeDaemon& operator=(const MungeDaemon&) = delete;

  // Each fails the test when it does not work.
  void must_start();
  void end();
  void freeze();  // it still accepts and answers nobody
  void thaw();

  std::string socket() const { return directory_ + "/socket"; }
  std::string directory() const { return directory_; }

 private:
  std::string directory_;
  std::string clock_off_;
  pid_t pid_ = 0;
};

// Whether the host has the program; else the test is to be skipped.
bool is_installed(const std::string& program);

// What the user would get by asking the daemon itself. Fails the test when it gets none.
std::string credential_of(uid_t uid, const std::string& payload, uid_t only_for,
                          const std::string& socket);

std::string some_key();

}  // namespace hyades::test
