// The spool's own promises: names, locks, what survives, what is refused. What every spool must do
// is in tests/contract/spool_contract_test.cpp.
#include "worker/disk_spool.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "node_box.hpp"
#include "worker/record_lock.hpp"

namespace hyades {
namespace {

constexpr LaunchKey key = {42, 1, 77};
constexpr LaunchKey other = {43, 2, 78};

class DiskSpoolTest : public testing::Test {
 protected:
  void append(const LaunchKey& to, const std::string& text) {
    std::ofstream(spool_->record_path(to), std::ios::app) << text;
  }
  void reopen(const std::string& boot_id = "") {
    spool_.reset();
    spool_ = std::make_unique<DiskSpool>(directory_, boot_id);
  }
  std::string refusal(const std::string& path) {
    try {
      DiskSpool spool(path);
      return "";
    } catch (const SpoolError& error) {
      return error.what();
    }
  }

  TemporaryDirectory root_;
  std::string directory_ = root_ / "vn1";
  std::unique_ptr<DiskSpool> spool_ = std::make_unique<DiskSpool>(directory_);
};

// Runs in a child process, which then dies without any goodbye.
void in_killed_process(const std::function<void()>& what) {
  const pid_t child = fork();
  if (child == 0) {
    what();
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
}

void send_fd(int socket, int fd) {
  char byte = 'f';
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  ASSERT_EQ(sendmsg(socket, &message, 0), 1);
}

int receive_fd(int socket) {
  char byte = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

TEST_F(DiskSpoolTest, ARecordThatAPowerCutEmptiedIsNotOfThisBoot) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  ASSERT_EQ(spool_->claim(other), ClaimResult::Claimed);
  for (const LaunchKey& torn : {key, other}) {
    std::filesystem::resize_file(spool_->record_path(torn), 0);
  }
  append(other, std::string(200, '\0'));  // as XFS leaves it
  reopen();
  EXPECT_TRUE(spool_->look(key)->same_boot) << "its worker died before it could write";
  reopen("the-next-boot");
  reopen("the-next-boot");
  for (const LaunchKey& torn : {key, other}) EXPECT_FALSE(spool_->look(torn)->same_boot);
  EXPECT_EQ(spool_->claim({44, 1, 79}), ClaimResult::Claimed);
  EXPECT_TRUE(spool_->look({44, 1, 79})->same_boot);
}

TEST_F(DiskSpoolTest, ABootIsNotedOnlyWhenEveryEarlierRecordIsMarked) {
  const LaunchKey hidden = {44, 1, 79};
  const std::string path = spool_->record_path(hidden);
  reopen("a-boot-with-a-long-name");
  std::filesystem::create_directory(path);  // cannot be marked
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  std::filesystem::resize_file(spool_->record_path(key), 0);
  reopen("next");
  EXPECT_FALSE(spool_->look(key)->same_boot);
  std::filesystem::remove(path);  // what was in the way is gone: it is empty, and from before
  std::ofstream(path) << "";
  EXPECT_FALSE(spool_->look(hidden)->same_boot);
  reopen("next");
  EXPECT_FALSE(spool_->look(hidden)->same_boot);
  spool_->remove(hidden);
  std::ofstream(path) << "";
  reopen("next");
  EXPECT_TRUE(spool_->look(hidden)->same_boot);
}

TEST_F(DiskSpoolTest, ACounterThatAPowerCutToreStartsAgain) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  spool_->remove(key);
  spool_.reset();
  std::ofstream(directory_ + "/sequence") << std::string(21, '\0');
  EXPECT_NE(refusal(directory_).find("sequence is damaged"), std::string::npos);
  reopen("the-next-boot");
  EXPECT_EQ(spool_->high_sequence(), 0u);
  EXPECT_EQ(spool_->claim(key), ClaimResult::Claimed);
}

TEST_F(DiskSpoolTest, KeepsEverythingFromOthers) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  struct stat info = {};
  ASSERT_EQ(stat(directory_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, geteuid() == 0 ? 0711u : 0700u);
  ASSERT_EQ(stat(spool_->record_path(key).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(DiskSpoolTest, ReservesSpaceForTheRecord) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  struct stat info = {};
  ASSERT_EQ(stat(spool_->record_path(key).c_str(), &info), 0);
  EXPECT_LT(info.st_size, 200);
  EXPECT_GE(info.st_blocks * 512, 4096);
}

TEST_F(DiskSpoolTest, LockTravelsWithTheDescriptor) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  UniqueFd claim = spool_->take_claim(key);
  ASSERT_TRUE(claim);
  EXPECT_FALSE(spool_->take_claim(key));
  send_fd(ends[0], claim.get());
  claim.reset();
  EXPECT_TRUE(spool_->look(key)->held);  // nobody has it open: it is on its way
  UniqueFd received(receive_fd(ends[1]));
  EXPECT_TRUE(spool_->look(key)->held);
  received.reset();
  EXPECT_FALSE(spool_->look(key)->held);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(DiskSpoolTest, LockIsFreeWhenTheMessageIsNeverReceived) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  send_fd(ends[0], spool_->take_claim(key).get());
  EXPECT_TRUE(spool_->look(key)->held);
  close(ends[0]);
  EXPECT_TRUE(spool_->look(key)->held);  // the sender's death alone takes nothing back
  close(ends[1]);
  EXPECT_FALSE(spool_->look(key)->held);
}

TEST_F(DiskSpoolTest, ClaimSurvivesTheDeathOfTheWorkerButNotItsLock) {
  spool_.reset();
  in_killed_process([&] {
    DiskSpool spool(directory_);
    spool.claim(key);
    spool.raise_sequence(900);
    spool.raise_epoch(7);
  });
  reopen();
  EXPECT_EQ(spool_->high_sequence(), 900u);
  EXPECT_EQ(spool_->high_epoch(), 7u);
  const auto record = spool_->look(key);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->held);
  EXPECT_TRUE(record->same_boot);
  EXPECT_EQ(record->started_ms, 0);
  EXPECT_EQ(spool_->claim(key), ClaimResult::Exists);
}

// In this order only: the other way round, a late order could start the job a second time.
TEST_F(DiskSpoolTest, SequenceIsRaisedBeforeTheRecordExists) {
  std::filesystem::create_directory(spool_->record_path({1, 1, 500}));
  EXPECT_NE(spool_->claim({1, 1, 500}), ClaimResult::Claimed);
  EXPECT_EQ(spool_->high_sequence(), 500u);
}

TEST_F(DiskSpoolTest, RecordsAloneAreProofOfTheirSequence) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  spool_.reset();
  std::filesystem::remove(directory_ + "/sequence");
  reopen();
  EXPECT_EQ(spool_->high_sequence(), key.sequence);
}

TEST_F(DiskSpoolTest, KnowsRecordsFromBeforeTheReboot) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  reopen("another-boot");
  EXPECT_FALSE(spool_->look(key)->same_boot);
}

