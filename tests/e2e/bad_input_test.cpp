// Input that is wrong or hostile, each with the message it must get.
#include <sys/stat.h>
#include <unistd.h>

#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

class BadInput : public SharedClusterTest<BadInput> {
 public:
  using SharedClusterTest::options;

 protected:
  // Submits `command`, waits, and returns the job.
  Json run_job(const std::string& command, std::vector<std::string> options) {
    return cluster().must_wait(cluster().must_wrap(command, std::move(options)));
  }
  void expect_refused(const CommandResult& result, int exit_code, const std::string& message) {
    EXPECT_EQ(result.exit_code, exit_code) << result.text();
    EXPECT_EQ(result.out, "") << result.text();
    EXPECT_NE(result.err.find(message), std::string::npos) << result.text();
  }
};

std::string number(JobId id) { return std::to_string(id); }

// ---- S09: output files ------------------------------------------------------------------------

TEST_F(BadInput, OutputToADirectory) {
  mkdir(cluster().path("a-directory").c_str(), 0755);
  const Json job = run_job("true", {"-o", "a-directory"});
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  EXPECT_NE(job["reason"].get<std::string>().find(
                "cannot open \"a-directory\" for the job's standard output: "),
            std::string::npos)
      << job["reason"];
}

TEST_F(BadInput, OutputToAFifoThatNobodyReads) {
  mkfifo(cluster().path("fifo").c_str(), 0600);
  const Json job = run_job("true", {"-o", "fifo"});
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  EXPECT_EQ(job["reason"],
            "cannot open \"fifo\" for the job's standard output: it is a FIFO that nobody reads");
}

TEST_F(BadInput, OutputIntoADirectoryThatIsNotThere) {
  const Json job = run_job("true", {"-o", "missing/out"});
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  EXPECT_EQ(job["reason"],
            "cannot open \"missing/out\" for the job's standard output: \"missing\" "
            "or the file does not exist");
}

TEST_F(BadInput, OutputThatMayNotBeWritten) {
  // Root may write anywhere but where the kernel lets nobody.
  const std::string file = geteuid() == 0 ? "/sys/nothing" : "/etc/passwd";
  const Json job = run_job("echo x", {"-o", file});
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  const std::string reason = job["reason"];
  EXPECT_TRUE(reason.starts_with("cannot open \"" + file + "\" for the job's standard output: "))
      << reason;
}

TEST_F(BadInput, OutputThroughADanglingLink) {
  ASSERT_EQ(symlink("/nonexistent/x", cluster().path("dangling").c_str()), 0);
  EXPECT_EQ(run_job("true", {"-o", "dangling"})["state"], "LAUNCH_FAILED");
}

TEST_F(BadInput, WorkingDirectoryThatIsNotThere) {
  const Json job = run_job("true", {"--chdir", "/no/such/place"});
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  EXPECT_EQ(job["reason"],
            "cannot enter the working directory \"/no/such/place\": No such file or "
            "directory");
}

// ---- S20: paths in names ----------------------------------------------------------------------

TEST_F(BadInput, SlashesInNamesStayInTheDirectory) {
  mkdir(cluster().path("down").c_str(), 0755);
  for (const char* name : {"../../escape", "/escape", "..", "a/../../escape"}) {
    const CommandResult result = cluster().run(
        {"hsub", "--parsable", "-J", name, "-o", "down/%x-%j.out", "--wrap", "echo here"});
    if (result.exit_code != 0) continue;  // refused is fine, too
    cluster().must_wait(std::stoull(result.out));
  }
  for (const char* escaped : {"/escape", "/../escape", "/../../escape"}) {
    EXPECT_NE(access((cluster().work() + escaped).c_str(), F_OK), 0) << escaped;
  }
  EXPECT_NE(access("/escape", F_OK), 0);
}

// ---- S16, S17, S18: hostile names -------------------------------------------------------------

