// Where things are in a spool that others than its worker must find, too.
#pragma once

#include <string>

#include "core/ids.hpp"

namespace hyades {

// The files of jobs. Where the launcher is root, only root may write here.
inline std::string job_file_directory(const std::string& spool_directory) {
  return spool_directory + "/scripts";
}
inline std::string script_path(const std::string& spool_directory, const LaunchKey& key) {
  return job_file_directory(spool_directory) + '/' + to_string(key);
}
// What the site's own programs around jobs have printed.
inline std::string hook_log_path(const std::string& spool_directory) {
  return job_file_directory(spool_directory) + "/hooks.log";
}

}  // namespace hyades
