// Who comes over the network is who MUNGE says, and only for the request that was meant
// (reliability table: S01, S02, S03, S05, S22, S25, S26, S27, F52).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "login_box.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr uid_t kAda = 65534;
constexpr uid_t kBob = 12345;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class NetworkLogin : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed("munged")) GTEST_SKIP() << "munged is not installed (package munge)";
    if (geteuid() != 0) GTEST_SKIP() << "only root can make credentials of other users";
    munge_ = std::make_unique<MungeDaemon>(key_);
    box_ = std::make_unique<LoginBox>(munge_->socket());
    ASSERT_EQ(box_->open(), "");
  }
  void TearDown() override {
    // Whatever a test sends: nothing but what it expects has come in.
    if (box_) {
      EXPECT_EQ(box_->requests.size(), expected_requests_);
    }
  }

  std::string credential(const pb::Greeting& hello, const std::string& payload, uid_t uid = kAda) {
    return credential_of(uid, payload, hello.uid(), munge_->socket());
  }
  // What the master says to this credential on a new connection.
  std::string answer_to(const std::string& credential) {
    RawLogin client(*box_);
    client.greeting();
    client.say(FrameType::Credential, credential);
    return client.refusal();
  }
  // The log's last line says that somebody was refused, and why.
  void expect_logged(const std::string& why) {
    ASSERT_FALSE(box_->log.empty());
    EXPECT_TRUE(contains(box_->log.back(), "127.0.0.1: refused: ")) << box_->log.back();
    EXPECT_TRUE(contains(box_->log.back(), why)) << box_->log.back();
  }
  // Hands a request in; the master has it afterwards.
  void must_arrive(RawLogin& client, const std::string& request) {
    client.say(FrameType::Request, request);
    ++expected_requests_;
    ASSERT_TRUE(wait_until([&] {
      box_->poll();
      return box_->requests.size() == expected_requests_;
    }));
  }

  std::string key_ = some_key();
  std::unique_ptr<MungeDaemon> munge_;
  std::unique_ptr<LoginBox> box_;
  std::size_t expected_requests_ = 0;
};

// ---- what works -------------------------------------------------------------------------------

TEST_F(NetworkLogin, TwoUsersAreWhoMungeSaysRequestAfterRequest) {
  RawLogin ada(*box_);
  RawLogin bob(*box_);
  for (int i = 0; i < 3; ++i) {
    for (const auto& [client, uid] : {std::pair{&ada, kAda}, std::pair{&bob, kBob}}) {
      ASSERT_TRUE(client->log_in(uid, status_request(), munge_->socket()));
      must_arrive(*client, status_request());
      EXPECT_EQ(box_->requests.back().uid, uid);
      pb::ClientReply reply;
      reply.set_message("fine");
      box_->server().reply(box_->requests.back().id, reply);
      EXPECT_EQ(client->hear().type, FrameType::Reply);
    }
  }
  ASSERT_EQ(box_->log.size(), 6u);
  EXPECT_EQ(box_->log[0], "uid 65534 from 127.0.0.1: show_status: ok");
  EXPECT_EQ(box_->log[1], "uid 12345 from 127.0.0.1: show_status: ok");
}

TEST_F(NetworkLogin, TheMasterProvesThatItReadTheCredential) {
  RawLogin client(*box_);
  const pb::Greeting hello = client.greeting();
  client.say(FrameType::Credential, credential(hello, payload_for(hello, status_request())));
  EXPECT_EQ(client.hear().body, std::string(kSecretBytes, 's'));
}

// ---- S01: a credential for something else ------------------------------------------------------

TEST_F(NetworkLogin, ACredentialOfAnotherServiceIsRefused) {
  for (const std::string payload :
       {"", "x", "Hyades request 1\n", "some other service's request"}) {
    EXPECT_TRUE(contains(answer_to(credential_of(kAda, payload, geteuid(), munge_->socket())),
                         "was not made for Hyades"));
    expect_logged("User 65534's credential was not made for Hyades");
  }
}

