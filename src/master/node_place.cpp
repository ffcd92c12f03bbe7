#include "master/node_place.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "wire/boot_id.hpp"
#include "wire/drop_privileges.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

namespace {

std::string because(const std::string& what) { return what + ": " + std::strerror(errno); }

// "" when only we may write to the directory itself.
std::string check_own(const std::string& path, uid_t owner, mode_t forbidden) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return because("cannot use " + path);
  if (S_ISLNK(facts.st_mode)) {
    return path + " is a symbolic link, and what Hyades writes there would go elsewhere: remove it";
  }
  if (!S_ISDIR(facts.st_mode)) return path + " is not a directory: move it away";
  if (facts.st_uid != owner) {
    return path + " belongs to uid " + std::to_string(facts.st_uid) + ", not to uid " +
           std::to_string(owner) + ": if it is Hyades's, run: chown -R " + std::to_string(owner) +
           " " + path + "; else remove it";
  }
  if ((facts.st_mode & forbidden) != 0) {
    return path + " may be used by others: see what it holds, then run: chmod go-" +
           ((forbidden & 055) != 0 ? "rwx " : "w ") + path;
  }
  return "";
}

void empty_directory(const std::string& path, const std::string& keep) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    std::error_code none;
    const bool kept =
        entry.path().filename() == keep && entry.is_regular_file(none) && entry.file_size(none) > 0;
    if (!kept) std::filesystem::remove_all(entry.path(), error);
  }
}

// "" when this user may pass through every directory above `path`.
std::string check_reachable(const std::string& path, uid_t uid, gid_t gid) {
  for (auto above = std::filesystem::path(path).parent_path();; above = above.parent_path()) {
    struct stat facts {};
    if (stat(above.c_str(), &facts) != 0) return because("cannot look at " + above.string());
    const mode_t needed = facts.st_uid == uid ? S_IXUSR : facts.st_gid == gid ? S_IXGRP : S_IXOTH;
    if ((facts.st_mode & needed) == 0) {
      return above.string() + " cannot be passed by uid " + std::to_string(uid) + ", whose " +
             path + " is below it: chmod +x it, or use another directory";
    }
    if (above == above.parent_path()) return "";
  }
}

}  // namespace

std::string make_private_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return because("cannot create " + path);
  if (std::string problem = check_own(path, geteuid(), 077); !problem.empty()) return problem;
  empty_directory(path, "");
  return "";
}

std::string remove_private_directory(const std::string& path, const std::string& keep) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0 && errno == ENOENT) return "";
  if (std::string problem = check_own(path, geteuid(), 077); !problem.empty()) return problem;
  empty_directory(path, keep);
  if (rmdir(path.c_str()) == 0 || errno == ENOTEMPTY) return "";
  return because("cannot remove " + path);
}

std::string root_place(const std::string& kind, const std::string& path) {
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '_');
  return std::string(kRootPlace) + "/" + kind + name;
}

std::string NodePlace::scratch() const {
  return options_.user.empty() ? spool() + "/mpi" : root_place("mpi", spool());
}

std::string NodePlace::prepare_spool() const {
  uid_t owner = geteuid();
  gid_t group = getegid();
  if (!options_.user.empty()) {
    const std::optional<UserIdentity> user = find_user(options_.user);
    if (!user) return "there is no user '" + options_.user + "' ([security] user) here";
    owner = user->uid;
    group = user->gid;
  }
  std::error_code error;
  std::filesystem::create_directories(options_.spool_root, error);
  if (error) return "cannot create " + options_.spool_root + ": " + error.message();
  // Jobs of other users, which only root can start, must be able to reach their scripts.
  if (mkdir(spool().c_str(), geteuid() == 0 ? 0711 : 0700) == 0) {
    if (owner != geteuid() && lchown(spool().c_str(), owner, group) != 0) {
      return because("cannot give " + spool() + " to " + options_.user);
    }
  } else if (errno != EEXIST) {
    return because("cannot create " + spool());
  }
  const std::string problem = check_own(spool(), owner, 022);
  return problem.empty() ? check_reachable(spool(), owner, group) : problem;
}

std::string NodePlace::prepare() const {
  const mode_t old = umask(022);
  std::string problem = prepare_spool();
  if (problem.empty() && !options_.user.empty()) {
    if (mkdir(kRootPlace, 0755) != 0 && errno != EEXIST) {
      problem = because(std::string("cannot create ") + kRootPlace);
    } else {
      problem = check_own(kRootPlace, 0, 022);
    }
  }
  umask(old);
  if (!problem.empty()) return problem;
  struct stat facts {};
  const bool there = lstat(scratch().c_str(), &facts) == 0;
  return there ? check_own(scratch(), geteuid(), 077) : "";
}

std::string NodePlace::make_scratch() const {
  std::string problem = make_private_directory(scratch());
  if (problem.empty() && !options_.shared_memory.empty()) {
    problem = make_private_directory(options_.shared_memory);
  }
  return problem;
}

void NodePlace::clean() const {
  remove_private_directory(scratch(), "orted.log");
  if (!options_.shared_memory.empty()) remove_private_directory(options_.shared_memory);
  unlink(daemon_note().c_str());
}

bool NodePlace::served() const {
  const UniqueFd lock(open((spool() + "/worker.lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return lock && flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

ProcessIdentity NodePlace::daemon() const {
  const UniqueFd file(open(daemon_note().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char text[160] = "";
  if (!file || read(file.get(), text, sizeof text - 1) <= 0) return {};
  char boot[64] = "";
  int pid = 0;
  unsigned long long ticks = 0;
  if (std::sscanf(text, "%63s %d %llu", boot, &pid, &ticks) != 3) return {};
  const ProcessIdentity process{pid, ticks};
  return boot == current_boot_id() && open_process(process) ? process : ProcessIdentity{};
}

std::string NodePlace::note_daemon(const ProcessIdentity& process) const {
  const std::string path = daemon_note();
  const UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  char text[160];
  const int size = std::snprintf(text, sizeof text, "%s %d %llu\n", current_boot_id().c_str(),
                                 static_cast<int>(process.pid),
                                 static_cast<unsigned long long>(process.start_ticks));
  if (file && write(file.get(), text, static_cast<std::size_t>(size)) == size) return "";
  return because("cannot write " + path);
}

}  // namespace hyades