TEST_F(DiskSpoolTest, OneWorkerOwnsASpool) {
  const std::string why = refusal(directory_);
  EXPECT_NE(why.find(directory_), std::string::npos) << why;
  EXPECT_NE(why.find("pid " + std::to_string(getpid())), std::string::npos) << why;
}

TEST_F(DiskSpoolTest, ANewWorkerWaitsForTheOldOneToDie) {
  std::thread old([&] {
    poll(nullptr, 0, 100);
    spool_.reset();
  });
  EXPECT_NO_THROW(DiskSpool(directory_, "", 30000));
  old.join();
}

TEST_F(DiskSpoolTest, RefusesDirectoriesThatOthersCouldMeddleWith) {
  const std::string open_one = root_ / "open";
  std::filesystem::create_directory(open_one);
  chmod(open_one.c_str(), 0777);
  EXPECT_NE(refusal(open_one).find("chmod go-w"), std::string::npos) << refusal(open_one);

  const std::string link = root_ / "link";
  std::filesystem::create_directory(root_ / "elsewhere");
  std::filesystem::create_directory_symlink(root_ / "elsewhere", link);
  EXPECT_NE(refusal(link).find("not a directory"), std::string::npos) << refusal(link);

  EXPECT_NE(refusal(root_ / "no/parent").find("no/parent"), std::string::npos);
  if (geteuid() == 0) {
    const std::string foreign = root_ / "foreign";
    std::filesystem::create_directory(foreign);
    ASSERT_EQ(chown(foreign.c_str(), 65534, 65534), 0);
    EXPECT_NE(refusal(foreign).find("belongs to uid 65534"), std::string::npos) << refusal(foreign);
  }
}

