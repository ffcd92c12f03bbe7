// Where jobs report to: the socket by itself, and that of a shepherd with a job behind it.
#include "worker/report_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmath>
#include <cstddef>
#include <cstring>

#include "node_box.hpp"
#include "report/hyades_report.hpp"
#include "worker/boot_clock.hpp"
#include "worker/live_page.hpp"

namespace hyades {
namespace {

using Figures = std::vector<ReportedFigure>;

constexpr uid_t kStranger = 65534;

// Of a socket, from what the environment says of it: "@0004e".
struct Address {
  explicit Address(const std::string& said)
      : size(static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + said.size())) {
    name.sun_family = AF_UNIX;
    said.copy(name.sun_path + 1, said.size() - 1, 1);
  }
  sockaddr_un name = {};
  socklen_t size;
};

class ReportSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(socket_.open(getuid()));
    setenv("HYADES_REPORT", socket_.name().c_str(), 1);
  }
  void TearDown() override { unsetenv("HYADES_REPORT"); }

  const Figures& read() {
    socket_.read_rest();
    return socket_.report().figures();
  }
  // In a process of another user, whose exit code is returned.
  static int as_stranger(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) _exit(setuid(kStranger) == 0 ? body() : 99);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
  }
  int open_descriptors() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      count += entry.path().empty() ? 0 : 1;
    }
    return count;
  }

  ReportSocket socket_;
};

TEST_F(ReportSocketTest, HasANameThatTheKernelChose) {
  EXPECT_EQ(socket_.name().size(), 6u) << socket_.name();
  EXPECT_EQ(socket_.name().find_first_not_of("0123456789abcdef", 1), std::string::npos);
  ReportSocket other;
  ASSERT_TRUE(other.open(getuid()));
  EXPECT_NE(other.name(), socket_.name());
  EXPECT_NE(fcntl(socket_.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ReportSocketTest, TakesWhatIsSent) {
  EXPECT_EQ(report({{"progress", 0.25}, {"loss", -1e-3}, {"bad", NAN}, {"steps", 12345678}}), 0);
  EXPECT_EQ(send_report("loss=0.5 nonsense"), 0);
  EXPECT_EQ(read(), (Figures{{"progress", 0.25}, {"loss", 0.5}, {"steps", 12345678}}));
  EXPECT_EQ(socket_.report().refused(), 1);
}

TEST_F(ReportSocketTest, OtherUsersAreNotHeard) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  ReportSocket theirs;  // of a job of the stranger's
  ASSERT_TRUE(theirs.open(kStranger));
  EXPECT_EQ(as_stranger([] { return send_report("loss=1"); }), 0);
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(socket_.report().refused(), 0);  // nor is it the job's fault
  setenv("HYADES_REPORT", theirs.name().c_str(), 1);
  EXPECT_EQ(as_stranger([] { return send_report("loss=1"); }), 0);
  EXPECT_EQ(send_report("steps=2"), 0);  // root may
  theirs.read_rest();
  EXPECT_EQ(theirs.report().figures(), (Figures{{"loss", 1}, {"steps", 2}}));
}

// Nobody who is not root can claim to be somebody else.
TEST_F(ReportSocketTest, ForgedSendersAreNotSent) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  EXPECT_EQ(as_stranger([] {
              const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
              ucred forged = {getpid(), 0, 0};
              alignas(cmsghdr) char control[CMSG_SPACE(sizeof forged)] = {};
              char text[] = "loss=1";
              iovec part = {text, 6};
              Address address(std::getenv("HYADES_REPORT"));
              msghdr message = {};
              message.msg_name = &address.name;
              message.msg_namelen = address.size;
              message.msg_iov = &part;
              message.msg_iovlen = 1;
              message.msg_control = control;
              message.msg_controllen = sizeof control;
              cmsghdr* const header = CMSG_FIRSTHDR(&message);
              header->cmsg_level = SOL_SOCKET;
              header->cmsg_type = SCM_CREDENTIALS;
              header->cmsg_len = CMSG_LEN(sizeof forged);
              std::memcpy(CMSG_DATA(header), &forged, sizeof forged);
              return sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(read().empty());
}

TEST_F(ReportSocketTest, TooLongAMessageIsNotTaken) {
  EXPECT_EQ(send_report(std::string(2000, ' ')), EMSGSIZE);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  Address address(socket_.name());
  const std::string text = "loss=1 " + std::string(report_bytes_max, 'x');
  EXPECT_EQ(sendto(fd, text.data(), text.size(), MSG_DONTWAIT,
                   reinterpret_cast<const sockaddr*>(&address.name), address.size),
            static_cast<ssize_t>(text.size()));
  close(fd);
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(socket_.report().refused(), 1);
}

TEST_F(ReportSocketTest, DescriptorsAreNotTaken) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  Address address(socket_.name());
  const int gift[4] = {fd, fd, fd, fd};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof gift)] = {};
  char text[] = "loss=1";
  iovec part = {text, 6};
  msghdr message = {};
  message.msg_name = &address.name;
  message.msg_namelen = address.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof gift);
  std::memcpy(CMSG_DATA(header), gift, sizeof gift);
  const int before = open_descriptors();
  ASSERT_EQ(sendmsg(fd, &message, MSG_DONTWAIT), 6);
  EXPECT_EQ(read(), (Figures{{"loss", 1}}));
  EXPECT_EQ(open_descriptors(), before);
  close(fd);
}

