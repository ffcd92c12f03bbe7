// Who may use a state directory, and what people are told when they may not.
#include "master/state_directory.hpp"

#include <sys/stat.h>

#include "contract/queue_on_disk.hpp"

namespace hyades {
namespace {

using IfMissing = StateDirectory::IfMissing;

class StateDirectoryTest : public testing::Test {
 protected:
  std::string refusal(const std::string& path, IfMissing if_missing = IfMissing::Refuse) {
    std::string error;
    EXPECT_EQ(StateDirectory::open(path, if_missing, error), nullptr);
    EXPECT_EQ(error.find('\n'), std::string::npos);
    return error;
  }
  void expect_refused(const std::string& path, const std::string& part) {
    const std::string error = refusal(path);
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_NE(error.find(temporary_.path()), std::string::npos) << error;
  }
  std::string make(const std::string& name, mode_t mode) {
    const std::string path = temporary_.path() + "/" + name;
    EXPECT_EQ(mkdir(path.c_str(), 0700), 0);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  TemporaryDirectory temporary_;
};

TEST_F(StateDirectoryTest, OpensADirectoryOfOurs) {
  std::string error;
  for (const mode_t mode : {0700, 0750, 0755}) {
    const std::string path = make("d" + std::to_string(mode), mode);
    const auto directory = StateDirectory::open(path + "//", IfMissing::Refuse, error);
    ASSERT_TRUE(directory) << error;
    EXPECT_EQ(directory->path(), path);
  }
}

TEST_F(StateDirectoryTest, CreatesOnlyWhenAsked) {
  const std::string path = temporary_.path() + "/a/b/c";
  expect_refused(path, "there is no state directory " + path + ": create it with --init");
  std::string error;
  EXPECT_TRUE(StateDirectory::open(path, IfMissing::Create, error)) << error;
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(StateDirectory::open(path, IfMissing::Create, error)) << error;
}

TEST_F(StateDirectoryTest, HasOneMasterAtATime) {
  std::string error;
  auto first = StateDirectory::open(temporary_.path(), IfMissing::Refuse, error);
  ASSERT_TRUE(first) << error;
  expect_refused(temporary_.path(), "another master (pid " + std::to_string(getpid()) + ") owns");
  // From another process as well, and the refused one must not harm the first one's lock.
  EXPECT_EQ(in_child([&] { return refusal(temporary_.path()).empty() ? 1 : 0; }), 0);
  expect_refused(temporary_.path(), "another master");
  first.reset();
  EXPECT_TRUE(StateDirectory::open(temporary_.path(), IfMissing::Refuse, error)) << error;
}

TEST_F(StateDirectoryTest, ADeadMasterHoldsNothing) {
  const int status = in_child([&] {
    std::string error;
    const auto directory = StateDirectory::open(temporary_.path(), IfMissing::Refuse, error);
    if (directory) raise(SIGKILL);
    return 1;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  std::string error;
  EXPECT_TRUE(StateDirectory::open(temporary_.path(), IfMissing::Refuse, error)) << error;
}

TEST_F(StateDirectoryTest, RefusesWhatOthersCanWriteTo) {
  for (const mode_t mode : {0777, 01777, 0770, 0702, 0720}) {
    const std::string path = make("d" + std::to_string(mode), mode);
    expect_refused(path, "chmod 700 " + path);
  }
}

TEST_F(StateDirectoryTest, RefusesAParentThatAnybodyCanWriteTo) {
  const std::string parent = make("parent", 0777);
  make("parent/d", 0700);
  make("parent/d/e", 0700);
  expect_refused(parent + "/d", "chmod o-w " + parent);
  expect_refused(parent + "/d/e", "chmod o-w " + parent);
  chmod(parent.c_str(), 01777);  // like /tmp: only owners can rename
  std::string error;
  EXPECT_TRUE(StateDirectory::open(parent + "/d", IfMissing::Refuse, error)) << error;
}

TEST_F(StateDirectoryTest, RefusesALinkAndFollowsThoseAbove) {
  const std::string real = make("real", 0700);
  make("real/d", 0700);
  const std::string link = temporary_.path() + "/link";
  ASSERT_EQ(symlink(real.c_str(), link.c_str()), 0);
  expect_refused(link, link + " is a symbolic link");
  expect_refused(link + "/", "is a symbolic link");
  std::string error;
  const auto directory = StateDirectory::open(link + "/d", IfMissing::Refuse, error);
  ASSERT_TRUE(directory) << error;
  EXPECT_EQ(directory->path(), real + "/d");
}

TEST_F(StateDirectoryTest, RefusesWhatIsNoDirectory) {
  write_bytes(temporary_.path() + "/file", "x");
  expect_refused(temporary_.path() + "/file", "is not a directory");
  expect_refused(temporary_.path() + "/file/d", "cannot look at");
  EXPECT_NE(refusal(""), "");
  EXPECT_NE(refusal(std::string(10000, 'x')), "");
  EXPECT_NE(refusal(std::string("/tmp\0x", 6)), "");
}

TEST_F(StateDirectoryTest, RefusesAnUnsafeLockFile) {
  const std::string lock = temporary_.path() + "/master.lock";
  write_bytes(lock, "");
  chmod(lock.c_str(), 0666);
  expect_refused(temporary_.path(), "chmod 600 " + lock);
  unlink(lock.c_str());
  ASSERT_EQ(symlink("/etc/passwd", lock.c_str()), 0);
  expect_refused(temporary_.path(), lock + " is a symbolic link");
}

TEST_F(StateDirectoryTest, RefusesADirectoryOfSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  const std::string path = make("d", 0700);
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  expect_refused(path, path + " belongs to uid 12345, but this master runs as uid 0");
}

TEST_F(StateDirectoryTest, RefusesAReadOnlyDirectory) {
  const std::string path = make("d", 0500);
  if (geteuid() == 0) {
    // Modes do not bind root: be somebody else.
    ASSERT_EQ(chmod(temporary_.path().c_str(), 0755), 0);
    ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
  }
  const int status = in_child([&] {
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 2;
    return refusal(path).find("must be writable") == std::string::npos ? 1 : 0;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hyades
