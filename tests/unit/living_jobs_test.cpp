// Which jobs run on, by the locks on their records.
#include "worker/living_jobs.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture_tree.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {
namespace {

class LivingJobs : public testing::Test {
 protected:
  FixtureTree tree_;

  // As a shepherd holds it; until what it returns is gone.
  UniqueFd held(const std::string& record) {
    tree_.write(record, "launch\n");
    UniqueFd file(open((tree_.root() + record).c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_EQ(flock(file.get(), LOCK_EX | LOCK_NB), 0) << record;
    return file;
  }
  std::optional<std::set<JobId>> found() { return living_jobs(tree_.root() + "/spool"); }
};

TEST_F(LivingJobs, AreThoseWhoseRecordsAreHeld) {
  const UniqueFd first = held("/spool/vn1/42.1.7");
  const UniqueFd second = held("/spool/vn2/42.1.7");  // another part of it
  {
    const UniqueFd other = held("/spool/vn2/44.2.9");
    tree_.write("/spool/vn2/43.1.8", "launch\n");  // is over
    const UniqueFd lock = held("/spool/vn2/worker.lock");
    const UniqueFd stray = held("/spool/45.1.10");
    EXPECT_EQ(found(), (std::set<JobId>{42, 44}));
  }
  EXPECT_EQ(found(), (std::set<JobId>{42}));
}

TEST_F(LivingJobs, AreUnknownWithoutTheirSpools) {
  EXPECT_EQ(found(), std::nullopt);
  tree_.make_directory("/spool");
  EXPECT_EQ(found(), std::set<JobId>{});
}

TEST_F(LivingJobs, AreUnknownWhereSomethingCannotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const UniqueFd first = held("/spool/vn1/42.1.7");
  chmod((tree_.root() + "/spool/vn1/42.1.7").c_str(), 0);
  EXPECT_EQ(found(), std::nullopt);
  chmod((tree_.root() + "/spool/vn1").c_str(), 0);
  EXPECT_EQ(found(), std::nullopt);
  chmod((tree_.root() + "/spool/vn1").c_str(), 0700);
}

}  // namespace
}  // namespace hyades
