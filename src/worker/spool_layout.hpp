// Where things are in a spool that others than its worker must find, too.
#pragma once

#include <string>

#include "core/ids.hpp"

namespace hyades {

// The files of jobs (job_directory.hpp).
inline std::string job_file_directory(const std::string& spool_directory) {
  return spool_directory + "/scripts";
}
inline std::string script_path(const std::string& spool_directory, const LaunchKey& key) {
  return job_file_directory(spool_directory) + '/' + to_string(key);
}

}  // namespace hyades