TEST_F(DiskSpoolTest, RefusesADamagedCounterInsteadOfForgetting) {
  spool_.reset();
  std::ofstream(directory_ + "/sequence") << "0000000000000000001x\n";
  const std::string why = refusal(directory_);
  EXPECT_NE(why.find("sequence is damaged"), std::string::npos) << why;
}

TEST_F(DiskSpoolTest, ScriptGoesWithTheRecord) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  const std::string script = spool_->script_path(key);
  for (const std::string& path : {script, step_file_path(script), mpi_hostfile_path(script)}) {
    std::ofstream(path) << "text\n";
  }
  spool_->remove(key);
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/scripts"));
  EXPECT_FALSE(std::filesystem::exists(spool_->record_path(key)));
}

TEST_F(DiskSpoolTest, ScriptsThatLostTheirRecordsGoAtTheNextStart) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  for (const LaunchKey& one : {key, other}) {
    std::ofstream(spool_->script_path(one)) << "#!/bin/sh\n";
    std::ofstream(step_file_path(spool_->script_path(one))) << "steps\n";
    std::ofstream(mpi_hostfile_path(spool_->script_path(one))) << "hosts\n";
  }
  std::ofstream(directory_ + "/scripts/notes") << "not ours";
  reopen();
  EXPECT_TRUE(std::filesystem::exists(spool_->script_path(key)));
  EXPECT_TRUE(std::filesystem::exists(step_file_path(spool_->script_path(key))));
  EXPECT_FALSE(std::filesystem::exists(spool_->script_path(other)));
  EXPECT_FALSE(std::filesystem::exists(step_file_path(spool_->script_path(other))));
  EXPECT_FALSE(std::filesystem::exists(mpi_hostfile_path(spool_->script_path(other))));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/scripts/notes"));
}

TEST_F(DiskSpoolTest, AnEndIsKnownForGoodOnceTheLockIsFree) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  append(key, exit_line({.exit_code = 3}));
  ASSERT_TRUE(spool_->look(key)->exit);
  EXPECT_TRUE(spool_->look(key)->held);  // not yet: its shepherd is just leaving
  spool_->release(key);
  EXPECT_FALSE(spool_->look(key)->held);
  append(key, exit_line({.exit_code = 4}));  // nobody does that; who looked again would see it
  EXPECT_EQ(spool_->look(key)->exit->exit_code, 3);
  spool_->remove(key);
  EXPECT_FALSE(spool_->look(key));
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  EXPECT_TRUE(spool_->look(key)->held);
  EXPECT_FALSE(spool_->look(key)->exit);
}

TEST_F(DiskSpoolTest, WithoutAnEndEveryLookIsNew) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  spool_->release(key);
  EXPECT_FALSE(spool_->look(key)->exit);
  append(key, started_line({.job_pid = 8, .shepherd_pid = 7, .at_ms = 1000}));
  EXPECT_EQ(spool_->look(key)->started_ms, 1000);
}