TEST_F(BadInput, SqlAndShellInNamesAreOnlyText) {
  for (const std::string name : {"'; DROP TABLE job; --", "\" OR 1=1 --", "%_%", "$(touch pwned)",
                                 "`id`", "a;b|c&d", "-rf", "日本語"}) {
    const JobId id =
        cluster().must_submit({"--job-name=" + name, "--comment=" + name, "-o", "/dev/null",
                               "--wrap", "echo \"$HYADES_JOB_NAME\" >named"});
    const Json job = cluster().must_wait(id);
    EXPECT_EQ(job["state"], "COMPLETED") << name;
    EXPECT_EQ(job["name"], name);
    EXPECT_EQ(job["comment"], name);
    EXPECT_EQ(cluster().read_file("named"), name + "\n");
    const Json found = cluster().run({"hacct", "--json", "--all-users", "--name", name}).json();
    ASSERT_EQ(found["jobs"].size(), 1u) << name;
    EXPECT_EQ(found["jobs"][0]["id"], id);
  }
  EXPECT_EQ(cluster().read_file("pwned"), "");
}

TEST_F(BadInput, ControlCharactersInNamesAreRefused) {
  expect_refused(cluster().run({"hsub", "-J", "a\nroot login", "--wrap", "true"}), 2, "name");
  expect_refused(cluster().run({"hsub", "-J", "\x1b[31mred", "--wrap", "true"}), 2, "name");
  expect_refused(cluster().run({"hsub", "-J", "bad\xff\xfe", "--wrap", "true"}), 2, "name");
  expect_refused(cluster().run({"hsub", "-J", std::string(100'000, 'x'), "--wrap", "true"}), 2,
                 "name");
}

// What gets in all the same (paths, command lines) must not act on a terminal.
TEST_F(BadInput, ListsHoldOneLineAJobAndNoEscapes) {
  const std::string hostile = "out\n\x1b[2J\x1b]0;owned\x07\r";
  const JobId id = cluster().must_submit({"-J", "plain", "-o", hostile, "--wrap", "true"});
  cluster().must_wait(id);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"hstat", "-a"},
                                                {"hacct", "-j", number(id)},
                                                {"hacct", "-P", "-j", number(id)},
                                                {"hctl", "show", "job", number(id)}}) {
    const std::string out = cluster().run(words).out;
    EXPECT_EQ(out.find('\x1b'), std::string::npos) << words[0];
    EXPECT_EQ(out.find('\r'), std::string::npos) << words[0];
  }
  EXPECT_EQ(cluster().job(id)["stdout_path"], hostile);
}

// ---- S19: directives --------------------------------------------------------------------------

TEST_F(BadInput, LateDirectivesAreIgnoredWithAWarning) {
  cluster().write_script("late.sh",
                         "#HSUB -J early\ntrue\n#HSUB -J late\ncat <<END\n#HSUB --hold\nEND");
  const CommandResult result = cluster().run({"hsub", "--parsable", "-o", "/dev/null", "late.sh"});
  ASSERT_EQ(result.exit_code, 0) << result.text();
  EXPECT_NE(result.err.find("late.sh:4: #HSUB is ignored here: it stands after the first command "
                            "(line 3)"),
            std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("late.sh:6: "), std::string::npos) << result.err;
  EXPECT_EQ(cluster().must_wait(std::stoull(result.out))["name"], "early");
}

TEST_F(BadInput, PrivilegedAndMalformedDirectives) {
  cluster().write_script("uid.sh", "#HSUB --uid=0\ntrue");
  expect_refused(cluster().run({"hsub", "uid.sh"}), 2, "uid.sh:2: ");
  cluster().write_script("prolog.sh", "#HSUB --prolog=/tmp/x\ntrue");
  expect_refused(cluster().run({"hsub", "prolog.sh"}), 2, "prolog.sh:2: ");
  cluster().write_script("quote.sh", "#HSUB --comment=\"never closed\ntrue");
  expect_refused(cluster().run({"hsub", "quote.sh"}), 2, "quote.sh:2: unmatched \"");
  cluster().write_script("time.sh", "#HSUB --time=tomorrow\ntrue");
  expect_refused(cluster().run({"hsub", "time.sh"}), 2, "time.sh:2: ");
}

TEST_F(BadInput, DosLineEnds) {
  cluster().write_file("dos.sh", "#!/bin/sh\r\n#HSUB -J dos\r\necho hi\r\n", 0755);
  const CommandResult result = cluster().run({"hsub", "--parsable", "dos.sh"});
  ASSERT_EQ(result.exit_code, 0) << result.text();
  EXPECT_NE(result.err.find("DOS line ends (CR LF)"), std::string::npos) << result.err;
  const Json job = cluster().must_wait(std::stoull(result.out));
  EXPECT_EQ(job["name"], "dos");
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  EXPECT_EQ(job["reason"],
            "the script has DOS line ends (CR LF); convert it, for example with "
            "dos2unix");
}

