// Words and paths of users where root's daemons write and expand them, one user who wants
// everything, and files that are open to others (reliability table: S18, S20, S21, S26).
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include "hyades.pb.h"
#include "two_users.hpp"
#include "wait_until.hpp"
#include "wire/client_connection.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"
#include "wire/run_directory.hpp"

namespace hyades::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class HostileWords : public TwoUsers {
 protected:
  // Past our own commands, which would not send such a thing. Returns the master's words.
  static pb::ClientReply ask(uid_t uid, const pb::ClientRequest& request) {
    pb::ClientReply reply;
    std::string error;
    EXPECT_EQ(seteuid(uid), 0);
    ClientConnection connection({cluster().directory(), ""});
    EXPECT_EQ(connection.call(request, reply, 30'000, error), CallResult::Ok) << error;
    EXPECT_EQ(seteuid(0), 0);
    return reply;
  }
  // A submission that is good as it is, and held.
  static pb::ClientRequest submission() {
    pb::ClientRequest request;
    to_pb(JobSpec{.name = "plain", .hold = true}, *request.mutable_submit()->mutable_spec());
    to_pb(JobPayload{.script = "#!/bin/sh\n", .working_directory = "/"},
          *request.mutable_submit()->mutable_payload());
    return request;
  }
};

// ---- S18: one record, one line -----------------------------------------------------------------

const std::vector<std::string> kInjections = {
    "x\n2026-01-01T00:00:00.000 master info: client: uid 0 from this host: reload: ok",
    "x\x1b[2J\x1b]0;owned\x07",
    "x\rroot",
    std::string("x\0y", 3),
    "x\xff\xfe",
    std::string(200'000, 'x')};

TEST_F(HostileWords, TheMasterTakesNoControlCharactersWhoeverSendsThem) {
  for (const std::string& bad : kInjections) {
    for (int field = 0; field < 5; ++field) {
      pb::ClientRequest request = submission();
      pb::JobSpec& spec = *request.mutable_submit()->mutable_spec();
      if (field == 0) spec.set_name(bad);
      if (field == 1) request.mutable_submit()->mutable_payload()->set_comment(bad);
      if (field == 2) spec.add_features(bad);
      if (field == 3) spec.add_node_list(bad);
      if (field == 4) spec.set_queue(bad);
      const pb::ClientReply reply = ask(kBob, request);
      EXPECT_EQ(reply.job(), 0u) << field << ' ' << bad.substr(0, 100);
      EXPECT_EQ(reply.error(), "invalid") << field << ' ' << reply.message().substr(0, 200);
    }
    pb::ClientRequest drain;
    drain.mutable_act_on_node()->set_action(pb::NODE_DRAIN);
    drain.mutable_act_on_node()->set_node("vn2");
    drain.mutable_act_on_node()->set_reason(bad);
    if (bad.size() < 1000) {
      EXPECT_EQ(ask(kOperator, drain).error(), "invalid");
    }
    drain.mutable_act_on_node()->set_reason("well");
    drain.mutable_act_on_node()->set_node(bad);
    EXPECT_NE(ask(kBob, drain).error(), "");
    EXPECT_NE(ask(kOperator, drain).error(), "");
  }
  const std::regex line("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+ (master|worker) [a-z]+: [ -~]{1,600}");
  const std::string last = "client: uid 54341 from this host: drain node last: not-found";
  pb::ClientRequest drain;
  drain.mutable_act_on_node()->set_action(pb::NODE_DRAIN);
  drain.mutable_act_on_node()->set_node("last");
  ask(kOperator, drain);
  ASSERT_TRUE(is_logged(last)) << cluster().log();
  std::string all = read_whole(cluster().directory() + "/log/cluster.log");
  all.resize(all.rfind(last));
  all.resize(all.rfind('\n') + 1);
  std::istringstream log(all);
  int lines = 0;
  for (std::string text; std::getline(log, text); ++lines) {
    EXPECT_TRUE(std::regex_match(text, line)) << text.substr(0, 500);
    EXPECT_FALSE(contains(text, "info: client: uid 0 ")) << text.substr(0, 500);
  }
  EXPECT_GT(lines, 5);
}

// Paths may hold anything; lists are one line a job all the same.
TEST_F(HostileWords, WhatGetsInIsEscapedWhereverItIsShown) {
  const std::string hostile = "/tmp/a\n77|root\x1b[2J\r";
  pb::ClientRequest request = submission();
  request.mutable_submit()->mutable_payload()->set_stdout_path(hostile);
  request.mutable_submit()->mutable_payload()->set_command_line("hsub\n99 batch root\x1b[31m");
  request.mutable_submit()->mutable_spec()->set_name("a|b");
  const std::string id = std::to_string(ask(kAda, request).job());
  ASSERT_NE(id, "0");
  const auto lines_of = [&](const std::vector<std::string>& words) {
    const CommandResult result = as(kAda, words);
    EXPECT_TRUE(result.good()) << result.text();
    for (const char c : result.out) {
      EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << words[0];
    }
    return std::count(result.out.begin(), result.out.end(), '\n');
  };
  EXPECT_EQ(lines_of({"hstat", "--no-header", id}), 1);
  EXPECT_EQ(lines_of({"hstat", "-l", "--no-header", id}), 1);
  lines_of({"hctl", "show", "job", id});
  EXPECT_EQ(as(kAda, {"hstat", "--json", id}).json()["jobs"][0]["stdout_path"], hostile);
  EXPECT_TRUE(as(kAda, {"hcancel", id}).good());
  EXPECT_EQ(lines_of({"hacct", "--no-header", "-j", id}), 1);
  EXPECT_EQ(lines_of({"hacct", "-P", "--no-header", "-j", id}), 1);
  const std::string one = as(kAda, {"hacct", "-P", "-j", id}).out;
  const std::size_t end = one.find('\n');
  EXPECT_EQ(std::count(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(end), '|'),
            std::count(one.begin() + static_cast<std::ptrdiff_t>(end), one.end(), '|'));
}

// ---- S20: paths that expand --------------------------------------------------------------------

TEST_F(HostileWords, PatternsExpandAsTheUserAndLeadNowhereElse) {
  const std::string down = cluster().path("down");
  std::filesystem::create_directory(down);
  ASSERT_EQ(chown(down.c_str(), kAda, kAda), 0);
  chmod(down.c_str(), 0755);
  for (const char* name : {"../../escape", "/etc/hyades-escape", "..", "%j/../../escape"}) {
    const CommandResult result =
        as(kAda, {"hsub", "--parsable", "-J", name, "-o", down + "/%x.out", "--wrap", "echo here"});
    if (!result.good()) continue;  // not to be had is fine, too
    cluster().must_wait(std::stoull(result.out));
  }
  for (const char* pattern : {"/etc/hyades-escape-%j", "/etc/cron.d/%x", "%j/../../../etc/%x",
                              "/%u/../etc/hyades-escape", "/root/%N"}) {
    const JobId job = must_submit(kAda, {"-J", "hyades-escape", "-o", pattern, "--wrap", "true"});
    EXPECT_EQ(cluster().must_wait(job)["state"], "LAUNCH_FAILED") << pattern;
  }
  for (const std::string directory : {"/etc", "/etc/cron.d", "/root", "/"}) {
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(directory, absent)) {
      EXPECT_FALSE(contains(entry.path().filename(), "escape")) << entry.path();
    }
  }
  // What was written is in that directory, and is the user's.
  int written = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cluster().work())) {
    struct stat facts = {};
    if (!contains(entry.path().filename(), "escape")) continue;
    ++written;
    EXPECT_EQ(entry.path().parent_path(), down) << entry.path();
    EXPECT_TRUE(lstat(entry.path().c_str(), &facts) == 0 && facts.st_uid == kAda) << entry.path();
  }
  EXPECT_GT(written, 0);
}

// ---- S26: one user who wants everything --------------------------------------------------------

// A process of bob's for as long as it lives.
class Attacker {
 public:
  explicit Attacker(const std::function<void()>& what) : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const uid_t uid = TwoUsers::kBob;
    if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
      _exit(125);
    }
    what();
    while (true) pause();
  }
  ~Attacker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