TEST_F(NetworkLogin, ACredentialForAnotherBodyClusterOrReaderIsRefused) {
  RawLogin client(*box_);
  ASSERT_TRUE(client.log_in(kAda, "another body", munge_->socket()));
  client.say(FrameType::Request, status_request());
  EXPECT_TRUE(contains(client.refusal(), "is not the one of its credential"));
  expect_logged("is not the one of its credential");

  RawLogin elsewhere(*box_);
  pb::Greeting hello = elsewhere.greeting();
  hello.set_cluster("test2");
  elsewhere.say(FrameType::Credential, credential(hello, payload_for(hello, status_request())));
  EXPECT_TRUE(contains(elsewhere.refusal(), "for another cluster"));

  RawLogin open_to_all(*box_);
  hello = open_to_all.greeting();
  open_to_all.say(FrameType::Credential, credential_of(kAda, payload_for(hello, status_request()),
                                                       static_cast<uid_t>(-1), munge_->socket()));
  EXPECT_TRUE(contains(open_to_all.refusal(), "for this master's user alone"));

  RawLogin for_bob(*box_);
  hello = for_bob.greeting();
  for_bob.say(FrameType::Credential,
              credential_of(kAda, payload_for(hello, status_request()), kBob, munge_->socket()));
  EXPECT_TRUE(contains(for_bob.refusal(), "for another user"));
}

TEST_F(NetworkLogin, AConnectionIsOneUsers) {
  RawLogin client(*box_);
  ASSERT_TRUE(client.log_in(kAda, status_request(), munge_->socket()));
  must_arrive(client, status_request());
  box_->server().reply(box_->requests.back().id, pb::ClientReply());
  client.hear();
  const pb::Greeting hello = client.greeting();
  client.say(FrameType::Credential, credential(hello, payload_for(hello, status_request()), kBob));
  EXPECT_TRUE(contains(client.refusal(), "on a connection of user 65534"));
}

// ---- S02: the same again -----------------------------------------------------------------------

TEST_F(NetworkLogin, TheSameFrameTwiceIsRefusedEverywhere) {
  RawLogin client(*box_);
  const pb::Greeting hello = client.greeting();
  const std::string used = credential(hello, payload_for(hello, status_request()));
  client.say(FrameType::Credential, used);
  ASSERT_EQ(client.hear().type, FrameType::Proceed);
  must_arrive(client, status_request());
  box_->server().reply(box_->requests.back().id, pb::ClientReply());
  client.hear();
  client.greeting();
  client.say(FrameType::Credential, used);
  EXPECT_TRUE(contains(client.refusal(), "used before (replayed)"));
  expect_logged("replayed");
  EXPECT_TRUE(contains(answer_to(used), "used before (replayed)"));

  // The daemon keeps what it has seen in memory only.
  munge_->end();
  munge_->must_start();
  EXPECT_TRUE(contains(answer_to(used), "its nonce is another"));
  expect_logged("its nonce is another");
}

TEST_F(NetworkLogin, AFrameForOneMasterIsWorthNothingAtAnother) {
  MungeDaemon other_host(key_);
  LoginBox other(other_host.socket());
  ASSERT_EQ(other.open(), "");
  RawLogin client(*box_);
  const pb::Greeting hello = client.greeting();
  RawLogin thief(other);
  thief.greeting();
  thief.say(FrameType::Credential, credential(hello, payload_for(hello, status_request())));
  EXPECT_TRUE(contains(thief.refusal(), "its nonce is another"));
  EXPECT_TRUE(other.requests.empty());
}

// ---- S03, S05, S26: what is sent ---------------------------------------------------------------

TEST_F(NetworkLogin, BytesTooManyOrTooFewAreRefused) {
  const std::string request = status_request();
  for (const std::size_t more : {1u, 2u, 16u, 100u}) {
    RawLogin client(*box_);
    ASSERT_TRUE(client.log_in(kAda, request, munge_->socket()));
    client.say(make_frame(FrameType::Request, request) + std::string(more, 'x'));
    EXPECT_TRUE(contains(client.refusal(), "followed by bytes that are not part of it"));
  }
  for (std::size_t length = 0; length < request.size(); ++length) {
    RawLogin client(*box_);
    ASSERT_TRUE(client.log_in(kAda, request, munge_->socket()));
    client.say(FrameType::Request, request.substr(0, length));
    EXPECT_TRUE(contains(client.refusal(), "is not the one of its credential"));
  }
}

TEST_F(NetworkLogin, ACredentialCutAnywhereIsRefused) {
  RawLogin first(*box_);
  const pb::Greeting hello = first.greeting();
  const std::string whole = credential(hello, payload_for(hello, status_request()));
  for (std::size_t length = 0; length < whole.size() - 1; length += 7) {
    EXPECT_NE(answer_to(whole.substr(0, length)), "");
  }
  EXPECT_NE(answer_to(whole + whole), "");
  EXPECT_NE(answer_to(std::string(100, '\0')), "");
}