TEST_F(DiskSpoolTest, ARecordThatCannotBeLookedAtDecidesNothing) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  ASSERT_EQ(spool_->claim(other), ClaimResult::Claimed);
  append(key, started_line({.job_pid = 8, .shepherd_pid = 7, .at_ms = 1000}));
  ASSERT_EQ(spool_->look(key)->started_ms, 1000);
  for (const LaunchKey& dead : {key, other}) spool_->release(dead);
  {
    const NoDescriptors none;
    const auto record = spool_->look(key);
    ASSERT_TRUE(record);
    EXPECT_TRUE(record->held);
    EXPECT_EQ(record->started_ms, 1000);
    EXPECT_NE(spool_->last_error().find("Too many open files"), std::string::npos)
        << spool_->last_error();
    ASSERT_TRUE(spool_->look(other));
    EXPECT_TRUE(spool_->look(other)->held);
    ASSERT_EQ(spool_->records().size(), 2u);
    for (const SpoolRecord& one : spool_->records()) EXPECT_TRUE(one.held);
    EXPECT_FALSE(spool_->look({44, 1, 79}));  // that there is none can be told
  }
  for (const LaunchKey& dead : {key, other}) EXPECT_FALSE(spool_->look(dead)->held);
}

TEST_F(DiskSpoolTest, AnUnreadableRecordIsNotAnEmptyOne) {
  std::filesystem::create_directory(spool_->record_path(key));  // reading it fails
  ASSERT_TRUE(spool_->look(key));
  EXPECT_TRUE(spool_->look(key)->held);
  EXPECT_NE(spool_->last_error().find("cannot read"), std::string::npos) << spool_->last_error();
}

TEST(RecordLock, AnErrorIsNotAFreeLock) { EXPECT_FALSE(is_record_locked(-1).has_value()); }

TEST_F(DiskSpoolTest, WatchTellsOfOtherWritersAndOfNothingElse) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  ASSERT_EQ(spool_->claim(other), ClaimResult::Claimed);
  EXPECT_TRUE(spool_->drain_watch().empty());  // one's own claims are no news
  UniqueFd shepherd = spool_->take_claim(key);
  const std::string line = started_line({.job_pid = 7, .shepherd_pid = 6, .at_ms = 5});
  for (int i = 0; i < 2; ++i) ASSERT_GT(write(shepherd.get(), line.data(), line.size()), 0);
  EXPECT_EQ(spool_->drain_watch(), std::vector<LaunchKey>{key});
  EXPECT_TRUE(spool_->drain_watch().empty());
  shepherd.reset();  // death without a word
  pollfd wait = {spool_->watch_fd(), POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 10000), 1);
  EXPECT_EQ(spool_->drain_watch(), std::vector<LaunchKey>{key});
  EXPECT_FALSE(spool_->look(key)->held);
  spool_->remove(key);
  spool_->raise_sequence(1000);
  EXPECT_TRUE(spool_->drain_watch().empty());
}

// The event comes before the kernel lets go of the lock; a worker that looked in between and went
// back to sleep would take the launch for a running one for ever.
TEST_F(DiskSpoolTest, ADeadShepherdIsNeverSeenAlive) {
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const LaunchKey one = {i, 1, 1000 + i};
    ASSERT_EQ(spool_->claim(one), ClaimResult::Claimed);
    spool_->drain_watch();
    UniqueFd claim = spool_->take_claim(one);
    const pid_t shepherd = fork();
    if (shepherd == 0) raise(SIGKILL);
    claim.reset();
    int told = 0;
    ASSERT_TRUE(wait_until([&] {
      for (const LaunchKey& changed : spool_->drain_watch()) told += changed == one ? 1 : 0;
      return told > 0;
    }));
    ASSERT_FALSE(spool_->look(one)->held) << i;
    waitpid(shepherd, nullptr, 0);
    spool_->remove(one);
  }
}