// By the clock that it is told, so that none has to be waited for.
TEST_F(ReportSocketTest, AFloodIsReadInBursts) {
  const auto flood_at = [&](BootMs now) {
    for (int i = 0; i < 10 * ReportSocket::burst; ++i) {
      while (send_report("a=1") == 0) continue;
      socket_.read(now);
    }
  };
  EXPECT_EQ(socket_.pause_end_ms(), 0);
  flood_at(1000);
  EXPECT_EQ(socket_.fd(), -1);
  EXPECT_EQ(socket_.pause_end_ms(), 1000 + ReportSocket::pause_ms);
  socket_.read(1000 + ReportSocket::pause_ms - 1);
  EXPECT_EQ(socket_.fd(), -1);  // not yet
  flood_at(1000 + ReportSocket::pause_ms);
  EXPECT_EQ(socket_.pause_end_ms(), 1000 + 2 * ReportSocket::pause_ms);
  EXPECT_EQ(send_report("a=2"), EAGAIN);  // whoever sends does not wait
  EXPECT_EQ(send_report("a=2", 1), EAGAIN);
  // When it is over, all of it is looked at, and a quiet socket has no pause.
  read();
  socket_.read(5000);
  EXPECT_GE(socket_.fd(), 0);
  EXPECT_EQ(socket_.pause_end_ms(), 0);
}

TEST_F(ReportSocketTest, WhoeverSendsIsToldWhatIsWrong) {
  unsetenv("HYADES_REPORT");
  EXPECT_EQ(send_report("a=1"), ENOENT);
  for (const char* wrong : {"", "@", "x", "/tmp/socket"}) {
    setenv("HYADES_REPORT", wrong, 1);
    EXPECT_NE(send_report("a=1"), 0) << wrong;
  }
  setenv("HYADES_REPORT", ("@" + std::string(500, 'a')).c_str(), 1);
  EXPECT_EQ(send_report("a=1"), EINVAL);
  const std::string name = socket_.name();
  socket_ = ReportSocket();
  setenv("HYADES_REPORT", name.c_str(), 1);
  EXPECT_EQ(send_report("a=1", 100), ECONNREFUSED);
}

TEST(ReportSocketAlone, WithoutASocketNothingComes) {
  const NoDescriptors none;
  ReportSocket socket;
  EXPECT_FALSE(socket.open(getuid()));
  EXPECT_EQ(socket.name(), "");
  EXPECT_EQ(socket.fd(), -1);
  socket.read(1);
  socket.read_rest();
  EXPECT_TRUE(socket.report().figures().empty());
}