int connect_to(const std::string& state_directory) {
  const UniqueFd directory(open_run_directory(state_directory));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = client_socket_address(directory.get());
  connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return fd;
}

void say(int fd, std::string_view bytes) {
  if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
}

TEST_F(HostileWords, AUserWhoWantsEverythingLeavesRoomForAnother) {
  const std::string state = cluster().directory();
  const std::string frame = make_frame(FrameType::Request, submission().SerializeAsString());
  const std::string over = cluster().path("over-the-limit");
  // As many connections as there may be, each with a request of which a byte comes now and then.
  const Attacker slow([&] {
    std::vector<int> all;
    for (int i = 0; i < 600; ++i) {
      const int fd = connect_to(state);
      say(fd, frame.substr(0, 17));
      all.push_back(fd);
    }
    char answer[512] = "";
    if (recv(all.back(), answer, sizeof answer, 0) > 16) std::ofstream(over) << answer + 16;
    for (std::size_t at = 17; at < frame.size(); ++at) {
      poll(nullptr, 0, 1000);
      for (const int fd : all) say(fd, frame.substr(at, 1));
    }
  });
  // bob is full now: who comes for him next is told which limit it is.
  ASSERT_TRUE(wait_until([&] { return !read_whole(over).empty(); }));
  EXPECT_TRUE(contains(read_whole(over), "User 54322 has 256 connections")) << read_whole(over);
  EXPECT_TRUE(contains(as(kBob, {"hstat", "--retry-for", "0"}).err, "which is the limit"));
  const Attacker noise([&] {
    const std::string rubbish(1 << 16, '\xa5');
    while (true) {
      const int fd = connect_to(state);
      say(fd, rubbish);
      close(fd);
    }
  });
  std::vector<double> took;
  for (int i = 0; i < 200; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NE(ask(kAda, submission()).job(), 0u);
    took.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::sort(took.begin(), took.end());
  // Never judged.
  std::cout << "[     COST ] a submission beside 256 half-open connections and noise of one user: "
            << took[took.size() / 2] << " ms, p99 " << took[took.size() * 99 / 100] << " ms\n";
  EXPECT_TRUE(as(kAda, {"hcancel", "--me"}).good());
}

TEST_F(HostileWords, AUserHasNoMoreJobsQueuedThanTheQueueAllows) {
  // An earlier test's connections may still be there for a moment.
  ASSERT_TRUE(wait_until([] { return as(kBob, {"hstat"}).good(); }));
  for (int i = 0; i < 3; ++i) must_submit(kBob, {"-p", "small", "--hold", "--wrap", "true"});
  const CommandResult fourth = as(kBob, {"hsub", "-p", "small", "--hold", "--wrap", "true"});
  EXPECT_TRUE(contains(fourth.err, "queue 'small' allows queued jobs a user up to 3"))
      << fourth.text();
  must_submit(kAda, {"-p", "small", "--hold", "--wrap", "true"});
  for (const uid_t uid : {kAda, kBob}) EXPECT_TRUE(as(uid, {"hcancel", "--me"}).good());
}

// ---- S21: what is open to others ---------------------------------------------------------------

// Who can read a file can lock it.
TEST_F(HostileWords, NoFileOfTheDaemonsIsForOthersToReadOrWrite) {
  const JobId job = must_run("files");
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cluster().directory())) {
    const std::string path = entry.path();
    const std::string name = entry.path().filename();
    const bool for_all = name == "hyades.toml" || name == "world" || name == "hyades.sock";
    ++files;
    const auto write_it = [&] { return access(path.c_str(), W_OK) == 0 ? 1 : 0; };
    const auto read_it = [&] {
      return !entry.is_directory() && open(path.c_str(), O_RDONLY | O_NONBLOCK) >= 0 ? 1 : 0;
    };
    for (const uid_t uid : {kBob, kOperator}) {
      EXPECT_TRUE(for_all || as_user(uid, read_it) == 0) << path;
      EXPECT_TRUE(name == "hyades.sock" || as_user(uid, write_it) == 0) << path;
    }
  }
  EXPECT_GT(files, 20);
  let_end(job, "files");
}

