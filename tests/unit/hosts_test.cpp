// A cluster's machines before any of them is touched: the host file, what probes say, when a host
// is asked and when the world is formed anew for it, and what mpirun is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "master/host_probe.hpp"
#include "master/host_table.hpp"
#include "master/hostfile.hpp"
#include "master/launch_agent.hpp"
#include "master/mpirun_command.hpp"
#include "master/remote_words.hpp"

namespace hyades {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- the host file ----------------------------------------------------------------------------

TEST(Hostfile, NamesRangesAndAddresses) {
  const HostfileResult result = parse_hostfile(
      "# ours\n\nn[08-10]  # three\n  big address=10.0.0.7\nv6 address=fe80::1%eth0\n", "F");
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_THAT(result.hosts,
              ElementsAre(HostEntry{"n08", "n08"}, HostEntry{"n09", "n09"}, HostEntry{"n10", "n10"},
                          HostEntry{"big", "10.0.0.7"}, HostEntry{"v6", "fe80::1%eth0"}));
}

TEST(Hostfile, MistakesNameTheirLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "F:1: no host is named"},
      {"# nothing\n", "F:2: no host is named"},
      {"n1\nn[1-\n", "F:2: "},
      {"-oProxyCommand=x\n", "F:1: "},
      {"n1;b\n", "F:1: "},
      {"n1\nn2\nn1\n", "F:3: host 'n1' is named twice; the first is in line 1"},
      {"n[1-2] address=x\n", "F:1: address= belongs to one host, but 'n[1-2]' stands for 2"},
      {"n1 adress=x\n", "F:1: 'adress=x' is not understood; did you mean address=?"},
      {"n1 slots=4\n", "F:1: 'slots=4': how many cores a host has Hyades finds out itself"},
      {"n1\nn2 address=x max_slots=\n", "F:2: 'max_slots=': how many cores"},
      {"n1 cores\n", "F:1: 'cores' is not understood"},
      {"n1 address=-oProxyCommand\n", "F:1: 'address=-oProxyCommand': an address is"},
      {"n1 address=a;b\n", "F:1: 'address=a;b': an address is"},
      {"n1 address=\n", "F:1: 'address=': an address is"},
  };
  for (const auto& [text, expected] : cases) {
    const HostfileResult result = parse_hostfile(text, "F");
    ASSERT_EQ(result.errors.size(), 1u) << text;
    EXPECT_THAT(result.errors[0], HasSubstr(expected)) << text;
    EXPECT_THAT(result.hosts, IsEmpty()) << text;
  }
}

TEST(Hostfile, AMissingFileIsNamed) {
  const HostfileResult result = load_hostfile("/no/such/file");
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0],
            "/no/such/file: cannot read the host file: No such file or directory");
}

// ---- the launch agent -------------------------------------------------------------------------

TEST(LaunchAgent, HandsOverOneStringForTheShell) {
  const LaunchAgent agent("  srsh -p 22 ");
  EXPECT_THAT(agent.command("n1", {"/opt/hy/check", "it's", "a b", ""}),
              ElementsAre("srsh", "-p", "22", "n1", "/opt/hy/check 'it'\\''s' 'a b' ''"));
  EXPECT_EQ(LaunchAgent("").name(), "ssh");
}

TEST(RemotePlace, SurvivesTheEnvironment) {
  const RemotePlace place{"/p/remote", "srsh -x", "/var/spool", "/dev/shm/x",
                          "hyades",    "n1 a\n",  "/f"};
  const auto environment = place.environment();
  const RemotePlace again =
      RemotePlace::from_environment([&](const char* name) { return environment.at(name); });
  EXPECT_EQ(again.environment(), environment);
  EXPECT_THAT(again.words("start", "n1"),
              ElementsAre("/p/remote", "start", "--node=n1", "--spool=/var/spool",
                          "--shm=/dev/shm/x", "--user=hyades"));
}

// ---- what probes say --------------------------------------------------------------------------

ProbeResult probe(int code, const std::string& out, const std::string& err) {
  return read_probe(code, out, err, "1.2.3", "/opt/hyades-remote");
}

