#include "worker/account.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace hyades {
namespace {

bool may_log_in(const std::string& shell) {
  const std::string name = shell.substr(shell.rfind('/') + 1);
  if (name == "nologin" || name == "false") return false;
  if (shell.empty()) return true;  // stands for /bin/sh
  bool listed = false;
  setusershell();
  while (const char* one = getusershell()) listed = listed || shell == one;
  endusershell();
  return listed;
}

bool is_in_group(const std::string& user, gid_t own, gid_t wanted) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (getgrouplist(user.c_str(), own, groups.data(), &count) < 0) {
    if (count <= static_cast<int>(groups.size())) return false;
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return std::find(groups.begin(), groups.end(), wanted) != groups.end();
}

bool has_capabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return true;
  for (const auto& half : data) {
    if (half.effective != 0 || half.permitted != 0 || half.inheritable != 0) return true;
  }
  return false;
}

void drop_inheritable() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);  // looked at afterwards
}

// Never go on as root because some call only seemed to succeed.
bool is_really(const LaunchRecord& launch) {
  uid_t real = 0, effective = 0, saved = 0;
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  getresuid(&real, &effective, &saved);
  getresgid(&real_group, &effective_group, &saved_group);
  const bool good = real == launch.uid && effective == launch.uid && saved == launch.uid &&
                    real_group == launch.gid && effective_group == launch.gid &&
                    saved_group == launch.gid && (launch.uid == 0 || setuid(0) != 0) &&
                    (launch.uid == 0 || !has_capabilities());
  if (!good) errno = EPERM;
  return good;
}

// So that no program that the job runs can give it any of them.
bool drop_bounding_set() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability) != 0) return false;
  }
  return true;
}

}  // namespace

AccountTrouble check_uid(const LaunchRecord& launch) {
  if (geteuid() != 0) return AccountTrouble::None;
  if (launch.uid == 0) return launch.allow_root ? AccountTrouble::None : AccountTrouble::Root;
  return launch.uid < launch.min_uid ? AccountTrouble::SystemUser : AccountTrouble::None;
}

AccountTrouble check_account(const LaunchRecord& launch) {
  const AccountTrouble trouble = check_uid(launch);
  if (trouble != AccountTrouble::None || geteuid() != 0 || launch.uid == 0) return trouble;
  passwd entry = {};
  passwd* found = nullptr;
  std::vector<char> buffer(64 << 10);
  getpwuid_r(launch.uid, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return AccountTrouble::Unknown;
  if (launch.user != found->pw_name) return AccountTrouble::OtherName;
  if (!may_log_in(found->pw_shell)) return AccountTrouble::NoShell;
  const gid_t own = found->pw_gid;
  // The name must lead back to the number, too: a second entry may hide behind it.
  getpwnam_r(launch.user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr || found->pw_uid != launch.uid) return AccountTrouble::OtherName;
  return is_in_group(launch.user, own, launch.gid) ? AccountTrouble::None
                                                   : AccountTrouble::NotInGroup;
}

std::string describe(AccountTrouble trouble, const LaunchRecord& launch) {
  const std::string uid = std::to_string(launch.uid);
  switch (trouble) {
    case AccountTrouble::Root:
      return "jobs of root are not started here (allow_root_jobs)";
    case AccountTrouble::SystemUser:
      return "jobs of uid " + uid + " are not started here: it is below the lowest, " +
             std::to_string(launch.min_uid) + " (min_uid)";
    case AccountTrouble::Unknown:
      return "this node has no user with the uid " + uid + ", which is \"" + launch.user +
             "\" where the job was submitted";
    case AccountTrouble::OtherName:
      return "the uid " + uid + " is not user \"" + launch.user +
             "\" on this node; its list of users differs from the one where the job was submitted";
    case AccountTrouble::NotInGroup:
      return "user \"" + launch.user + "\" is not in the group " + std::to_string(launch.gid) +
             " on this node; its list of groups differs from the one where the job was submitted";
    case AccountTrouble::NoShell:
      return "user \"" + launch.user +
             "\" may not log in on this node: the login shell is not one of /etc/shells";
    case AccountTrouble::None:
      break;
  }
  return "";
}

bool is_node_fault(AccountTrouble trouble) {
  return trouble == AccountTrouble::Unknown || trouble == AccountTrouble::OtherName ||
         trouble == AccountTrouble::NotInGroup;
}

bool become_user(const LaunchRecord& launch) {
  const bool was_root = geteuid() == 0;
  if (was_root && launch.uid != 0 && launch.no_new_privileges && !drop_bounding_set()) return false;
  if (launch.uid != geteuid()) {
    if (initgroups(launch.user.c_str(), launch.gid) != 0 ||
        setresgid(launch.gid, launch.gid, launch.gid) != 0 ||
        setresuid(launch.uid, launch.uid, launch.uid) != 0) {
      return false;
    }
    drop_inheritable();
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (!is_really(launch)) return false;
  }
  if (was_root && launch.uid != 0 && launch.no_new_privileges &&
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return false;
  }
  // The memory of what is not the job's program yet is no business of the user's other processes.
  return prctl(PR_SET_DUMPABLE, 0) == 0;
}

}  // namespace hyades
