#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace hyades::jobscripts {

/// A program run by a test, in a directory, as a batch system would: its output goes to a file.
class TestProcess {
 public:
  /// `environment` holds NAME=value; HYADES_ variables of the test itself are not passed on.
  TestProcess(const std::string& directory, const std::vector<std::string>& command,
              const std::vector<std::string>& environment = {});
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;
  /// Kills what still runs: a failed test must leave no process behind.
  ~TestProcess();

  /// False where the text does not appear in the output within a minute.
  bool wait_for_output(const std::string& text) const;
  void send(int signal) const;
  /// The exit code, or the negative number of the signal that ended it.
  int wait();
  /// Standard output and error together.
  std::string output() const;
  /// The last line that begins with RESULT.
  std::string result() const;

 private:
  std::string output_path_;
  pid_t pid_ = -1;
};

}  // namespace hyades::jobscripts