TEST(Probe, AGoodAnswer) {
  const ProbeResult result = probe(0, "Welcome!\nhyades-node version=1.2.3 served=0\n", "motd\n");
  EXPECT_TRUE(result.good);
  EXPECT_FALSE(result.served);
  EXPECT_EQ(result.why, "");
  EXPECT_EQ(result.progress, 0);
  EXPECT_TRUE(probe(0, "hyades-node version=1.2.3 served=1\n", "").served);
  EXPECT_EQ(probe(0, "hyades-node version=1.2.3 served=0 progress=2\n", "").progress, 2);
  EXPECT_EQ(probe(0, "hyades-node version=1.2.3 served=0 machine=a/b/7\n", "").machine, "a/b/7");
}

TEST(Probe, BadAnswersSayWhatToDo) {
  const std::string fine = "hyades-node version=1.2.3 served=0\n";
  EXPECT_EQ(probe(255, "", "ssh: connect to host n1: No route to host\r\n").why,
            "does not answer: ssh: connect to host n1: No route to host");
  EXPECT_EQ(probe(124, "", "").why, "does not answer in time");
  EXPECT_EQ(probe(255, "", "").why, "does not answer (the launch agent's exit code is 255)");
  EXPECT_EQ(probe(127, "", "sh: not found").why,
            "has no /opt/hyades-remote; install the same Hyades there, at the same path: "
            "sh: not found");
  EXPECT_EQ(probe(0, "hyades-node version=1.2.4 served=0\n", "").why,
            "has Hyades 1.2.4, but this is 1.2.3; install the same there");
  EXPECT_EQ(probe(1, fine + "problem: /s is a link\n", "").why, "cannot be used: /s is a link");
  EXPECT_EQ(probe(255, "", "\x1b]0;evil\x07").why, "does not answer:  ]0;evil ");
  EXPECT_FALSE(probe(1, fine, "").good);
  EXPECT_FALSE(probe(0, "", "").good);
}

TEST(BackgroundCommand, EndsOrIsEnded) {
  const auto finish = [](BackgroundCommand& command) {
    while (!command.finished()) {
    }
    return command.exit_code();
  };
  BackgroundCommand says({"sh", "-c", "echo out; echo err >&2; exit 3"}, seconds(60));
  EXPECT_EQ(finish(says), 3);
  EXPECT_EQ(says.out(), "out\n");
  EXPECT_EQ(says.err(), "err\n");
  BackgroundCommand hangs({"sleep", "1000"}, std::chrono::milliseconds(20));
  EXPECT_EQ(finish(hangs), 124);
  BackgroundCommand missing({"/no/such/program"}, seconds(60));
  EXPECT_EQ(finish(missing), 255);
  EXPECT_THAT(missing.err(), HasSubstr("cannot run /no/such/program"));
  BackgroundCommand chatters({"head", "-c", "1000000", "/dev/zero"}, seconds(60));
  EXPECT_EQ(finish(chatters), 0);
  EXPECT_EQ(chatters.out().size(), 64u << 10);
}

// ---- when to act ------------------------------------------------------------------------------

class HostTableTest : public testing::Test {
 protected:
  static ProbeResult good() { return {.good = true}; }
  static ProbeResult silent() { return {.why = "does not answer"}; }
  static ProbeResult serving() { return {.good = true, .served = true}; }

  HostTable::Time at(int second) const { return HostTable::Time{} + seconds(1000 + second); }
  const HostTable::Host& host(const std::string& name) const { return *table_.find(name); }
  // All three in a world that is heard.
  void start() {
    for (const char* name : {"n1", "n2", "n3"}) table_.answered(name, good(), at(0));
    table_.formed({"n1", "n2", "n3"}, false, at(0));
    table_.heard({"n1", "n2", "n3"}, at(1));
  }
  // Asks whoever is due, and gets this answer.
  void answer_due(const ProbeResult& result, int second) {
    for (const std::string& name : table_.due(at(second))) {
      table_.probing(name);
      table_.answered(name, result, at(second));
    }
  }

  HostTable table_{{{"n1", "n1"}, {"n2", "n2"}, {"n3", "n3"}}};
};

