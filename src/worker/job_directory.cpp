#include "worker/job_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "worker/launch_record.hpp"
#include "worker/live_page.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

constexpr int only_directories = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

// Every directory on the way is opened in the one before; where root works only.
UniqueFd open_step_by_step(const std::string& path) {
  UniqueFd at(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t begin = 0; at && begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty()) continue;
    const int flags = begin > path.size() ? only_directories : O_PATH | only_directories;
    at.reset(openat(at.get(), name.c_str(), flags));
  }
  return at;
}

UniqueFd open_directory(const std::string& path) {
  if (geteuid() == 0) return open_step_by_step(path);
  return UniqueFd(open(path.c_str(), only_directories));
}

// "42.1.77", "42.1.77.steps", "42.1.77.hosts", "42.1.77.live".
bool parse_job_file_name(std::string_view name, LaunchKey& key) {
  for (const std::string& ending :
       {step_file_path(""), mpi_hostfile_path(""), live_page_path("")}) {
    if (name.ends_with(ending)) {
      name.remove_suffix(ending.size());
      break;
    }
  }
  return parse_launch_key(std::string(name), key);
}

}  // namespace

UniqueFd open_job_directory(const std::string& spool_directory, std::string& trouble) {
  const std::string path = job_file_directory(spool_directory);
  UniqueFd directory = open_directory(path);
  struct stat info = {};
  if (!directory || fstat(directory.get(), &info) != 0) {
    trouble = "cannot open " + path + ": " + std::strerror(errno);
    if (errno == ELOOP || errno == ENOTDIR) {
      trouble += "; there is a symbolic link on the way, name the place itself";
    }
    return UniqueFd();
  }
  if (info.st_uid != geteuid()) {
    trouble = path + " belongs to uid " + std::to_string(info.st_uid) + ", not to uid " +
              std::to_string(geteuid()) + " who writes jobs' files there; remove it";
    return UniqueFd();
  }
  if ((info.st_mode & 022) != 0) {
    trouble = "others may write to " + path + "; chmod go-w it";
    return UniqueFd();
  }
  return directory;
}

void make_job_directory(const std::string& spool_directory) {
  const UniqueFd spool = open_directory(spool_directory);
  const std::string path = job_file_directory(spool_directory);
  const std::string name = path.substr(path.rfind('/') + 1);
  // Others' jobs must be able to reach their scripts.
  if (!spool || mkdirat(spool.get(), name.c_str(), 0700) != 0) return;
  fchmodat(spool.get(), name.c_str(), 0711, 0);
}

bool remove_job_files(int job_directory, const LaunchKey& key) {
  bool gone = true;
  const std::string script = to_string(key);
  for (const std::string& name :
       {script, step_file_path(script), mpi_hostfile_path(script), live_page_path(script)}) {
    gone = (unlinkat(job_directory, name.c_str(), 0) == 0 || errno == ENOENT) && gone;
  }
  return gone;
}

bool remove_job_files(const std::string& spool_directory, const LaunchKey& key) {
  std::string trouble;
  const UniqueFd directory = open_job_directory(spool_directory, trouble);
  return directory && remove_job_files(directory.get(), key);
}

void remove_stray_job_files(const std::string& spool_directory) {
  std::string trouble;
  UniqueFd directory = open_job_directory(spool_directory, trouble);
  DIR* const listing = directory ? fdopendir(directory.get()) : nullptr;
  if (listing == nullptr) return;
  const int at = directory.release();  // the listing's now
  while (const dirent* entry = readdir(listing)) {
    LaunchKey key;
    if (!parse_job_file_name(entry->d_name, key)) continue;
    // Looked for after its script was seen: a record comes first and goes last.
    const std::string record = spool_directory + '/' + to_string(key);
    if (access(record.c_str(), F_OK) == 0 || errno != ENOENT) continue;
    unlinkat(at, entry->d_name, 0);
  }
  closedir(listing);
}

}  // namespace hyades
