#include "master/remote_words.hpp"

namespace hyades {

std::vector<std::string> RemotePlace::words(const std::string& verb,
                                            const std::string& node) const {
  std::vector<std::string> words{program, verb, "--node=" + node, "--spool=" + spool_root};
  if (!shared_memory.empty()) words.push_back("--shm=" + shared_memory);
  if (!user.empty()) words.push_back("--user=" + user);
  return words;
}

std::map<std::string, std::string> RemotePlace::environment() const {
  return {{"HYADES_REMOTE_PROGRAM", program},  {"HYADES_REMOTE_AGENT", launch_agent},
          {"HYADES_REMOTE_SPOOL", spool_root}, {"HYADES_REMOTE_SHM", shared_memory},
          {"HYADES_REMOTE_USER", user},        {"HYADES_REMOTE_ADDRESSES", addresses},
          {"HYADES_REMOTE_FAILURES", failures}};
}

RemotePlace RemotePlace::from_environment(
    const std::function<std::string(const char* name)>& variable) {
  return {.program = variable("HYADES_REMOTE_PROGRAM"),
          .launch_agent = variable("HYADES_REMOTE_AGENT"),
          .spool_root = variable("HYADES_REMOTE_SPOOL"),
          .shared_memory = variable("HYADES_REMOTE_SHM"),
          .user = variable("HYADES_REMOTE_USER"),
          .addresses = variable("HYADES_REMOTE_ADDRESSES"),
          .failures = variable("HYADES_REMOTE_FAILURES")};
}

}  // namespace hyades