TEST_F(HostTableTest, AllAreAskedAtFirstAndThoseThatAnswerAreTheWorld) {
  EXPECT_THAT(table_.due(at(0)), ElementsAre("n1", "n2", "n3"));
  table_.probing("n2");
  EXPECT_THAT(table_.due(at(0)), ElementsAre("n1", "n3"));
  EXPECT_TRUE(table_.any_probing());
  table_.answered("n3", good(), at(0));
  table_.answered("n1", good(), at(0));
  table_.answered("n2", silent(), at(3));
  EXPECT_FALSE(table_.any_probing());
  EXPECT_THAT(table_.candidates(at(5)), ElementsAre("n1", "n3"));
  EXPECT_FALSE(table_.worth_reforming(at(3))) << "there is no world yet";
  EXPECT_EQ(HostTable::state_of(host("n2")), "absent");
}

TEST_F(HostTableTest, WhoIsSilentIsAskedEverMoreRarely) {
  table_.answered("n2", silent(), at(0));
  std::vector<int> asked;
  for (int second = 1; second < 200; ++second) {
    const auto due = table_.due(at(second));
    if (std::find(due.begin(), due.end(), "n2") == due.end()) continue;
    asked.push_back(second);
    table_.answered("n2", silent(), at(second));
  }
  EXPECT_THAT(asked, ElementsAre(10, 30, 70, 130, 190));
}

TEST_F(HostTableTest, AHostThatComesIsTakenInButNotMoreOftenThanEvery30Seconds) {
  table_.answered("n1", good(), at(0));
  table_.formed({"n1"}, false, at(0));
  table_.heard({"n1"}, at(1));
  table_.answered("n2", good(), at(2));
  EXPECT_TRUE(table_.worth_reforming(at(2)));
  EXPECT_THAT(table_.candidates(at(5)), ElementsAre("n1", "n2"));
  table_.ended(at(3));
  EXPECT_THAT(table_.candidates(at(5)), ElementsAre("n1", "n2"));
  table_.formed({"n1", "n2"}, true, at(3));
  table_.heard({"n1", "n2"}, at(4));
  EXPECT_FALSE(table_.worth_reforming(at(4)));
  table_.answered("n3", good(), at(5));
  EXPECT_FALSE(table_.worth_reforming(at(32)));
  EXPECT_TRUE(table_.worth_reforming(at(33)));
  EXPECT_TRUE(table_.ask_back({}, at(6)).empty());
  EXPECT_FALSE(table_.worth_reforming(at(6))) << "its answer may be old";
  table_.answered("n3", good(), at(6));
  EXPECT_TRUE(table_.worth_reforming(at(6)));
}

TEST_F(HostTableTest, ALostWorkerIsBroughtBackAtOnce) {
  start();
  EXPECT_FALSE(table_.worth_reforming(at(100)));
  table_.heard({"n1", "n3"}, at(100));
  EXPECT_THAT(table_.due(at(100)), ElementsAre("n2"));
  table_.answered("n2", good(), at(100));
  EXPECT_TRUE(table_.worth_reforming(at(100)));
}

TEST_F(HostTableTest, ALivingWorkerMayFindBackByItself) {
  start();
  table_.heard({"n1", "n3"}, at(100));
  for (int second = 100; second < 110; ++second) answer_due(silent(), second);
  for (int second = 110; second < 140; ++second) {
    answer_due(serving(), second);
    EXPECT_FALSE(table_.worth_reforming(at(second))) << second;
  }
  for (int second = 140; second < 146; ++second) answer_due(serving(), second);
  EXPECT_TRUE(table_.worth_reforming(at(146)));
  table_.heard({"n1", "n2", "n3"}, at(147));
  EXPECT_FALSE(table_.worth_reforming(at(147)));
  EXPECT_THAT(table_.due(at(1000)), IsEmpty());
}

TEST_F(HostTableTest, WhoIsNeverHeardDisturbsEverMoreRarely) {
  for (const char* name : {"n1", "n2", "n3"}) table_.answered(name, good(), at(0));
  table_.formed({"n1", "n2", "n3"}, false, at(0));
  table_.heard({"n1", "n3"}, at(1));
  std::vector<int> reformed;
  for (int second = 2; second < 1000; ++second) {
    answer_due(good(), second);
    if (!table_.worth_reforming(at(second))) continue;
    reformed.push_back(second);
    table_.ended(at(second));
    table_.formed({"n1", "n2", "n3"}, true, at(second));
    table_.heard({"n1", "n3"}, at(second));
  }
  ASSERT_GE(reformed.size(), 4u);
  EXPECT_LE(reformed.size(), 6u);
  EXPECT_GE(reformed[0], 15) << "it has to settle first";
  for (std::size_t i = 2; i < reformed.size(); ++i) {
    EXPECT_GE(reformed[i] - reformed[i - 1], 2 * (reformed[i - 1] - reformed[i - 2])) << i;
  }
}