TEST_F(HostileWords, WhatOthersCouldChangeKeepsAClusterFromStarting) {
  const std::string state = cluster().directory();
  const std::string config = state + "/hyades.toml";
  cluster().must_down();
  const auto refusal = [&](const std::string& path, uid_t owner, mode_t mode) {
    struct stat before = {};
    EXPECT_EQ(stat(path.c_str(), &before), 0) << path;
    EXPECT_EQ(chown(path.c_str(), owner, before.st_gid), 0);
    chmod(path.c_str(), mode);
    const CommandResult result = cluster().up();
    EXPECT_FALSE(result.good()) << path;
    EXPECT_TRUE(contains(result.text(), path)) << path << ": " << result.text();
    EXPECT_EQ(chown(path.c_str(), before.st_uid, before.st_gid), 0);
    chmod(path.c_str(), before.st_mode & 07777);
  };
  refusal(config, 0, 0666);
  refusal(config, kBob, 0644);
  refusal(state, kBob, 0711);
  refusal(state, kDaemon, 0777);
  refusal(state + "/queue.db", kDaemon, 0666);
  refusal(state + "/queue.db", kBob, 0600);
  refusal(state + "/spool/vn1", kDaemon, 0777);
  refusal(state + "/spool/vn1", kBob, 0711);
  refusal("/run/hyades", kBob, 0755);
  refusal("/run/hyades", 0, 0777);
  // mpirun's files have names that everybody can guess: they go where nobody can plant a link.
  std::filesystem::rename("/run/hyades", "/run/aside");
  std::filesystem::create_directory_symlink(cluster().work(), "/run/hyades");
  EXPECT_FALSE(cluster().up().good());
  std::filesystem::remove("/run/hyades");
  std::filesystem::rename("/run/aside", "/run/hyades");
  cluster().must_up();
}

}  // namespace
}  // namespace hyades::test