TEST_F(DiskSpoolTest, ALockThatOutlivesTheCloseIsLookedAtOnceMore) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  spool_->drain_watch();
  UniqueFd claim = spool_->take_claim(key);
  UniqueFd(open(spool_->record_path(key).c_str(), O_WRONLY | O_CLOEXEC)).reset();
  EXPECT_EQ(spool_->drain_watch(), std::vector<LaunchKey>{key});
  EXPECT_EQ(spool_->drain_watch(), std::vector<LaunchKey>{key});
  EXPECT_TRUE(spool_->drain_watch().empty());
}

TEST_F(DiskSpoolTest, LostEventsMeanLookAtEverything) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  ASSERT_EQ(spool_->claim(other), ClaimResult::Claimed);
  const LaunchKey quiet = {44, 1, 79};
  ASSERT_EQ(spool_->claim(quiet), ClaimResult::Claimed);
  UniqueFd first = spool_->take_claim(key);
  UniqueFd second = spool_->take_claim(other);
  const int most = std::atoi(read_text("/proc/sys/fs/inotify/max_queued_events").c_str());
  if (most > 200000) GTEST_SKIP() << "the event queue is too long to fill";
  for (int i = 0; i < most / 2 + 10; ++i) {
    ASSERT_EQ(pwrite(first.get(), "x", 1, 200), 1);
    ASSERT_EQ(pwrite(second.get(), "x", 1, 200), 1);
  }
  EXPECT_EQ(spool_->drain_watch(), (std::vector<LaunchKey>{key, other, quiet}));
}

// Watches are counted for each user, whose desktop may have taken them all.
TEST_F(DiskSpoolTest, WithoutAWatchAllIsLookedAtEverySecond) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  spool_.reset();
  {
    const NoDescriptors but_for(4);  // the directory, the lock, the two numbers
    spool_ = std::make_unique<DiskSpool>(directory_);
  }
  EXPECT_EQ(spool_->watch_fd(), -1);
  EXPECT_NE(spool_->watch_failure().find("Too many open files"), std::string::npos)
      << spool_->watch_failure();
  EXPECT_EQ(spool_->drain_watch(), std::vector<LaunchKey>{key});
  EXPECT_TRUE(spool_->drain_watch().empty());  // not on every tick
  ASSERT_TRUE(wait_until([&] { return !spool_->drain_watch().empty(); }));
  reopen();
  EXPECT_GE(spool_->watch_fd(), 0);
  EXPECT_EQ(spool_->watch_failure(), "");
}

TEST_F(DiskSpoolTest, IgnoresTornAndForeignLines) {
  ASSERT_EQ(spool_->claim(key), ClaimResult::Claimed);
  const std::string started = started_line({.job_pid = 7, .shepherd_pid = 6, .at_ms = 5});
  append(key, started.substr(0, started.size() - 1));  // no newline: not written
  EXPECT_EQ(spool_->look(key)->started_ms, 0);
  append(key, "\n");
  EXPECT_EQ(spool_->look(key)->started_ms, 5);
  std::string exit =
      exit_line({.exit_code = 3, .started_ms = 5, .ended_ms = 6, .launch_error = ""});
  exit[10] = '4';
  append(key, exit);
  EXPECT_FALSE(spool_->look(key)->exit);
  append(key, "nonsense\n\n#\n");
  EXPECT_FALSE(spool_->look(key)->exit);
}

TEST_F(DiskSpoolTest, StrangeFilesInTheDirectoryAreNoRecords) {
  std::ofstream(directory_ + "/notes.txt") << "hello";
  std::ofstream(directory_ + "/1.2") << "";
  std::ofstream(directory_ + "/01.2.3") << "";
  EXPECT_TRUE(spool_->records().empty());
}

// ---- A full disk -------------------------------------------------------------------------------

class SmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (mount("none", root_.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
      GTEST_SKIP() << "cannot mount a small file system here: " << std::strerror(errno);
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) umount2(root_.path().c_str(), MNT_DETACH);
  }
  void fill() {
    std::ofstream filler(root_ / "filler", std::ios::app);
    const std::string block(4096, 'x');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }

  TemporaryDirectory root_;
  bool mounted_ = false;
};

