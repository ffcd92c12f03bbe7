// Giving up root: all of it, for good, or not at all. In a child, since there is no way back.
#include "wire/drop_privileges.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>

namespace hyades {
namespace {

constexpr UserIdentity kNobody{65534, 65534};

// True when `claim` holds in a child that has become `user`.
bool holds_after_drop(const UserIdentity& user, const std::function<bool()>& claim) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    try {
      drop_privileges(user);
    } catch (const std::exception&) {
      _exit(2);
    }
    _exit(claim() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class DropPrivileges : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give it up";
  }
};

TEST_F(DropPrivileges, AllIdentitiesChangeAndNoGroupStays) {
  EXPECT_TRUE(holds_after_drop(kNobody, [] {
    uid_t uid[3];
    gid_t gid[3];
    gid_t group = 0;
    return getresuid(&uid[0], &uid[1], &uid[2]) == 0 && getresgid(&gid[0], &gid[1], &gid[2]) == 0 &&
           uid[0] == 65534 && uid[1] == 65534 && uid[2] == 65534 && gid[0] == 65534 &&
           gid[1] == 65534 && gid[2] == 65534 && getgroups(1, &group) == 1 && group == 65534;
  }));
}

TEST_F(DropPrivileges, ThereIsNoWayBack) {
  EXPECT_TRUE(holds_after_drop(kNobody, [] {
    return setuid(0) != 0 && setreuid(0, 0) != 0 && setgid(0) != 0 &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
           open("/etc/shadow", O_RDONLY | O_CLOEXEC) < 0;
  }));
}

// The kernel forgets it when the user changes.
TEST_F(DropPrivileges, TheDeathOfTheParentStillKills) {
  EXPECT_TRUE(holds_after_drop(kNobody, [] {
    int signal = 0;
    return prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGKILL;
  }));
}

TEST_F(DropPrivileges, RootIsNotSomebodyElse) {
  EXPECT_THROW(drop_privileges({0, 65534}), std::runtime_error);
  EXPECT_THROW(drop_privileges({65534, 0}), std::runtime_error);
  EXPECT_EQ(geteuid(), 0u) << "nothing was done by halves";
}

TEST(FindUser, KnowsWhoIsThere) {
  const auto root = find_user("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0u);
  EXPECT_FALSE(find_user("no-such-user"));
}

}  // namespace
}  // namespace hyades
