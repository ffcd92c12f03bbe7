#include "master/daemon_progress.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace hyades {

namespace {

namespace fs = std::filesystem;

bool has_child(const std::string& process) {
  std::error_code error;
  for (const auto& thread : fs::directory_iterator(process + "/task", error)) {
    std::ifstream children(thread.path() / "children");
    pid_t child = 0;
    if (children >> child) return true;
  }
  return false;
}

// As /proc/PID/fd shows them: "socket:[12345]".
std::set<std::string> sockets_of(const std::string& process) {
  std::set<std::string> inodes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(process + "/fd", error)) {
    const std::string target = fs::read_symlink(entry.path(), error);
    if (target.starts_with("socket:[")) inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}

// Of its lines the fourth word is the state (01: established), the tenth the inode.
bool has_connection(const std::string& process) {
  const std::set<std::string> inodes = sockets_of(process);
  for (const char* table : {"/net/tcp", "/net/tcp6"}) {
    std::ifstream lines(process + table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string word;
      std::string state;
      for (int i = 1; i <= 10 && words >> word; ++i) {
        if (i == 4) state = word;
      }
      if (state == "01" && inodes.contains(word)) return true;
    }
  }
  return false;
}

}  // namespace

int daemon_progress(pid_t daemon) {
  if (daemon <= 0) return 0;
  const std::string process = "/proc/" + std::to_string(daemon);
  std::error_code error;
  if (!fs::exists(process, error)) return 0;
  if (has_child(process)) return 3;
  return has_connection(process) ? 2 : 1;
}

}  // namespace hyades
