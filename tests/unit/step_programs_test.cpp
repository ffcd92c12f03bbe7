// hrun, hrsh and hyades-stepd as a job's script meets them, and mpirun over them: real processes,
// several daemons on this machine standing for nodes.
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>

#include "../e2e/command.hpp"
#include "step/step_auth.hpp"
#include "step/step_frame.hpp"
#include "step/step_message.hpp"
#include "step/step_socket.hpp"
#include "step_box.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;
using test::CommandOptions;
using test::CommandResult;
using test::RunningCommand;
using Words = std::vector<std::string>;

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Of hrun or a step daemon, whatever the tasks print. AddressSanitizer has use for more.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HYADES_TEST_WITH_ASAN
#endif
#endif
#ifdef HYADES_TEST_WITH_ASAN
constexpr long resident_kib_max = 160 * 1024;
#else
constexpr long resident_kib_max = 16 * 1024;
#endif

long resident_kib(pid_t pid) {
  std::istringstream status(read_text("/proc/" + std::to_string(pid) + "/status"));
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

class StepPrograms : public ::testing::Test {
 protected:
  CommandOptions options(const std::string& input = "") {
    CommandOptions result;
    result.environment = box.environment();
    result.environment["PATH"] =
        fs::path(program_beside_me("hrun")).parent_path().string() + ":" + std::getenv("PATH");
    result.directory = box.root.path();
    result.input = input;
    return result;
  }
  CommandResult run(Words words, const std::string& input = "") {
    words[0] = program_beside_me(words[0]);
    return test::run_command(words, options(input));
  }
  CommandResult shell(const std::string& script) {
    return test::run_command({"bash", "-c", script}, options());
  }
  bool exists(const std::string& name) { return fs::exists(box.root / name); }

  StepBox box{{2, 2, 1}};
};

// ---- What a step does ---------------------------------------------------------------------------

TEST_F(StepPrograms, EveryTaskRunsOnItsNodeAndKnowsItsPlace) {
  const CommandResult result =
      run({"hrun", "--label", "sh", "-c",
           "echo $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $NODE_RANK $HYADES_NODENAME "
           "$HYADES_PROCID $MASTER_ADDR ${HYADES_STEP_KEY-none} ${SLURM_PROCID-none}; pwd"});
  ASSERT_TRUE(result.good()) << result.text();
  const std::string here = fs::canonical(box.root.path());
  EXPECT_EQ(lines_of(result.out), (Words{"0: " + here, "0: 0/5 0/2 0 vn1 0 127.0.0.1 none none",
                                         "1: " + here, "1: 1/5 1/2 0 vn1 1 127.0.0.1 none none",
                                         "2: " + here, "2: 2/5 0/2 1 vn2 2 127.0.0.1 none none",
                                         "3: " + here, "3: 3/5 1/2 1 vn2 3 127.0.0.1 none none",
                                         "4: " + here, "4: 4/5 0/1 2 vn3 4 127.0.0.1 none none"}));
  EXPECT_EQ(result.err, "");
}

TEST_F(StepPrograms, AllTasksAgreeOnAPortThatIsFreeAndNotTheKernelsToGive) {
  std::set<int> ports;
  for (int i = 0; i < 3; ++i) {
    const Words lines = lines_of(run({"hrun", "sh", "-c", "echo $MASTER_PORT"}).out);
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_EQ(lines.front(), lines.back());
    ports.insert(std::stoi(lines[0]));
  }
  EXPECT_GT(ports.size(), 1u) << "steps should not meet";
  int ephemeral = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> ephemeral;
  for (int port : ports) {
    EXPECT_GT(port, 1023);
    EXPECT_LT(port, std::max(ephemeral, 32768));
  }
}

TEST_F(StepPrograms, ExitsAsTheWorstTaskAndSaysWhichThatWas) {
  const CommandResult result = run({"hrun", "sh", "-c", "exit $((RANK % 4))"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(lines_of(result.err),
            (Words{"hrun: task 1 on vn1: exit code 1", "hrun: task 2 on vn2: exit code 2",
                   "hrun: task 3 on vn2: exit code 3"}));
  const CommandResult killed = run({"hrun", "-n", "1", "sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.exit_code, 137);
  EXPECT_EQ(killed.err, "hrun: task 0 on vn1: killed by signal 9 (KILL)\n");
  const CommandResult single = run({"hrun", "-n1", "sh", "-c", "exit 5"});
  EXPECT_EQ(single.exit_code, 5);
  EXPECT_EQ(single.err, "");
}

TEST_F(StepPrograms, KillsOnABadExitWhenAsked) {
  const CommandResult result =
      run({"hrun", "-K", "sh", "-c", "[ $RANK = 4 ] && exit 7; sleep 1000"});
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.err, "hrun: task 4 on vn3: exit code 7\n");
}

TEST_F(StepPrograms, LinesAreNeverMixed) {
  const std::string word(200, 'x');
  const CommandResult result = run({"hrun", "sh", "-c",
                                    "i=0; while [ $i -lt 300 ]; do printf '%s' \"$RANK-" + word +
                                        "\"; echo \"-$RANK\"; "
                                        "i=$((i+1)); done"});
  ASSERT_TRUE(result.good()) << result.err;
  std::map<std::string, int> counts;
  for (const std::string& line : lines_of(result.out)) ++counts[line];
  ASSERT_EQ(counts.size(), 5u);
  for (int rank = 0; rank < 5; ++rank) {
    const std::string text = std::to_string(rank);
    EXPECT_EQ(counts[text + "-" + word + "-" + text], 300);
  }
}

TEST_F(StepPrograms, InputGoesToOneToAllOrToNobody) {
  EXPECT_EQ(run({"hrun", "-l", "cat"}, "a\n").out, "0: a\n");
  EXPECT_EQ(run({"hrun", "-l", "-i", "3", "cat"}, "a\n").out, "3: a\n");
  EXPECT_EQ(run({"hrun", "-l", "-i", "none", "cat"}, "a\n").out, "");
  EXPECT_EQ(lines_of(run({"hrun", "-l", "-i", "all", "cat"}, "a\n").out),
            (Words{"0: a", "1: a", "2: a", "3: a", "4: a"}));
  const std::string much(3'000'000, 'x');  // many windows of it
  EXPECT_EQ(lines_of(run({"hrun", "-i", "all", "wc", "-c"}, much).out), Words(5, "3000000"));
  EXPECT_EQ(run({"hrun", "-i", "all", "true"}, much).exit_code, 0) << "who wants no input";
}

TEST_F(StepPrograms, OutputGoesWhereverTheScriptSendsIt) {
  EXPECT_EQ(shell("hrun -l echo a > out 2> err; echo $?").out, "0\n");
  EXPECT_EQ(lines_of(read_text(box.root / "out")), (Words{"0: a", "1: a", "2: a", "3: a", "4: a"}));
  EXPECT_EQ(read_text(box.root / "err"), "");
  EXPECT_EQ(shell("hrun echo a | wc -l").out, "5\n");
  EXPECT_EQ(shell("hrun sh -c 'echo a; echo b >&2' 2>&1 >/dev/null | wc -l").out, "5\n");
  // The tasks learn that nobody reads any more, as they would without hrun.
  EXPECT_EQ(shell("hrun yes | head -n 1; echo ${PIPESTATUS[*]}").out, "y\n141 0\n");
  EXPECT_EQ(shell("hrun true >&- 2>&- <&-; echo $?").out, "0\n");
  const CommandResult full = shell("hrun echo a > /dev/full; echo $?");
  EXPECT_NE(full.out, "0\n");
  EXPECT_NE(full.err.find("No space left"), std::string::npos) << full.err;
}

TEST_F(StepPrograms, WhatATaskLeavesBehindEndsWithTheStep) {
  const CommandResult result =
      run({"hrun", "sh", "-c", "(sleep 1000; echo late) & echo $! > left.$RANK"});
  ASSERT_TRUE(result.good()) << result.text();
  for (int rank = 0; rank < 5; ++rank) {
    const pid_t pid = std::stoi(read_text(box.root / ("left." + std::to_string(rank))));
    EXPECT_TRUE(wait_until([&] { return !is_alive(pid); })) << rank;
  }
}

TEST_F(StepPrograms, ManyTasksAndNodesNeedNoLargerLimitOfTheUsers) {
  StepBox large({60});
  CommandOptions all = options();
  all.environment["HYADES_STEP_FILE"] = large.file();
  const CommandResult result =
      test::run_command({"bash", "-c", "ulimit -Sn 32; hrun sh -c 'ulimit -n'"}, all);
  EXPECT_EQ(lines_of(result.out), Words(60, "32")) << result.err;
  EXPECT_EQ(lines_of(shell("ulimit -Sn 7; hrun sh -c 'ulimit -n'").out).size(), 5u);
}

TEST_F(StepPrograms, StepsRunSideBySide) {
  const CommandResult result =
      shell("for i in 1 2 3 4 5 6 7 8; do hrun sh -c 'echo a' & done; wait");
  EXPECT_EQ(lines_of(result.out), Words(40, "a")) << result.err;
}

// ---- What is wrong is said ----------------------------------------------------------------------

TEST_F(StepPrograms, SaysWhatIsWrongAndWhatToDo) {
  const std::tuple<Words, int, const char*> cases[] = {
      {{"hrun", "-n", "6", "true"}, 1, "only 5 on vn[1-3]; ask hsub for more with --ntasks"},
      {{"hrun", "-w", "vn9", "true"}, 1, "vn9 is not among the nodes of job 7"},
      {{"hrun", "no-such-program"}, 127, "nodes vn[1-3]: 'no-such-program' was not found in PATH"},
      {{"hrun", "/etc/passwd"}, 126, "cannot run '/etc/passwd': Permission denied"},
      {{"hrun", "-D", "/no/such", "true"},
       1,
       "nodes vn[1-3]: cannot enter the directory '/no/such': No such file"},
      {{"hrun"}, 2, "name the command to run"},
      {{"hrun", "--lable", "true"}, 2, "did you mean --label?"},
      {{"hrun", "-n", "x", "true"}, 2, "use a number from 1"},
      {{"hrun", "-i", "5", "true"}, 1, "the last rank is 4"},
      {{"hrsh", "vn9", "true"}, 1, "vn9 is not a node of job 7"},
      {{"hrsh", "vn2"}, 2, "usage: hrsh"},
  };
  for (const auto& [words, code, sentence] : cases) {
    const CommandResult result = run(words);
    EXPECT_EQ(result.exit_code, code) << result.text();
    EXPECT_NE(result.err.find(sentence), std::string::npos) << result.text();
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(StepPrograms, OutsideAJobItSaysHowToBecomeOne) {
  const CommandResult result = test::run_command(
      {"env", "-u", "HYADES_JOB_ID", "-u", "HYADES_STEP_FILE", program_beside_me("hrun"), "true"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "hrun: this is not inside a job; try: hsub --wrap 'hrun COMMAND'\n");
  CommandOptions other;
  other.environment = {{"HYADES_JOB_ID", "7"}, {"HYADES_STEP_FILE", "/no/such/file"}};
  const CommandResult gone = test::run_command({program_beside_me("hrun"), "true"}, other);
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_NE(gone.err.find("/no/such/file"), std::string::npos) << gone.err;
  const CommandResult elsewhere =
      run({"hrun", "-w", "vn2", "-n", "1", program_beside_me("hrun"), "true"});
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_EQ(elsewhere.err,
            "hrun: on node vn2 of job 7 this is not possible; hrun works on the "
            "job's first node, where its script runs\n");
}

TEST_F(StepPrograms, AJobOnOneNodeNeedsNoFile) {
  CommandOptions all = options();
  all.environment["HYADES_STEP_FILE"] = "";
  all.environment["HYADES_NNODES"] = "1";
  all.environment["HYADES_NTASKS"] = "3";
  const CommandResult result = test::run_command(
      {program_beside_me("hrun"), "-l", "sh", "-c", "echo $WORLD_SIZE $MASTER_ADDR"}, all);
  EXPECT_EQ(lines_of(result.out), (Words{"0: 3 127.0.0.1", "1: 3 127.0.0.1", "2: 3 127.0.0.1"}))
      << result.err;
}

TEST_F(StepPrograms, WhatOneNodeCannotRunEndsTheWholeStep) {
  ASSERT_TRUE(run({"hrun", "true"}).good());  // all daemons are there
  const rlimit few = {8, 8};  // enough to accept a connection, too few for a task's pipes
  ASSERT_EQ(prlimit(box.daemons["vn3"], RLIMIT_NOFILE, &few, nullptr), 0);
  const CommandResult result = run({"hrun", "sleep", "1000"});
  EXPECT_EQ(result.exit_code, 126) << result.text();
  EXPECT_EQ(result.err, "hrun: node vn3: cannot run 'sleep': Too many open files\n");
}

TEST_F(StepPrograms, ANodeThatGoesIsNamedAndTheOthersAreStopped) {
  RunningCommand hrun({program_beside_me("hrun"), "sh", "-c", "touch up.$RANK; sleep 1000"},
                      options());
  for (int rank = 0; rank < 5; ++rank) {
    ASSERT_TRUE(wait_until([&] { return exists("up." + std::to_string(rank)); })) << rank;
  }
  kill(box.daemons["vn2"], SIGKILL);
  const CommandResult result = hrun.finish(30'000);
  EXPECT_EQ(result.exit_code, 1) << result.text();
  EXPECT_NE(result.err.find("node vn2: its step daemon has gone"), std::string::npos) << result.err;
  const CommandResult next = run({"hrun", "true"});
  EXPECT_EQ(next.exit_code, 1);
  EXPECT_NE(next.err.find("node vn2: its step daemon does not answer"), std::string::npos)
      << next.err;
}

// ---- Signals and ends ---------------------------------------------------------------------------

TEST_F(StepPrograms, SignalsReachEveryTask) {
  RunningCommand hrun({program_beside_me("hrun"), "bash", "-c",
                       "trap 'echo usr1 >> got.$RANK' USR1; trap 'echo term >> got.$RANK; exit 9' "
                       "TERM; touch up.$RANK; while true; do sleep 0.05; done"},
                      options());
  const auto all_have = [&](const std::string& name, const std::string& text) {
    return wait_until([&] {
      for (int rank = 0; rank < 5; ++rank) {
        const std::string file = name + std::to_string(rank);
        if (!exists(file) || read_text(box.root / file).find(text) == std::string::npos) {
          return false;
        }
      }
      return true;
    });
  };
  ASSERT_TRUE(all_have("up.", ""));
  kill(hrun.pid(), SIGUSR1);
  EXPECT_TRUE(all_have("got.", "usr1"));
  kill(hrun.pid(), SIGTERM);
  EXPECT_TRUE(all_have("got.", "term"));
  EXPECT_EQ(hrun.finish(30'000).exit_code, 9);
}

TEST_F(StepPrograms, TwoInterruptsKill) {
  RunningCommand hrun({program_beside_me("hrun"), "bash", "-c",
                       "trap '' INT TERM; touch up.$RANK; while true; do sleep 0.05; done"},
                      options());
  for (int rank = 0; rank < 5; ++rank) {
    ASSERT_TRUE(wait_until([&] { return exists("up." + std::to_string(rank)); })) << rank;
  }
  kill(hrun.pid(), SIGINT);
  // Two that are pending at the same time are one.
  ASSERT_TRUE(wait_until([&] {
    return read_text("/proc/" + std::to_string(hrun.pid()) + "/status")
               .find("ShdPnd:\t0000000000000000") != std::string::npos;
  }));
  kill(hrun.pid(), SIGINT);
  EXPECT_EQ(hrun.finish(30'000).exit_code, 137);
}

TEST_F(StepPrograms, StopsAndGoesOn) {
  RunningCommand hrun({program_beside_me("hrun"), "bash", "-c",
                       "echo $$ > pid.$RANK.new; mv pid.$RANK.new pid.$RANK; "
                       "until [ -e go ]; do sleep 0.05; done"},
                      options());
  std::vector<std::string> tasks;
  for (int rank = 0; rank < 5; ++rank) {
    const std::string name = "pid." + std::to_string(rank);
    ASSERT_TRUE(wait_until([&] { return exists(name); })) << rank;
    tasks.push_back(std::to_string(std::stoi(read_text(box.root / name))));
  }
  const auto state_of = [&](const std::string& pid) {
    const std::string stat = read_text("/proc/" + pid + "/stat");
    const std::size_t end = stat.rfind(") ");
    return end == std::string::npos ? ' ' : stat[end + 2];
  };
  kill(hrun.pid(), SIGTSTP);
  // All of them: a process that is stopped and goes on within one fork() may leave its child
  // stopped, as the kernel hands the first signal on to it and, where SIGCONT has no handler, not
  // the second.
  for (const std::string& task : tasks) {
    EXPECT_TRUE(wait_until([&] { return state_of(task) == 'T'; })) << task;
  }
  EXPECT_TRUE(wait_until([&] { return state_of(std::to_string(hrun.pid())) == 'T'; }));
  kill(hrun.pid(), SIGCONT);
  for (const std::string& task : tasks) {
    EXPECT_TRUE(wait_until([&] { return state_of(task) != 'T'; })) << task;
  }
  std::ofstream(box.root / "go") << "";
  EXPECT_EQ(hrun.finish(30'000).exit_code, 0);
}

TEST_F(StepPrograms, TasksOfAnHrunThatWasKilledEnd) {
  std::vector<pid_t> tasks;
  {
    RunningCommand hrun({program_beside_me("hrun"), "bash", "-c",
                         "echo $$ > pid.$RANK.new; mv pid.$RANK.new pid.$RANK; "
                         "[ $RANK = 3 ] && trap '' TERM; while true; do sleep 0.1; done"},
                        options());
    for (int rank = 0; rank < 5; ++rank) {
      const std::string file = "pid." + std::to_string(rank);
      ASSERT_TRUE(wait_until([&] { return exists(file); })) << rank;
      tasks.push_back(std::stoi(read_text(box.root / file)));
    }
    kill(hrun.pid(), SIGKILL);
  }
  for (pid_t task : tasks) EXPECT_TRUE(wait_until([&] { return !is_alive(task); })) << task;
  EXPECT_EQ(run({"hrun", "true"}).exit_code, 0) << "and the daemons serve on";
}

TEST_F(StepPrograms, ATaskMayStillPrintWhenItsHrunIsGone) {
  RunningCommand hrun({program_beside_me("hrun"), "-w", "vn2", "-n", "1", "bash", "-c",
                       "trap 'head -c 1000000 /dev/zero; touch done; exit' TERM; touch up; "
                       "while true; do head -c 100000 /dev/zero; done"},
                      options());
  ASSERT_TRUE(wait_until([&] { return exists("up"); }));
  kill(hrun.pid(), SIGSTOP);
  // Until all that is between us is full: the same process waits for ever in its write.
  const auto first_child = [](const std::string& pid) {
    const std::string children = read_text("/proc/" + pid + "/task/" + pid + "/children");
    return children.substr(0, children.find(' '));
  };
  std::string last;
  ASSERT_TRUE(wait_until([&] {
    poll(nullptr, 0, 300);
    const std::string bash = first_child(std::to_string(box.daemons["vn2"]));
    const std::string head = bash.empty() ? "" : first_child(bash);
    const std::string written = head.empty() ? "" : head + read_text("/proc/" + head + "/io");
    return !written.empty() && std::exchange(last, written) == written;
  }));
  kill(hrun.pid(), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return exists("done"); }, 4)) << "before SIGKILL comes";
}

TEST_F(StepPrograms, ADaemonThatIsToldToEndEndsItsTasksFirst) {
  RunningCommand hrun({program_beside_me("hrun"), "-w", "vn3", "bash", "-c",
                       "trap 'touch got; exit 3' TERM; touch up; while true; do sleep 0.05; done"},
                      options());
  ASSERT_TRUE(wait_until([&] { return exists("up"); }));
  EXPECT_TRUE(box.terminate("vn3"));
  EXPECT_TRUE(exists("got"));
  EXPECT_NE(hrun.finish(30'000).exit_code, 0);
  EXPECT_TRUE(box.terminate("vn2")) << "at once, without tasks";
}

// ---- Bounds -------------------------------------------------------------------------------------

TEST_F(StepPrograms, ASlowReaderMakesTheTasksWaitAndNothingPilesUp) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::string program = program_beside_me("hrun");
  const auto environment = options().environment;
  const pid_t hrun = fork();
  if (hrun == 0) {
    dup2(ends[1], 1);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    if (chdir(box.root.path().c_str()) != 0) _exit(126);
    execl(program.c_str(), "hrun", "bash", "-c",
          "head -c 40000000 /dev/zero | tr '\\0' x | fold -w 99; touch done.$RANK", nullptr);
    _exit(127);
  }
  close(ends[1]);
  // Until what is on its way no longer grows: all of them wait for us.
  long last = -1;
  ASSERT_TRUE(wait_until([&] {
    const long now = resident_kib(hrun);
    int in_pipe = 0;
    ioctl(ends[0], FIONREAD, &in_pipe);
    poll(nullptr, 0, 200);
    const bool steady = in_pipe > 0 && now == last;
    last = now;
    return steady;
  }));
  EXPECT_FALSE(exists("done.0"));
  EXPECT_FALSE(exists("done.4"));
  EXPECT_LT(resident_kib(hrun), resident_kib_max);
  for (const auto& [node, pid] : box.daemons)
    EXPECT_LT(resident_kib(pid), resident_kib_max) << node;
  std::size_t total = 0;
  std::vector<char> bytes(1 << 16);
  for (ssize_t size; (size = read(ends[0], bytes.data(), bytes.size())) > 0;) {
    total += static_cast<std::size_t>(size);
  }
  close(ends[0]);
  int status = 0;
  waitpid(hrun, &status, 0);
  EXPECT_EQ(status, 0);
  // fold adds a line end to each 99 bytes but the last of them.
  EXPECT_EQ(total, 5u * (40'000'000 + 40'000'000 / 99));
  EXPECT_TRUE(exists("done.4"));
}

// ---- Who may
// --------------------------------------------------------------------------------------

// A client that says what it likes.
class Stranger {
 public:
  explicit Stranger(const StepNode& node) {
    std::string error;
    socket_ = connect_step_socket(node.address, node.port, error);
    EXPECT_TRUE(socket_) << error;
  }

  void say(const std::string& bytes) {
    wait_for(POLLOUT);
    EXPECT_EQ(send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // The next message; false when the daemon hung up.
  bool hear(StepMessage& message) {
    while (true) {
      int type = 0;
      std::string body;
      const auto found = reader_.next(type, body);
      if (found == StepFrameReader::Found::Frame) return decode_step_message(type, body, message);
      if (found == StepFrameReader::Found::Broken) return false;
      wait_for(POLLIN);
      char bytes[4096];
      const ssize_t size = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (size <= 0) return false;
      reader_.feed({bytes, static_cast<std::size_t>(size)});
    }
  }
  std::string nonce() {
    StepMessage message;
    EXPECT_TRUE(hear(message));
    const auto* challenge = std::get_if<StepChallenge>(&message);
    EXPECT_NE(challenge, nullptr);
    return challenge == nullptr ? "" : challenge->nonce;
  }
  bool is_refused() {
    StepMessage message;
    return !hear(message);
  }

 private:
  void wait_for(short events) {
    pollfd wait{.fd = socket_.get(), .events = events, .revents = 0};
    EXPECT_EQ(poll(&wait, 1, 30'000), 1) << "nothing happens";
  }

  UniqueFd socket_;
  StepFrameReader reader_;
};

class StepStrangers : public StepPrograms {
 protected:
  const StepNode& vn2() const { return box.job.nodes[1]; }
  std::string response(const std::string& server_nonce, const std::string& key,
                       const std::string& node = "vn2") {
    const std::string nonce(step_nonce_bytes, 'c');
    return encode(StepResponse{nonce, client_proof(key, node, server_nonce, nonce)});
  }
};

TEST_F(StepStrangers, WhoKnowsTheKeyGetsAProofInReturn) {
  Stranger client(vn2());
  const std::string nonce = client.nonce();
  client.say(response(nonce, box.job.step_key));
  StepMessage message;
  ASSERT_TRUE(client.hear(message));
  ASSERT_TRUE(std::holds_alternative<StepProof>(message));
  EXPECT_TRUE(
      same_proof(std::get<StepProof>(message).proof,
                 server_proof(box.job.step_key, "vn2", nonce, std::string(step_nonce_bytes, 'c'))));
}

TEST_F(StepStrangers, AWrongKeyIsRefused) {
  Stranger client(vn2());
  client.say(response(client.nonce(), std::string(32, '0')));
  EXPECT_TRUE(client.is_refused());
}

TEST_F(StepStrangers, AProofForAnotherNodeIsRefused) {
  Stranger client(vn2());
  client.say(response(client.nonce(), box.job.step_key, "vn3"));
  EXPECT_TRUE(client.is_refused());
}

TEST_F(StepStrangers, WhatWasOverheardIsOfNoUse) {
  Stranger first(vn2());
  const std::string overheard = response(first.nonce(), box.job.step_key);
  first.say(overheard);
  EXPECT_FALSE(first.is_refused());
  Stranger second(vn2());
  second.nonce();
  second.say(overheard);
  EXPECT_TRUE(second.is_refused());
}

TEST_F(StepStrangers, NothingIsStartedBeforeTheProof) {
  StartTasks start;
  start.arguments = {"touch", box.root / "started"};
  start.directory = "/";
  start.environment = {"PATH=/bin"};
  Stranger client(vn2());
  client.nonce();
  client.say(encode(start));
  EXPECT_TRUE(client.is_refused());
  EXPECT_EQ(run({"hrun", "true"}).exit_code, 0);
  EXPECT_FALSE(exists("started"));
}

TEST_F(StepStrangers, TooLongAGreetingIsRefusedBeforeItsBytesCome) {
  Stranger client(vn2());
  client.nonce();
  std::string header = step_frame(2, std::string(5000, 'x')).substr(0, step_header_bytes);
  client.say(header);
  EXPECT_TRUE(client.is_refused());
  Stranger other(vn2());
  other.nonce();
  other.say("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(other.is_refused());
}

TEST_F(StepStrangers, WhoSaysNothingDoesNotKeepOthersOut) {
  std::vector<std::unique_ptr<Stranger>> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(std::make_unique<Stranger>(vn2()));
  EXPECT_EQ(run({"hrun", "true"}).exit_code, 0);
  for (const auto& one : silent) one->nonce();
  EXPECT_TRUE(silent.back()->is_refused()) << "after some seconds they are hung up on";
}

TEST_F(StepStrangers, AnImpostorLearnsNothing) {
  // Something else listens where the file says that vn2's daemon is.
  StepFile job = box.job;
  const int listener = listen_on_loopback(job.nodes[1].port);
  ASSERT_GE(listener, 0);
  std::ofstream(box.file()) << encode(job);
  RunningCommand hrun({program_beside_me("hrun"), "touch", "started"}, options());
  UniqueFd client(accept(listener, nullptr, nullptr));
  const std::string greeting = encode(StepChallenge{std::string(step_nonce_bytes, 's')}) +
                               encode(StepProof{std::string(step_proof_bytes, 'p')});
  ASSERT_EQ(send(client.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(greeting.size()));
  const CommandResult result = hrun.finish(30'000);
  close(listener);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("node vn2: it is not the step daemon of this job"), std::string::npos)
      << result.err;
  std::string heard;
  char bytes[65536];
  for (ssize_t got; (got = read(client.get(), bytes, sizeof bytes)) > 0;) {
    heard.append(bytes, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(heard.find(job.step_key), std::string::npos);
  EXPECT_EQ(heard.find("started"), std::string::npos);
  EXPECT_FALSE(exists("started"));
}

// ---- mpirun -------------------------------------------------------------------------------------

class StepMpi : public StepPrograms {
 protected:
  CommandResult mpirun(const std::string& script) {
    CommandOptions all = options();
    all.environment["OMPI_MCA_plm_rsh_agent"] = program_beside_me("hrsh");
    all.environment["OMPI_MCA_orte_default_hostfile"] = box.hostfile();
    all.environment["OMPI_MCA_hwloc_base_binding_policy"] = "none";
    all.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
    all.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    return test::run_command({"bash", "-c", script}, all);
  }
  Words ranks(int count) {
    Words all;
    for (int i = 0; i < count; ++i) {
      all.push_back("rank " + std::to_string(i) + " of " + std::to_string(count) + ", sum " +
                    std::to_string(count * (count - 1) / 2));
    }
    return all;
  }
};

TEST_F(StepMpi, PlainMpirunSpansTheJobsNodes) {
  const CommandResult result = mpirun("mpirun mpi_hello");
  EXPECT_EQ(result.exit_code, 0) << result.text();
  EXPECT_EQ(lines_of(result.out), ranks(5)) << result.err;
  const CommandResult names = mpirun("mpirun sh -c 'echo $HYADES_NODENAME'");
  EXPECT_EQ(lines_of(names.out), (Words{"vn1", "vn1", "vn2", "vn2", "vn3"})) << names.err;
  EXPECT_EQ(lines_of(mpirun("mpirun -n 3 mpi_hello").out), ranks(3));
  EXPECT_EQ(mpirun("mpirun -H vn2 sh -c 'echo $HYADES_NODENAME'").out, "vn2\n");
}

TEST_F(StepMpi, ExitCodesComeBackAndNothingStays) {
  fs::create_directory(box.root / "tmp");
  const std::string here = "export TMPDIR=" + box.root.path() + "/tmp; ";
  const CommandResult result = mpirun(here + "mpirun sh -c 'ls -d tmp/hyades-step-*; exit 7'");
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_NE(result.out.find("tmp/hyades-step-"), std::string::npos) << result.text();
  // What ran on the other nodes tidies up after mpirun has its exit code.
  EXPECT_TRUE(wait_until([&] { return mpirun("find tmp -name 'hyades-step-*'").out.empty(); }));
}

TEST_F(StepMpi, WhatAKilledDaemonLeftGoesWithTheNextStep) {
  const std::string tmp = box.root / "tmp";
  fs::create_directories(tmp);
  CommandOptions all = options();
  all.environment["TMPDIR"] = tmp;
  const auto count = [&] { return std::distance(fs::directory_iterator(tmp), {}); };
  RunningCommand first({program_beside_me("hrsh"), "vn2", "touch $TMPDIR/file up; sleep 1000"},
                       all);
  RunningCommand second({program_beside_me("hrsh"), "vn3", "touch up3; sleep 1000"}, all);
  ASSERT_TRUE(wait_until([&] { return exists("up") && exists("up3"); }));
  EXPECT_EQ(count(), 2) << "who lives is left alone";
  kill(box.daemons["vn2"], SIGKILL);
  first.finish(30'000);
  EXPECT_EQ(count(), 2);
  EXPECT_TRUE(test::run_command({program_beside_me("hrsh"), "vn1", "ls $TMPDIR"}, all).good());
  EXPECT_EQ(count(), 1);
}

TEST_F(StepMpi, HrshRunsACommandLineOnANode) {
  const CommandResult result =
      run({"hrsh", "-x", "-l", "ada", "ada@vn2", "echo", "$HYADES_NODENAME;", "cat;", "exit 3"},
          "input\n");
  EXPECT_EQ(result.out, "vn2\ninput\n") << result.err;
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(run({"hrsh", "vn1", "echo $HYADES_NODENAME"}).out, "vn1\n");
}

TEST_F(StepMpi, ANodeNamedToMpirunInAJobOnOneNodeIsReached) {
  CommandOptions all = options();
  all.environment["HYADES_STEP_FILE"] = "";
  all.environment["HYADES_NNODES"] = "1";
  all.environment["OMPI_MCA_plm_rsh_agent"] = program_beside_me("hrsh");
  all.environment["OMPI_MCA_orte_set_default_slots"] = "3";
  all.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
  all.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  EXPECT_EQ(lines_of(test::run_command({"mpirun", "mpi_hello"}, all).out), ranks(3));
  EXPECT_EQ(lines_of(test::run_command({"mpirun", "-H", "vn1:2", "mpi_hello"}, all).out), ranks(2));
}

}  // namespace
}  // namespace hyades
