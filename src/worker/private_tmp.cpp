#include "worker/private_tmp.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "wire/unique_fd.hpp"
#include "worker/account.hpp"
#include "worker/boot_clock.hpp"
#include "worker/fork_patiently.hpp"

namespace hyades {
namespace {

constexpr const char* parent = "/tmp";

// Also what lies in directories that their owner has closed to himself.
void remove_tree(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::permissions(path, fs::perms::owner_all, fs::perm_options::add, ignored);
  constexpr auto past_closed_ones = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(path, past_closed_ones, ignored), end; at != end;
       at.increment(ignored)) {
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) {
      fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
  }
  fs::remove_all(path, ignored);
}

}  // namespace

std::string private_tmp_path(const LaunchKey& key) {
  std::uint64_t secret = 0;
  if (getrandom(&secret, sizeof secret, 0) != sizeof secret) return "";
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(secret));
  return std::string(parent) + "/hyades-" + to_string(key) + '-' + digits;
}

bool make_private_tmp(const std::string& path, const LaunchRecord& launch) {
  const UniqueFd above(open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!above || mkdirat(above.get(), name.c_str(), 0700) != 0) return false;
  const UniqueFd made(
      openat(above.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info = {};
  if (!made || fstat(made.get(), &info) != 0) return false;
  if (info.st_uid != geteuid()) {  // of somebody who has put it in the place of ours
    errno = EPERM;
    return false;
  }
  if (launch.uid == geteuid()) return true;
  return fchown(made.get(), launch.uid, launch.gid) == 0;
}

void remove_private_tmp(const std::string& path, const LaunchRecord& launch, int most_ms) {
  const pid_t child = fork_patiently();
  if (child < 0) return;
  if (child == 0) {
    prctl(PR_SET_NAME, "hyades:tmp");
    close_range(3, ~0u, 0);  // above all the record, whose lock must not outlive the shepherd
    if (!become_user(launch)) _exit(1);
    remove_tree(path);
    _exit(0);
  }
  const BootMs deadline = boot_now_ms() + most_ms;
  while (waitpid(child, nullptr, WNOHANG) == 0) {
    if (boot_now_ms() >= deadline) kill(child, SIGKILL);
    if (boot_now_ms() >= deadline + 1000) return;  // it hangs in the kernel
    poll(nullptr, 0, 1);
  }
}

}  // namespace hyades
