// The program through which commands are run on other machines: ssh, or what `hyades up
// --launch-agent` names and is called like it: PROGRAM [OPTION...] HOST COMMAND, where COMMAND is
// one string for the shell there.
#pragma once

#include <string>
#include <vector>

namespace hyades {

class LaunchAgent {
 public:
  // The words of `text`, separated by blanks; "": ssh, never asking anything.
  explicit LaunchAgent(const std::string& text);

  // What to execute here so that `words` are executed there.
  std::vector<std::string> command(const std::string& address,
                                   const std::vector<std::string>& words) const;
  // The same for words that are meant for the shell as they are.
  std::vector<std::string> shell_command(const std::string& address, const std::string& text) const;

  const std::string& name() const { return words_.front(); }
  std::string text() const;

 private:
  std::vector<std::string> words_;
};

// As one word of a shell's command line.
std::string shell_quoted(const std::string& word);

}  // namespace hyades
