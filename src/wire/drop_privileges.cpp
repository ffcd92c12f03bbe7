#include "wire/drop_privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace hyades {

namespace {

void require(bool good, const std::string& what) {
  if (!good) {
    throw std::runtime_error("cannot give up root: " + what + ": " + std::strerror(errno));
  }
}

bool is_now(const UserIdentity& user) {
  uid_t uid[3];
  gid_t gid[3];
  if (getresuid(&uid[0], &uid[1], &uid[2]) != 0) return false;
  if (getresgid(&gid[0], &gid[1], &gid[2]) != 0) return false;
  for (int i = 0; i < 3; ++i) {
    if (uid[i] != user.uid || gid[i] != user.gid) return false;
  }
  return true;
}

}  // namespace

std::optional<UserIdentity> find_user(const std::string& name) {
  std::vector<char> buffer(16384);
  struct passwd entry {};
  struct passwd* found = nullptr;
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return std::nullopt;
  return UserIdentity{found->pw_uid, found->pw_gid};
}

void drop_privileges(const UserIdentity& user) {
  const pid_t parent = getppid();
  require(user.uid != 0 && user.gid != 0, "uid 0 and gid 0 are root");
  require(setgroups(1, &user.gid) == 0, "setgroups");
  require(setresgid(user.gid, user.gid, user.gid) == 0, "setresgid");
  require(setresuid(user.uid, user.uid, user.uid) == 0, "setresuid");
  errno = EPERM;
  require(is_now(user), "the kernel says that we are somebody else");
  require(setuid(0) != 0 && setgid(0) != 0 && seteuid(0) != 0, "there is a way back");
  require(prctl(PR_SET_DUMPABLE, 0) == 0, "a memory of our own");
  require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "the death signal");
  errno = ESRCH;
  require(getppid() == parent, "the parent has died");
}

}  // namespace hyades