// ---- of a shepherd -----------------------------------------------------------------------------

class ReportingJob : public testing::Test {
 protected:
  LaunchRecord job(const std::string& script) {
    LaunchRecord record = box_.plain_record("#!/bin/sh\n" + script);
    record.environment.push_back("HREPORT=" + program_beside_me("hreport"));
    record.environment.push_back("WILD=" + program_beside_me("wild_reports"));
    record.counters_every_ms = 10;
    return record;
  }
  std::optional<ReportedFigure> live(const LaunchRecord& record, const std::string& name) {
    const auto page = read_live_page(box_.root / "spool", record.key);
    for (const ReportedFigure& figure : page ? page->ended.reported : Figures{}) {
      if (figure.name == name) return figure;
    }
    return std::nullopt;
  }
  ExitRecord end_of(const LaunchRecord& record) {
    const SpoolRecord end = box_.wait_for_end(record.key);
    EXPECT_TRUE(end.exit.has_value());
    return end.exit.value_or(ExitRecord{});
  }

  NodeBox box_;
};

TEST_F(ReportingJob, IsSeenAndItsLastWordIsKept) {
  const LaunchRecord record =
      job("$HREPORT progress=0.5 loss=0.25 || exit 1\n"
          "while [ ! -e go ]; do sleep 0.02; done\n$HREPORT progress=1 || exit 2\n");
  box_.start(record);
  EXPECT_TRUE(wait_until([&] { return live(record, "progress").has_value(); }));
  EXPECT_EQ(live(record, "progress"), (ReportedFigure{"progress", 0.5}));
  std::ofstream(box_.root / "go").flush();
  const ExitRecord exit = end_of(record);
  EXPECT_EQ(exit.exit_code, 0) << box_.output();
  // Its last word came right before its end.
  EXPECT_EQ(exit.usage.reported, (Figures{{"progress", 1}, {"loss", 0.25}}));
}

TEST_F(ReportingJob, FindsItsOwnSocketAndNoOther) {
  LaunchRecord record = job("tr '\\0' '\\n' </proc/$$/environ | grep ^HYADES_REPORT=\n");
  record.environment.push_back("HYADES_REPORT=@another");
  box_.start(record);
  end_of(record);
  const std::string found = box_.output();
  EXPECT_TRUE(found.starts_with("HYADES_REPORT=@")) << found;
  EXPECT_EQ(found.find('\n'), found.size() - 1) << found;
  EXPECT_EQ(found.find("another"), std::string::npos) << found;
}

// While the socket is left alone for a moment, and the job ends.
TEST_F(ReportingJob, ALastWordBehindAFloodIsKept) {
  const LaunchRecord record = job("$WILD burst\nuntil $HREPORT last=1; do :; done\n");
  box_.start(record);
  const ExitRecord exit = end_of(record);
  EXPECT_EQ(exit.exit_code, 0) << box_.output();
  EXPECT_EQ(exit.usage.reported, (Figures{{"burst", 1}, {"last", 1}}));
}

TEST_F(ReportingJob, AFloodKeepsNobodyFromItsTimeLimit) {
  LaunchRecord record = job("for i in 1 2 3; do $WILD flood & done\ntouch begun\nwait\n");
  record.time_limit_s = 2;
  box_.start(record);
  box_.wait_for_file("begun");
  const ExitRecord exit = end_of(record);
  EXPECT_EQ(exit.stopped, StopReason::TimeLimit);
  EXPECT_FALSE(exit.usage.reported.empty());
}

TEST_F(ReportingJob, MayTalkNonsense) {
  const LaunchRecord record = job("$HREPORT loss=1 && exec $WILD nonsense\n");
  box_.start(record);
  const ExitRecord exit = end_of(record);
  EXPECT_EQ(exit.exit_code, 0) << box_.output();
  EXPECT_EQ(exit.usage.reported, (Figures{{"loss", 2}}));
  EXPECT_GT(exit.usage.refused_reports, 0);
}

}  // namespace
}  // namespace hyades
