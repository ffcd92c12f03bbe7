// A cluster that listens, and the commands as users of a login node run them: over TCP, with MUNGE
// (reliability table: S05, S22, F52).
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster.hpp"
#include "munge_daemon.hpp"
#include "wait_until.hpp"
#include "wire/client_connection.hpp"
#include "wire/codec.hpp"
#include "wire/unique_fd.hpp"

namespace hyades::test {
namespace {

constexpr uid_t kNobody = 65534;
constexpr uid_t kOther = 1;  // daemon, whom every host knows

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int free_port() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    ADD_FAILURE() << "no free port";
  }
  return ntohs(address.sin_port);
}

class LoginNode : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed("munged")) GTEST_SKIP() << "munged is not installed (package munge)";
    if (geteuid() != 0) GTEST_SKIP() << "only root can be several users";
    const std::string key = some_key();
    head_ = std::make_unique<MungeDaemon>(key);
    login_ = std::make_unique<MungeDaemon>(key);
    place_ = "127.0.0.1:" + std::to_string(free_port());
    cluster_ = std::make_unique<Cluster>(ClusterOptions{.nodes = 1,
                                                        .config = "[security]\nlisten = \"" +
                                                                  place_ + "\"\nmunge_socket = \"" +
                                                                  head_->socket() + "\"\n"});
    chmod(cluster_->work().c_str(), 01777);
    chmod((cluster_->work() + "/..").c_str(), 0755);
    cluster_->must_up();
  }

  // A command of this user, on a host that has no state directory.
  CommandResult as(uid_t uid, std::vector<std::string> words,
                   std::map<std::string, std::string> more = {}) {
    std::vector<std::string> line{"setpriv",
                                  "--reuid=" + std::to_string(uid),
                                  "--regid=" + std::to_string(uid),
                                  "--clear-groups",
                                  "--",
                                  program(words.front())};
    line.insert(line.end(), words.begin() + 1, words.end());
    std::map<std::string, std::string> environment{{"HYADES_MASTER", place_},
                                                   {"HYADES_DIR", "/nonexistent"},
                                                   {"HYADES_MUNGE_SOCKET", login_->socket()}};
    for (const auto& [name, value] : more) environment[name] = value;
    return run_command(line, {.environment = environment, .directory = cluster_->work()});
  }
  std::string submit(uid_t uid) {
    const CommandResult result = as(uid, {"hsub", "--parsable", "--hold", "--wrap", "true"});
    EXPECT_TRUE(result.good()) << result.text() << cluster_->log();
    return result.out.substr(0, result.out.find('\n'));
  }

  std::unique_ptr<MungeDaemon> head_;
  std::unique_ptr<MungeDaemon> login_;
  std::string place_;
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(LoginNode, EveryCommandWorksAndKnowsWhoAsks) {
  const std::string mine = submit(kNobody);
  const std::string theirs = submit(kOther);
  const Json job = cluster_->job(std::stoull(theirs));
  EXPECT_EQ(job.value("uid", 0u), kOther) << job.dump(2);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"hstat"}, {"hinfo"}, {"hinfo", "--health"}, {"hacct"}, {"hctl", "release", mine}}) {
    const CommandResult result = as(kNobody, words);
    EXPECT_TRUE(result.good()) << words.front() << ": " << result.text();
  }
  const CommandResult denied = as(kNobody, {"hcancel", theirs});
  EXPECT_FALSE(denied.good()) << denied.text();
  EXPECT_TRUE(as(kOther, {"hcancel", theirs}).good());
  for (const std::string& id : {mine, theirs}) {
    const CommandResult waited = as(kNobody, {"hwait", "--timeout", "60", id});
    EXPECT_FALSE(waited.timed_out || waited.exit_code == 124) << waited.text();
  }
  EXPECT_TRUE(contains(cluster_->log(), "uid 65534 from 127.0.0.1: submit job " + mine + ": ok"));
  EXPECT_TRUE(contains(cluster_->log(), "uid 65534 from 127.0.0.1: cancel job " + theirs));
  EXPECT_TRUE(contains(cluster_->log(), "uid 1 from 127.0.0.1: cancel job " + theirs + ": ok"));
}