TEST_F(SmallDisk, ClaimSaysFullAndLeavesNothing) {
  DiskSpool spool(root_ / "vn1");
  fill();
  EXPECT_EQ(spool.claim(key), ClaimResult::Full);
  EXPECT_NE(spool.last_error().find("No space left"), std::string::npos) << spool.last_error();
  EXPECT_TRUE(spool.records().empty());
  EXPECT_EQ(spool.high_sequence(), key.sequence);  // but it was seen
}

TEST_F(SmallDisk, TheEndOfALaunchCanAlwaysBeWritten) {
  DiskSpool spool(root_ / "vn1");
  ASSERT_EQ(spool.claim(key), ClaimResult::Claimed);
  fill();
  UniqueFd shepherd = spool.take_claim(key);
  const std::string error(2000, '\n');
  const std::string line = exit_line({.exit_code = 1, .launch_error = error});
  ASSERT_EQ(pwrite(shepherd.get(), line.data(), line.size(), lseek(shepherd.get(), 0, SEEK_END)),
            static_cast<ssize_t>(line.size()));
  EXPECT_TRUE(spool.look(key)->exit);
}

// ---- The record's format -----------------------------------------------------------------------

TEST(RecordFile, KeepsEveryField) {
  const StartedLine started = {11, 10, 1700000000123, 5000, 5003, 65535, "cgroup v1 (pids)"};
  ExitRecord exit = {.exit_code = 255,
                     .signal = 9,
                     .stopped = StopReason::TimeLimit,
                     .started_ms = 1700000000123,
                     .ended_ms = 1700000009999,
                     .usage = {1, 2, 3, 4, 5, 6, 7, 8, INT64_MAX},
                     .left_behind = 4,
                     .launch_error = "100% \"wrong\"\nat /a b/\xc3\xa4 #00000000",
                     .out_of_memory = true,
                     .epilog_error = "10-unmount: exit code 1"};
  const RecordContent content =
      parse_record(claimed_line("boot-1") + started_line(started) + exit_line(exit));
  EXPECT_EQ(content.boot_id, "boot-1");
  EXPECT_EQ(content.started, started);
  EXPECT_EQ(content.exit, exit);
  EXPECT_EQ(content.refusal, "");
  EXPECT_EQ(parse_record(refused_line("no process left")).refusal, "no process left");
}

TEST(RecordFile, KeepsWhatWasCounted) {
  const std::vector<JobCounter> counters = {{"PAPI_TOT_INS", INT64_MAX, 0.25, false},
                                            {"perf::PAGE-FAULTS", 0, 1, true}};
  const std::vector<MissingCounter> missing = {{"PAPI_L3_TCM", "100% no, nothing/else"},
                                               {"PAPI_L2_TCM", ""}};
  const std::vector<ReportedFigure> reported = {{"progress", 0.1}, {"a_0.b-c", -1.0 / 3e300}};
  const ExitRecord exit = {.usage = {1, 2, 3, 4, 5, 6, 7, 8, 9, counters, missing, reported, 10}};
  EXPECT_EQ(parse_record(exit_line(exit)).exit, exit);
  // What never ran has counted nothing.
  ExitRecord failed = exit;
  failed.launch_error = "no such directory";
  const auto read = parse_record(exit_line(failed)).exit;
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->usage.counters.empty());
  EXPECT_TRUE(read->usage.missing_counters.empty());
  EXPECT_TRUE(read->usage.reported.empty());
}