TEST_F(HostTableTest, OneMachineUnderTwoNamesIsOneNode) {
  const auto on = [](const std::string& machine) {
    return ProbeResult{.good = true, .machine = machine};
  };
  table_.answered("n3", on("a"), at(0));
  EXPECT_THAT(table_.candidates(at(0)), ElementsAre("n3"));
  table_.answered("n1", on("a"), at(1));
  table_.answered("n2", on("b"), at(1));
  EXPECT_THAT(table_.candidates(at(1)), ElementsAre("n1", "n2")) << "the first in the file";
  EXPECT_EQ(host("n3").why, "is the same machine as n1; name each machine once in the host file");
  table_.formed({"n1", "n2"}, false, at(1));
  table_.heard({"n1", "n2"}, at(2));
  for (int second = 2; second < 200; ++second) {
    answer_due(on("a"), second);
    EXPECT_FALSE(table_.worth_reforming(at(second))) << second;
  }
  // Who serves stays, whatever the order in the file is.
  table_.ended(at(200));
  table_.forget_answers(at(200));
  table_.answered("n1", silent(), at(200));
  table_.answered("n3", on("a"), at(200));
  table_.formed({"n3"}, false, at(200));
  table_.heard({"n3"}, at(201));
  table_.answered("n1", on("a"), at(202));
  EXPECT_FALSE(table_.worth_reforming(at(202)));
  EXPECT_EQ(host("n1").why, "is the same machine as n3; name each machine once in the host file");
}

TEST_F(HostTableTest, AnAdoptedWorldIsOnItsMachines) {
  table_.on_machine("n1", "a");
  table_.formed({"n1"}, false, at(0));
  table_.heard({"n1"}, at(1));
  table_.answered("n2", {.good = true, .machine = "a"}, at(2));
  EXPECT_FALSE(table_.worth_reforming(at(2)));
  EXPECT_THAT(host("n2").why, HasSubstr("is the same machine as n1"));
}

TEST_F(HostTableTest, WithoutAWordOnMachinesAllAreDifferent) {
  for (const char* name : {"n1", "n2", "n3"}) table_.answered(name, good(), at(0));
  EXPECT_THAT(table_.candidates(at(0)), ElementsAre("n1", "n2", "n3"));
}

// Neither heard nor missed: it had no time for either.
TEST_F(HostTableTest, AWorldThatDiesAtOnceIsFormedOfTheSame) {
  for (const char* name : {"n1", "n2"}) table_.answered(name, good(), at(0));
  table_.answered("n3", silent(), at(0));
  table_.formed({"n1", "n2"}, false, at(0));
  table_.ended(at(1));
  EXPECT_THAT(table_.candidates(at(5)), ElementsAre("n1", "n2"));
  EXPECT_EQ(host("n1").in_vain, 0);
  table_.formed({"n1", "n2"}, false, at(1));
  table_.heard({"n1", "n2"}, at(2));
  table_.heard({"n1"}, at(3));
  table_.ended(at(4));
  EXPECT_THAT(table_.candidates(at(5)), ElementsAre("n1")) << "n2 was missed";
}

TEST_F(HostTableTest, WhoIsToBlameIsLeftOutEverLonger) {
  start();
  int second = 10;
  for (const int left_out_s : {60, 120, 240}) {
    table_.ended(at(second));
    table_.blame("n2", "cannot be started", at(second));
    EXPECT_EQ(host("n2").why, "cannot be started");
    table_.answered("n2", good(), at(second + 11));
    EXPECT_THAT(table_.candidates(at(second + left_out_s - 1)), ElementsAre("n1", "n3"));
    EXPECT_THAT(table_.candidates(at(second + left_out_s)), ElementsAre("n1", "n2", "n3"));
    table_.formed({"n1", "n3"}, false, at(second));
    table_.heard({"n1", "n3"}, at(second + 1));
    EXPECT_FALSE(table_.worth_reforming(at(second + left_out_s - 1)));
    EXPECT_TRUE(table_.worth_reforming(at(second + left_out_s)));
    second += left_out_s;
    table_.ended(at(second));
    table_.formed({"n1", "n2", "n3"}, true, at(second));
  }
  table_.ask_back({"n2"}, at(second));
  table_.answered("n2", good(), at(second));
  EXPECT_THAT(table_.candidates(at(second)), testing::Contains("n2"));
}