// S05: the body says that it is root's.
TEST_F(LoginNode, TheBodyDoesNotSayWhoAsks) {
  pb::ClientRequest request;
  pb::Submit& submit = *request.mutable_submit();
  JobSpec spec{.name = "forged", .user = "root", .uid = 0, .gid = 0, .hold = true};
  to_pb(spec, *submit.mutable_spec());
  to_pb(JobPayload{.script = "#!/bin/sh\n", .working_directory = "/"}, *submit.mutable_payload());
  submit.set_token("forged");
  setenv("HYADES_MUNGE_SOCKET", login_->socket().c_str(), 1);
  ASSERT_EQ(seteuid(kNobody), 0);  // MUNGE asks the kernel who connects to it
  pb::ClientReply reply;
  std::string error;
  ClientConnection connection({"", place_});
  const CallResult result = connection.call(request, reply, 30'000, error);
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_EQ(result, CallResult::Ok) << error;
  ASSERT_NE(reply.job(), 0u) << reply.message();
  EXPECT_EQ(cluster_->job(reply.job()).value("uid", 0u), kNobody);
}

TEST_F(LoginNode, WhatIsWrongOnTheLoginNodeIsSaid) {
  const CommandResult no_daemon = as(kNobody, {"hstat"}, {{"HYADES_MUNGE_SOCKET", "/nonexistent"}});
  EXPECT_TRUE(contains(no_daemon.err, "no answer from the MUNGE daemon at /nonexistent"))
      << no_daemon.text();
  MungeDaemon stranger(some_key());
  const CommandResult key = as(kNobody, {"hstat"}, {{"HYADES_MUNGE_SOCKET", stranger.socket()}});
  EXPECT_TRUE(contains(key.err, "have the same MUNGE key?")) << key.text();
  const std::string closed = "127.0.0.1:" + std::to_string(free_port());
  const CommandResult nobody = as(kNobody, {"hstat", "--master", closed, "--retry-for", "0"});
  EXPECT_TRUE(contains(nobody.err, "Nobody listens at " + closed)) << nobody.text();
  const CommandResult nonsense = as(kNobody, {"hstat", "--master", "head"});
  EXPECT_TRUE(contains(nonsense.err, "'head' does not say where the master is")) << nonsense.text();
  EXPECT_FALSE(no_daemon.good() || key.good() || nobody.good() || nonsense.good());
}

// The master's daemon hangs, then is dead: only those who need it are turned away.
TEST_F(LoginNode, WithoutMungeOnTheHeadTheUnixSocketServes) {
  head_->freeze();
  const CommandResult hanging = as(kNobody, {"hstat"});
  EXPECT_TRUE(
      contains(hanging.err, "On the master's host: The MUNGE daemon does not answer in time"))
      << hanging.text();
  EXPECT_TRUE(cluster_->run({"hstat"}).good());
  head_->thaw();
  head_->end();
  const CommandResult dead = as(kNobody, {"hstat"});
  EXPECT_TRUE(contains(dead.err,
                       place_ + ": On the master's host: There is no answer from the MUNGE daemon"))
      << dead.text();
  EXPECT_TRUE(cluster_->run({"hstat"}).good());
  head_->must_start();
  EXPECT_TRUE(as(kNobody, {"hstat"}).good());
  login_->freeze();
  const CommandResult here = as(kNobody, {"hstat"});
  login_->thaw();
  EXPECT_TRUE(contains(here.err, "The MUNGE daemon of this host does not answer")) << here.text();
}

// A cluster that works is not given up for it, nor is anybody let in.
TEST_F(LoginNode, AMasterThatIsStartedAgainServesBeforeMungeIsBack) {
  const std::string job = submit(kNobody);
  head_->end();
  const pid_t master = cluster_->pid_of("master_pid");
  ASSERT_EQ(kill(master, SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] {
    const pid_t now = cluster_->pid_of("master_pid");
    return now != 0 && now != master;
  }));
  EXPECT_TRUE(contains(cluster_->run({"hstat", job}).out, job)) << cluster_->log();
  const CommandResult nobody = as(kNobody, {"hstat", "--retry-for", "0"});
  EXPECT_TRUE(contains(nobody.err, "There is no answer from the MUNGE daemon")) << nobody.text();
  EXPECT_TRUE(contains(cluster_->log(), "nobody can come before MUNGE works again"));
  head_->must_start();
  EXPECT_TRUE(contains(as(kNobody, {"hstat", job}).out, job));
}

TEST(LoginNodeWithoutMunge, TheClusterDoesNotStart) {
  Cluster cluster(
      {.nodes = 1,
       .config = "[security]\nlisten = [\":16710\"]\nmunge_socket = \"/nonexistent/socket\"\n"});
  const CommandResult result = cluster.up();
  EXPECT_FALSE(result.good());
  EXPECT_TRUE(contains(result.err + result.out, "listen needs a working MUNGE")) << result.text();
}

}  // namespace
}  // namespace hyades::test