// ---- F24: scripts -----------------------------------------------------------------------------

TEST_F(BadInput, ScriptSizes) {
  constexpr std::size_t most = 4u << 20;
  const std::string head = "#!/bin/sh\nsha256sum \"$0\" | cut -c1-64\nexit\n#";
  const std::string largest = head + std::string(most - head.size() - 1, 'x') + "\n";
  cluster().write_file("largest.sh", largest, 0755);
  const Json job = cluster().must_wait(cluster().must_submit({"-o", "largest.out", "largest.sh"}));
  EXPECT_EQ(job["state"], "COMPLETED") << job.dump(2);
  const CommandResult sum = cluster().run({"/usr/bin/sha256sum", "largest.sh"});
  EXPECT_EQ(cluster().read_file("largest.out"), sum.out.substr(0, 64) + "\n");
  const CommandResult script = cluster().run({"hctl", "show", "script", number(job["id"])});
  EXPECT_EQ(script.out.size(), largest.size());
  EXPECT_EQ(script.out, largest);

  cluster().write_file("one-more.sh", largest + "x", 0755);
  expect_refused(cluster().run({"hsub", "one-more.sh"}), 1,
                 "one-more.sh: the script is longer than 4 MiB (4194304 bytes)");
  cluster().write_file("huge.sh", largest + std::string(96u << 20, 'y'), 0755);
  expect_refused(cluster().run({"hsub", "huge.sh"}), 1, "the script is longer than 4 MiB");
}

TEST_F(BadInput, ScriptsThatAreNone) {
  cluster().write_file("empty.sh", "");
  expect_refused(cluster().run({"hsub", "empty.sh"}), 1, "empty.sh:1: the script is empty");
  cluster().write_file("no-shebang.sh", "echo hi\n");
  expect_refused(cluster().run({"hsub", "no-shebang.sh"}), 1,
                 "no-shebang.sh:1: the first line must be '#!' and an interpreter");
  expect_refused(cluster().run({"hsub", "/bin/true"}), 1, "this is a binary, not a script");
  expect_refused(cluster().run({"hsub", "missing.sh"}), 1,
                 "missing.sh: cannot open the script: No such file or directory");
  expect_refused(cluster().run({"hsub", "."}), 1, "this is a directory; name the script to submit");
  cluster().write_file("nobody.sh", "#!/no/such/interpreter\n", 0755);
  const Json job = cluster().must_wait(cluster().must_submit({"nobody.sh"}));
  EXPECT_EQ(job["state"], "LAUNCH_FAILED");
  EXPECT_EQ(job["reason"], "the script's interpreter \"/no/such/interpreter\" does not exist");
}

// ---- F39: configuration -----------------------------------------------------------------------

TEST_F(BadInput, ConfigurationMistakesNameTheirLine) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"[cluster]\nkill_grase_s = 3\n",
       ":2: unknown key 'kill_grase_s' in [cluster]; did you mean 'kill_grace_s'?"},
      {"[cluster]\nname = \"a\"\nname = \"b\"\n", ":3: "},
      {"[[queue]]\nname = \"a\"\nmax_time = \"2 fortnights\"\n",
       ":3: max_time '2 fortnights' in [[queue]] must be a time such as"},
      {"[[qeue]]\nname = \"a\"\n", ":1: unknown section 'qeue'; did you mean 'queue'?"},
      {"[[queue]]\nname = \"a\"\n\n[[queue]]\nname = \"a\"\n",
       ":5: queue 'a' is defined twice; the first is in line 2"},
      {"[[queue]\n", ":1: "},
  };
  for (const auto& each : cases) {
    const std::string file = cluster().write_file("bad.toml", each.text);
    const CommandResult result = cluster().run({"hctl", "config", "check", file});
    expect_refused(result, 1, file + each.message);
  }
  const std::string long_line = cluster().write_file(
      "long.toml", "[cluster]\nname = \"" + std::string(1u << 20, 'x') + "\"\n");
  const CommandResult result = cluster().run({"hctl", "config", "check", long_line});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_LT(result.err.size(), 2000u);
  expect_refused(cluster().run({"hctl", "config", "check", "/no/such.toml"}), 1,
                 "cannot read the configuration /no/such.toml");
}