TEST(RecordFile, LeavesOutReportsThatCannotBe) {
  const double infinity = std::numeric_limits<double>::infinity();
  const ExitRecord exit = {.usage = {.reported = {{"Loss", 1},
                                                  {"", 1},
                                                  {"a/b", 1},
                                                  {std::string(33, 'a'), 1},
                                                  {"loss", std::nan("")},
                                                  {"loss", infinity},
                                                  {"good", 2}}}};
  const auto back = parse_record(exit_line(exit)).exit;
  ASSERT_TRUE(back);
  EXPECT_EQ(back->usage.reported, (std::vector<ReportedFigure>{{"good", 2}}));
}

// A record is written by somebody else, and perhaps by another version.
TEST(RecordFile, LeavesOutCountersThatCannotBe) {
  const auto read = [](const JobCounter& counter) {
    const ExitRecord exit = {.exit_code = 7,
                             .usage = {.counters = {counter, {"good", 1, 1, false}}}};
    const auto back = parse_record(exit_line(exit)).exit;
    EXPECT_TRUE(back && back->exit_code == 7);  // whatever they are, the job has ended
    return back ? back->usage.counters.size() : 0;
  };
  EXPECT_EQ(read({"PAPI_TOT_INS", 5, 0.5, false}), 2u);
  EXPECT_EQ(read({"PAPI_TOT_INS", -5, 0.5, false}), 1u);
  EXPECT_EQ(read({"PAPI_TOT_INS", 5, 0, false}), 1u);
  EXPECT_EQ(read({"PAPI_TOT_INS", 5, 1.5, false}), 1u);
  EXPECT_EQ(read({"PAPI_TOT_INS", 5, std::nan(""), false}), 1u);
  EXPECT_EQ(read({std::string(65, 'a'), 5, 1, false}), 1u);
  EXPECT_EQ(read({"", 5, 1, false}), 1u);
  EXPECT_EQ(read({"a/b", 5, 1, false}), 1u);
}

TEST(RecordFile, OlderRecordsHaveFewerFigures) {
  std::string line = exit_line({.exit_code = 3, .usage = {1, 2, 3, 4}});
  const std::size_t begin = line.find(" minor_faults=");
  const std::size_t end = line.find(" #");
  ASSERT_NE(begin, std::string::npos);
  // The checksum is the older line's then: FNV-1a, as in its first version.
  line.erase(begin, end - begin);
  std::uint32_t hash = 2166136261u;
  for (const unsigned char c : line.substr(0, line.find(" #"))) hash = (hash ^ c) * 16777619u;
  char tail[16];
  std::snprintf(tail, sizeof tail, " #%08x\n", hash);
  const auto exit = parse_record(line.substr(0, line.find(" #")) + tail).exit;
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 3);
  EXPECT_EQ(exit->usage, (Usage{1, 2, 3}));
}

TEST(RecordFile, AllCountersThereCanBeStillFit) {
  const std::string name(counter_name_bytes_max, 'n');
  Usage usage = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                 INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
  const std::string error(100000, '\x01');
  for (const bool counted : {true, false}) {
    usage.counters.assign(counted ? 100 : 0, {name, INT64_MAX, 0.123456, true});
    usage.missing_counters.assign(100, {name, std::string(counter_reason_bytes_max, '%')});
    usage.reported.assign(100,
                          {std::string(reported_name_bytes_max, 'n'), -1.2345678901234567e-300});
    usage.refused_reports = INT64_MAX;
    const std::string record =
        claimed_line(std::string(36, 'b')) +
        started_line({1 << 22, 1 << 22, INT64_MAX, INT64_MAX, INT64_MAX, 65535, error}) +
        exit_line({.stopped = StopReason::LeaseExpired,
                   .started_ms = 253'402'300'799'999,
                   .ended_ms = 253'402'300'799'999,
                   .usage = usage,
                   .left_behind = INT32_MAX,
                   .out_of_memory = true,
                   .epilog_error = error});
    EXPECT_LE(record.size(), record_bytes_max);
  }
}