TEST_F(NetworkLogin, StrangersMaySendLittleAndNotForLong) {
  RawLogin talker(*box_);
  talker.greeting();
  talker.say(make_frame(FrameType::Credential, std::string(kCredentialBytesMax + 1, 'x'))
                 .substr(0, kFrameHeaderBytes));
  EXPECT_TRUE(contains(talker.refusal(), "at most 4096 are allowed"));

  RawLogin hasty(*box_);
  hasty.greeting();
  hasty.say(FrameType::Request, status_request());
  EXPECT_TRUE(contains(hasty.refusal(), "not a Hyades request"));

  RawLogin silent(*box_);
  silent.greeting();
  box_->poll(5'100);
  EXPECT_TRUE(contains(silent.refusal(), "took too long to show who you are"));
}

TEST_F(NetworkLogin, OneAddressHasNoMoreThanSoManyStrangers) {
  std::vector<std::unique_ptr<RawLogin>> clients;
  for (int i = 0; i < box_->options.strangers_per_address; ++i) {
    clients.push_back(std::make_unique<RawLogin>(*box_));
    clients.back()->greeting();
  }
  RawLogin surplus(*box_);
  EXPECT_TRUE(contains(surplus.refusal(), "Too many clients of 127.0.0.1"));
  clients.pop_back();
  ASSERT_TRUE(wait_until([&] {
    box_->poll();
    return box_->server().connections() == clients.size();
  }));
  RawLogin next(*box_);
  next.greeting();
}

TEST_F(NetworkLogin, StrangersDoNotFillTheLog) {
  box_->poll();
  box_->stop_clock();
  for (int i = 0; i < 50; ++i) answer_to("nonsense");
  EXPECT_EQ(box_->log.size(), 20u);
  box_->poll(600);
  ASSERT_EQ(box_->log.size(), 21u);
  EXPECT_EQ(box_->log.back(), "30 more were refused before they had shown who they are");
}

TEST_F(NetworkLogin, IdleConnectionsEnd) {
  RawLogin client(*box_);
  ASSERT_TRUE(client.log_in(kAda, status_request(), munge_->socket()));
  must_arrive(client, status_request());
  box_->poll(60'000);  // it waits for us, not we for it
  box_->server().reply(box_->requests.back().id, pb::ClientReply());
  EXPECT_EQ(client.hear().type, FrameType::Reply);
  client.greeting();
  box_->poll(30'100);
  EXPECT_TRUE(client.hung_up());
}

// ---- S25: one user's cluster -------------------------------------------------------------------

// An effective uid for as long as this lives; of root alone.
class ActingAs {
 public:
  explicit ActingAs(uid_t uid) { EXPECT_EQ(seteuid(uid), 0); }
  ~ActingAs() { EXPECT_EQ(seteuid(0), 0); }
};

TEST_F(NetworkLogin, AClusterOfOneUserServesNobodyElse) {
  const ActingAs ada(kAda);
  if (eaccess(HYADES_MUNGE_HELPER, X_OK) != 0) GTEST_SKIP() << "built where others cannot look";
  LoginBox own(munge_->socket(), false);
  ASSERT_EQ(own.open(), "");
  RawLogin bob(own);
  const pb::Greeting hello = bob.greeting();
  EXPECT_EQ(hello.uid(), kAda);
  bob.say(FrameType::Credential, credential(hello, payload_for(hello, status_request()), kBob));
  EXPECT_TRUE(contains(bob.refusal(), "serves user 65534 alone"));
  RawLogin herself(own);
  EXPECT_TRUE(herself.log_in(kAda, status_request(), munge_->socket()));
}

// ---- S22: no MUNGE, no port --------------------------------------------------------------------

TEST_F(NetworkLogin, WithoutMungeThereIsNoListening) {
  LoginBox other("/nonexistent/munge.socket");
  const std::string why = other.open();
  EXPECT_TRUE(contains(why, "listen needs a working MUNGE")) << why;
  EXPECT_TRUE(contains(why, "/nonexistent/munge.socket")) << why;
  EXPECT_TRUE(contains(why, "Start munged")) << why;
  other.options.munge = {.program = "/nonexistent/hyades-munge", .timeout_ms = 100};
  EXPECT_TRUE(contains(other.open(), "Cannot run /nonexistent/hyades-munge"));
  other.options.listen.clear();
  EXPECT_EQ(other.open(), "");
}

// ---- S27: clocks --------------------------------------------------------------------------------

TEST_F(NetworkLogin, ClocksThatDifferAreNamed) {
  if (!is_installed("faketime")) GTEST_SKIP() << "faketime is not installed (package faketime)";
  for (const auto& [off, word] : {std::pair{"+600s", "has expired: check the clocks"},
                                  std::pair{"-600s", "is rewound (made in the future): check"}}) {
    MungeDaemon master_host(key_, off);
    LoginBox box(master_host.socket());
    ASSERT_EQ(box.open(), "");
    RawLogin client(box);
    const pb::Greeting hello = client.greeting();
    client.say(FrameType::Credential, credential(hello, payload_for(hello, status_request())));
    const std::string said = client.refusal();
    EXPECT_TRUE(contains(said, word)) << said;
  }
}

TEST_F(NetworkLogin, AnotherKeyIsNamed) {
  MungeDaemon stranger(some_key());
  RawLogin client(*box_);
  const pb::Greeting hello = client.greeting();
  client.say(FrameType::Credential, credential_of(kAda, payload_for(hello, status_request()),
                                                  hello.uid(), stranger.socket()));
  EXPECT_TRUE(contains(client.refusal(), "the same MUNGE key?"));
}

// ---- S29: what passes through the helper -------------------------------------------------------

// In a process that is an ordinary user, as its helper is then. 0, or which step went wrong.
int look_into_ones_own_helper(const std::string& munge_socket) {
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = core.rlim_max;  // a machine on which programs dump core
  if (setrlimit(RLIMIT_CORE, &core) != 0 || setresgid(kAda, kAda, kAda) != 0 ||
      setresuid(kAda, kAda, kAda) != 0) {
    return 1;
  }
  prctl(PR_SET_DUMPABLE, 1);  // or /proc would hide our children from us
  CredentialChecker checker({.program = HYADES_MUNGE_HELPER, .socket = munge_socket});
  if (!checker.try_out().empty()) return 2;
  const auto read_all = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string self = std::to_string(getpid());
  const std::string helper = read_all("/proc/" + self + "/task/" + self + "/children");
  if (helper.empty()) return 3;
  const std::string proc = "/proc/" + helper.substr(0, helper.find(' '));
  if (!contains(read_all(proc + "/limits"), "Max core file size        0 ")) return 4;
  return UniqueFd(open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC)) ? 5 : 0;
}

TEST_F(NetworkLogin, TheHelpersMemoryIsNobodyElses) {
  {
    const ActingAs ada(kAda);
    if (eaccess(HYADES_MUNGE_HELPER, X_OK) != 0) GTEST_SKIP() << "built where others cannot look";
  }
  const pid_t child = fork();
  if (child == 0) _exit(look_into_ones_own_helper(munge_->socket()));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// ---- F52: the daemon hangs or is dead ----------------------------------------------------------

TEST_F(NetworkLogin, ADaemonThatHangsMakesNobodyElseWait) {
  RawLogin client(*box_);
  const pb::Greeting hello = client.greeting();
  const std::string good = credential(hello, payload_for(hello, status_request()));
  munge_->freeze();
  client.say(FrameType::Credential, good);
  for (int i = 0; i < 50; ++i) {
    const auto started = std::chrono::steady_clock::now();
    box_->poll();
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
  }
  // Fails closed when its time is over; the time of the server's clock.
  box_->poll(5'100);
  EXPECT_TRUE(contains(client.refusal(), "does not answer in time"));
  munge_->thaw();
  RawLogin next(*box_);
  EXPECT_TRUE(next.log_in(kAda, status_request(), munge_->socket()));
}

TEST_F(NetworkLogin, ADeadDaemonIsNamedAndItsReturnNoticed) {
  RawLogin client(*box_);
  const pb::Greeting hello = client.greeting();
  const std::string good = credential(hello, payload_for(hello, status_request()));
  munge_->end();
  client.say(FrameType::Credential, good);
  EXPECT_TRUE(contains(client.refusal(), "There is no answer from the MUNGE daemon"));
  munge_->must_start();
  RawLogin next(*box_);
  EXPECT_TRUE(next.log_in(kAda, status_request(), munge_->socket()));
}

}  // namespace
}  // namespace hyades::test
