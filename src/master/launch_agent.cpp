#include "master/launch_agent.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <sstream>

namespace hyades {

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("/._-=:,+@", c) != nullptr;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

LaunchAgent::LaunchAgent(const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) words_.push_back(word);
  if (!words_.empty()) return;
  words_ = {"ssh", "-x", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"};
}

std::vector<std::string> LaunchAgent::command(const std::string& address,
                                              const std::vector<std::string>& words) const {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + shell_quoted(word);
  return shell_command(address, text);
}

std::vector<std::string> LaunchAgent::shell_command(const std::string& address,
                                                    const std::string& text) const {
  std::vector<std::string> whole = words_;
  whole.push_back(address);
  whole.push_back(text);
  return whole;
}

std::string LaunchAgent::text() const {
  std::string text;
  for (const std::string& word : words_) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace hyades