TEST(RecordFile, LongErrorsStillFit) {
  const std::string error(100000, '\x01');
  const std::string record =
      claimed_line(std::string(36, 'b')) +
      started_line({1 << 22, 1 << 22, INT64_MAX, INT64_MAX, INT64_MAX, 65535, error}) +
      refused_line(error) +
      exit_line({.stopped = StopReason::LeaseExpired,
                 .started_ms = 253'402'300'799'999,
                 .ended_ms = 253'402'300'799'999,
                 .usage = {INT64_MAX, INT64_MAX, INT64_MAX},
                 .left_behind = INT32_MAX,
                 .launch_error = error,
                 .out_of_memory = true,
                 .epilog_error = error});
  EXPECT_LE(record.size(),
            record_bytes_max + refused_line(error).size());  // it is one or the other
  const std::string line = exit_line({.ended_ms = 5, .launch_error = error, .epilog_error = error});
  const auto exit = parse_record(line).exit;
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->launch_error, error.substr(0, exit->launch_error.size()));
  EXPECT_GT(exit->launch_error.size(), 700u);
  EXPECT_EQ(exit->epilog_error, error.substr(0, exit->epilog_error.size()));
  EXPECT_GT(exit->epilog_error.size(), 200u);
}

// The wire refuses whole messages for one such value: the node could never join again.
TEST(RecordFile, NothingLeavesItThatTheWireRefuses) {
  const WallMs last_ms = 253'402'300'799'999;
  const auto is_left_out = [](const ExitRecord& exit) {
    return !parse_record(exit_line(exit)).exit.has_value();
  };
  EXPECT_FALSE(is_left_out({.exit_code = 255, .started_ms = last_ms, .ended_ms = last_ms}));
  EXPECT_FALSE(is_left_out({.signal = 64, .usage = {last_ms, last_ms, 1'000'000'000'000 * 1024}}));
  EXPECT_TRUE(is_left_out({.exit_code = 256}));
  EXPECT_TRUE(is_left_out({.exit_code = -1}));
  EXPECT_TRUE(is_left_out({.signal = 65}));
  EXPECT_TRUE(is_left_out({.started_ms = last_ms + 1}));
  EXPECT_TRUE(is_left_out({.ended_ms = last_ms + 1}));
  EXPECT_TRUE(is_left_out({.usage = {last_ms + 1, 0, 0}}));
  EXPECT_TRUE(is_left_out({.usage = {0, last_ms + 1, 0}}));
  EXPECT_TRUE(is_left_out({.usage = {0, 0, 1'000'000'000'000 * 1024 + 1}}));
  const auto started = parse_record(started_line({7, 6, last_ms + 1, 1, 2})).started;
  ASSERT_TRUE(started);  // it did start
  EXPECT_EQ(started->at_ms, last_ms);
}

TEST(RecordFile, EveryPrefixIsAnEarlierTruth) {
  const std::string claimed = claimed_line("boot-1");
  const std::string started = started_line({.job_pid = 7, .shepherd_pid = 6, .at_ms = 5});
  const std::string whole = claimed + started + exit_line({.exit_code = 3, .launch_error = ""});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const RecordContent content = parse_record(whole.substr(0, size));
    EXPECT_EQ(content.boot_id.empty(), size < claimed.size());
    EXPECT_EQ(content.started.has_value(), size >= claimed.size() + started.size());
    EXPECT_EQ(content.exit.has_value(), size == whole.size());
  }
}

TEST(RecordFile, EveryFlippedBitIsNoticed) {
  const std::string line = exit_line({.exit_code = 3, .launch_error = "why"});
  for (std::size_t bit = 0; bit < 8 * (line.size() - 1); ++bit) {
    std::string damaged = line;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(parse_record(damaged).exit) << bit;
  }
}

TEST(RecordFile, NoiseIsHarmless) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string noise(random() % 200, ' ');
    for (char& c : noise) c = static_cast<char>(random());
    EXPECT_FALSE(parse_record(noise + '\n').exit);
  }
}

}  // namespace
}  // namespace hyades
