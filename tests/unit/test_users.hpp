// Two ordinary users, whom only this process and its children know of: in a mount name space of
// their own, /etc/passwd and /etc/group are copies with these two. Needs root.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "node_box.hpp"

namespace hyades {

struct TestUser {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

class TestUsers {
 public:
  TestUsers() {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      ADD_FAILURE() << "cannot have a mount name space: " << std::strerror(errno);
      return;
    }
    replace("/etc/passwd",
            "hyades-ada:x:54321:54321::/tmp:/bin/sh\nhyades-bob:x:54322:54322::/tmp:/bin/bash\n"
            "hyades-daemon:x:54323:54323::/:/usr/sbin/nologin\n"
            "hyades-odd:x:54324:54324::/:/opt/unlisted\n");
    replace("/etc/group",
            "hyades-ada:x:54321:\nhyades-bob:x:54322:\nhyades-lab:x:54330:hyades-ada\n");
  }

  TestUser ada{"hyades-ada", 54321, 54321};  // also in group 54330
  TestUser bob{"hyades-bob", 54322, 54322};

 private:
  // Seen by everything that is started from now on.
  void replace(const std::string& path, const std::string& more) {
    const std::string copy = directory_ / path.substr(path.rfind('/') + 1);
    std::ofstream(copy) << read_text(path) << more;
    chmod(copy.c_str(), 0644);
    EXPECT_EQ(mount(copy.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0)
        << path << ": " << std::strerror(errno);
  }

  TemporaryDirectory directory_;
};

// Call it before anything is started that has to know them.
inline const TestUsers& test_users() {
  static const TestUsers users;
  return users;
}

inline bool show_test_users() {
  if (geteuid() == 0) test_users();
  return geteuid() == 0;
}

inline void become(LaunchOrder& order, const TestUser& user) {
  order.spec.user = user.name;
  order.spec.uid = user.uid;
  order.spec.gid = user.gid;
}

}  // namespace hyades