// ---- commands ---------------------------------------------------------------------------------

TEST_F(BadInput, CommandsSayWhatIsWrong) {
  expect_refused(cluster().run({"hwait", "999999"}), 1, "there is no job 999999");
  expect_refused(cluster().run({"hcancel", "abc"}), 2, "abc");
  expect_refused(cluster().run({"hctl", "drian", "vn1"}), 2, "did you mean drain?");
  expect_refused(cluster().run({"hstat", "--no-such"}), 2, "no-such");
  expect_refused(cluster().run({"hsub", "-d", "afterok:", "--wrap", "true"}), 2,
                 "a job id is missing");
  for (const char* command : {"hstat", "hacct"}) {
    const CommandResult missing = cluster().run({command, "--json", "-j", "999999"});
    EXPECT_EQ(missing.exit_code, 1) << missing.text();
    EXPECT_NE(missing.err.find("job 999999: no such job"), std::string::npos) << missing.text();
    EXPECT_EQ(missing.json()["jobs"], Json::array());
    EXPECT_EQ(cluster().run({command, "-j", "999999", "--states", "R"}).err.find("no such job"),
              std::string::npos);
  }
  const CommandResult node = cluster().run({"hinfo", "-N", "vn9"});
  EXPECT_EQ(node.exit_code, 1);
  EXPECT_NE(node.err.find("node vn9: no such node"), std::string::npos) << node.text();
  EXPECT_EQ(node.out, "");  // no table of nothing
  const CommandResult filter = cluster().run({"hstat", "-p", "bacth"});
  EXPECT_EQ(filter.exit_code, 1);
  EXPECT_NE(filter.err.find("queue bacth: no such queue; did you mean batch?"), std::string::npos)
      << filter.text();
  const CommandResult user = cluster().run({"hstat", "-u", "no-such-user"});
  EXPECT_EQ(user.exit_code, 0);
  EXPECT_NE(user.err.find("user no-such-user: this host knows no such user"), std::string::npos)
      << user.text();
  EXPECT_EQ(cluster().run({"hstat", "-p", "batch", "-u", "root"}).err, "");
  const CommandResult queue = cluster().run({"hinfo", "-p", "bacth", "--json"});
  EXPECT_EQ(queue.exit_code, 1);
  EXPECT_NE(queue.err.find("did you mean batch?"), std::string::npos) << queue.text();
  EXPECT_EQ(queue.json()["queues"], Json::array());
  const CommandResult job =
      cluster().run({"hsub", "--wrap", "true"},
                    {.environment = {{"HYADES_DIR", "/no/cluster"}, {"HYADES_JOB_ID", "7"}}});
  expect_refused(job, 1,
                 "cannot reach the master in /no/cluster: it is down, or on another host than this "
                 "job; for jobs on other hosts set HYADES_MASTER=HOST:PORT");
  EXPECT_EQ(job.err.find("hyades up"), std::string::npos) << job.text();
  expect_refused(
      cluster().run({"hstat"}, {.environment = {{"HYADES_DIR", "/no/cluster"}}}), 1,
      "cannot reach the master in /no/cluster: there is no such directory; if the master is on "
      "another host, set HYADES_MASTER=HOST:PORT");
}

// `hacct | true`: whoever reads has gone, which is nothing to complain of.
TEST_F(BadInput, ReadersMayGoEarly) {
  for (const char* command : {"hacct", "hstat", "hinfo", "hctl show config", "hstat --json"}) {
    const CommandResult result =
        cluster().run({"/bin/bash", "-c", "{ sleep 0.1; " + program("") + command + "; } | true"});
    EXPECT_EQ(result.err, "") << command;
  }
  const CommandResult full = cluster().run({"/bin/bash", "-c", program("hinfo") + " >/dev/full"});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_NE(full.err.find("cannot write to standard output"), std::string::npos) << full.text();
}

// Every job is compared with every word: a filter has an end.
TEST_F(BadInput, AFilterOfTooManyWordsIsRefused) {
  std::string names = "n0";
  for (int i = 1; i <= 1000; ++i) names += ",n" + std::to_string(i);
  const CommandResult result = cluster().run({"hstat", "-n", names});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(
      result.err.find("a list may be narrowed by 1000 users, queues, names, states and nodes"),
      std::string::npos)
      << result.text();
}

}  // namespace
}  // namespace hyades::test