TEST_F(HostTableTest, AWishIsSettledWhenNothingMoreCanBeDone) {
  start();
  table_.heard({"n1"}, at(100));
  EXPECT_THAT(table_.ask_back({"n2", "n9"}, at(101)), ElementsAre("n9"));
  EXPECT_FALSE(table_.wish_settled(at(101)));
  for (const char* name : {"n2", "n3"}) {
    table_.probing(name);
    EXPECT_FALSE(table_.wish_settled(at(101)));
    table_.answered(name, silent(), at(101));
  }
  EXPECT_TRUE(table_.wish_settled(at(101)));
  table_.ask_back({}, at(102));
  answer_due(serving(), 102);
  EXPECT_FALSE(table_.wish_settled(at(102)));
  EXPECT_TRUE(table_.worth_reforming(at(102))) << "who is asked for is not waited for";
}

TEST_F(HostTableTest, AfterAFailedStartAllAreAskedAgain) {
  start();
  table_.ended(at(4));
  EXPECT_THAT(table_.candidates(at(5)), ElementsAre("n1", "n2", "n3"));
  table_.forget_answers(at(5));
  EXPECT_THAT(table_.candidates(at(5)), IsEmpty());
  EXPECT_THAT(table_.due(at(5)), ElementsAre("n1", "n2", "n3"));
}

// ---- mpirun -----------------------------------------------------------------------------------

std::string line(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

TEST(MpirunCommand, OnOneHostNothingListens) {
  const SupervisorOptions options{.state_directory = "/s",
                                  .hyadesd = "/b/hyadesd",
                                  .spool_root = "/s/spool",
                                  .nodes = 3,
                                  .node_names = "vn[1-3]"};
  const std::string text = line(mpirun_command(options, {.shared_memory = "/dev/shm/x"}));
  EXPECT_THAT(text, HasSubstr("--mca oob_tcp_if_include lo "));
  EXPECT_THAT(text, HasSubstr("-n 4 /b/hyadesd --dir /s --spool /s/spool --node-names vn[1-3] "));
  EXPECT_THAT(text, testing::Not(HasSubstr("--enable-recovery")));
  EXPECT_THAT(text, testing::Not(HasSubstr("--again")));
  EXPECT_THAT(line(mpirun_command(options, {.again = true})), HasSubstr("--again "));
}

TEST(MpirunCommand, OnHostsALossLeavesTheOthersAlone) {
  SupervisorOptions options{.state_directory = "/s",
                            .hyadesd = "/b/hyadesd",
                            .spool_root = "/s/spool",
                            .user = "hyades",
                            .hosts = {{"n2", "n2"}, {"n1", "n1"}, {"n3", "n3"}},
                            .remote_program = "/b/hyades-remote",
                            .networks = {"10.0.0.0/24", "eth1"}};
  std::string text = line(mpirun_command(options, {.members = {"n2", "n1"}, .host_list = "/h"}));
  EXPECT_THAT(text, HasSubstr("--enable-recovery "));
  EXPECT_THAT(text, HasSubstr("--mca plm_rsh_agent /b/hyades-remote reach "));
  EXPECT_THAT(text, HasSubstr("--mca btl_tcp_if_include 10.0.0.0/24,eth1 "));
  EXPECT_THAT(text, HasSubstr("--hostfile /h -n 3 "));
  EXPECT_THAT(text, HasSubstr("--one-per-host --node-names n2,n1 ")) << "in the order of the ranks";
  EXPECT_THAT(text, HasSubstr("--user hyades "));
  EXPECT_THAT(text, testing::Not(HasSubstr("--node-addresses")));
  options.hosts[1].address = "10.0.0.1";
  text = line(mpirun_command(options, {.members = {"n2", "n1"}, .host_list = "/h"}));
  EXPECT_THAT(text, HasSubstr("--node-addresses n2,10.0.0.1 "));
  EXPECT_EQ(mpirun_environment(options, {}).at("HYADES_REMOTE_ADDRESSES"), "n1 10.0.0.1\n");
}

}  // namespace
}  // namespace hyades
