// Submitting: from scripts, --wrap and standard input, with directives; where output goes and what
// comes back.
#include <unistd.h>

#include "shared_cluster_test.hpp"
#include "wire/client_connection.hpp"

namespace hyades::test {
namespace {

class Submit : public SharedClusterTest<Submit> {
 public:
  using SharedClusterTest::options;
};

std::string number(JobId id) { return std::to_string(id); }

TEST_F(Submit, ScriptRunsWhereItWasSubmitted) {
  cluster().write_script("where.sh", "pwd; echo \"arguments: $*\"; echo to stderr >&2");
  const CommandResult result = cluster().run({"hsub", "where.sh", "--lr", "0.1"});
  ASSERT_EQ(result.exit_code, 0) << result.text();
  ASSERT_TRUE(result.out.starts_with("Submitted batch job ")) << result.out;
  const JobId id = std::stoull(result.out.substr(20));
  const Json job = cluster().must_wait(id);
  EXPECT_EQ(job["state"], "COMPLETED") << job.dump(2);
  EXPECT_EQ(job["name"], "where.sh");
  EXPECT_EQ(cluster().read_file("hyades-" + number(id) + ".out"),
            cluster().work() + "\narguments: --lr 0.1\nto stderr\n");
}

TEST_F(Submit, Wrap) {
  const JobId id = cluster().must_wrap("echo $((6 * 7))", {"-o", "wrap.out"});
  EXPECT_EQ(cluster().must_wait(id)["state"], "COMPLETED");
  EXPECT_EQ(cluster().read_file("wrap.out"), "42\n");
}

TEST_F(Submit, StandardInput) {
  const JobId id = cluster().must_submit({"-J", "piped", "-o", "%x.out"},
                                         {.input = "#!/bin/sh\necho from a pipe\n"});
  EXPECT_EQ(cluster().must_wait(id)["name"], "piped");
  EXPECT_EQ(cluster().read_file("piped.out"), "from a pipe\n");
}

TEST_F(Submit, HwaitExitsAsTheJob) {
  const struct {
    const char* command;
    int exit_code;
    const char* state;
  } cases[] = {{"exit 0", 0, "COMPLETED"},    {"exit 1", 1, "FAILED"},
               {"exit 7", 7, "FAILED"},       {"exit 255", 255, "FAILED"},
               {"kill -9 $$", 137, "FAILED"}, {"kill -SEGV $$", 139, "FAILED"}};
  std::vector<JobId> ids;
  for (const auto& each : cases) {
    ids.push_back(cluster().must_wrap(each.command, {"-o", "/dev/null"}));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const CommandResult result = cluster().run({"hwait", number(ids[i])});
    EXPECT_EQ(result.exit_code, cases[i].exit_code) << cases[i].command << "\n" << result.text();
    EXPECT_EQ(cluster().state_of(ids[i]), cases[i].state) << cases[i].command;
  }
}

TEST_F(Submit, HsubWaitExitsAsTheJob) {
  const CommandResult result =
      cluster().run({"hsub", "--wait", "-o", "/dev/null", "--wrap", "exit 9"});
  EXPECT_EQ(result.exit_code, 9) << result.text();
  EXPECT_EQ(result.err, "");
}

TEST_F(Submit, HsubWaitSaysWhyAJobDidNotStart) {
  const CommandResult result =
      cluster().run({"hsub", "--wait", "-D", "/missing", "--wrap", "true"});
  EXPECT_EQ(result.exit_code, 1) << result.text();
  EXPECT_NE(
      result.err.find("(wrap): LAUNCH_FAILED (cannot enter the working directory \"/missing\""),
      std::string::npos)
      << result.text();
}

TEST_F(Submit, OutputPatterns) {
  const JobId id =
      cluster().must_wrap("echo out; echo err >&2",
                          {"-J", "pat", "-w", "vn2", "-o", "%x-%6j-%N-%%.o", "-e", "%u.%j.e"});
  cluster().must_wait(id);
  char padded[32];
  std::snprintf(padded, sizeof padded, "pat-%06llu-vn2-%%.o", static_cast<unsigned long long>(id));
  EXPECT_EQ(cluster().read_file(padded), "out\n");
  const std::string user = cluster().job(id)["user"];
  EXPECT_EQ(cluster().read_file(user + "." + number(id) + ".e"), "err\n");
}

TEST_F(Submit, OutputCanBeAppended) {
  for (int i = 0; i < 2; ++i) {
    cluster().must_wait(cluster().must_wrap("echo line", {"-o", "log.out", "--open-mode=append"}));
  }
  EXPECT_EQ(cluster().read_file("log.out"), "line\nline\n");
}

TEST_F(Submit, HsubDirectivesAndTheCommandLineOverThem) {
  cluster().write_script("directives.sh",
                         "#HSUB --job-name=from-script -c 2\n"
                         "#HSUB --output=\"%x result.txt\"   # a remark\n"
                         "# a comment\n"
                         "echo $HYADES_JOB_NAME $HYADES_CPUS_ON_NODE $HYADES_CORES");
  cluster().must_wait(cluster().must_submit({"directives.sh"}));
  EXPECT_TRUE(cluster().read_file("from-script result.txt").starts_with("from-script 2 "));
  cluster().must_wait(cluster().must_submit({"-J", "mine", "-c", "3", "directives.sh"}));
  EXPECT_TRUE(cluster().read_file("mine result.txt").starts_with("mine 3 "));
}

TEST_F(Submit, SbatchScriptsRunUnchanged) {
  cluster().write_script("train.sbatch",
                         "#SBATCH --job-name=train\n"
                         "#SBATCH --ntasks=2\n"
                         "#SBATCH --time=00:10:00\n"
                         "#SBATCH --mail-type=END   # nobody sends it\n"
                         "#SBATCH --account=physics\n"
                         "echo $SLURM_JOB_NAME $SLURM_JOB_ID $SLURM_NTASKS $SLURM_JOB_NODELIST");
  const CommandResult result = cluster().run({"hsub", "--parsable", "train.sbatch"});
  ASSERT_EQ(result.exit_code, 0) << result.text();
  EXPECT_NE(result.err.find("train.sbatch:5: "), std::string::npos) << result.err;
  const JobId id = std::stoull(result.out);
  const Json job = cluster().must_wait(id);
  EXPECT_EQ(job["time_limit_s"], 600);
  EXPECT_EQ(cluster().read_file("slurm-" + number(id) + ".out"),
            "train " + number(id) + " 2 " + job["nodes"][0].get<std::string>() + "\n");
}

TEST_F(Submit, UnknownOptionsWarnAndStrictRefuses) {
  cluster().write_script("odd.sh", "#HSUB --flux-capacitor=1.21GW\ntrue");
  const CommandResult lenient = cluster().run({"hsub", "--parsable", "odd.sh"});
  EXPECT_EQ(lenient.exit_code, 0) << lenient.text();
  EXPECT_NE(lenient.err.find("odd.sh:2: "), std::string::npos) << lenient.err;
  EXPECT_NE(lenient.err.find("flux-capacitor"), std::string::npos) << lenient.err;
  cluster().must_wait(std::stoull(lenient.out));
  const CommandResult strict = cluster().run({"hsub", "--strict", "odd.sh"});
  EXPECT_EQ(strict.exit_code, 2) << strict.text();
  EXPECT_EQ(strict.out, "");
  EXPECT_NE(strict.err.find("refused because of --strict"), std::string::npos) << strict.err;
}

TEST_F(Submit, EnvironmentComesAlongAsAskedFor) {
  const CommandOptions with{.environment = {{"FRUIT", "apple pie"}, {"OMPI_MCA_x", "outer"}}};
  const auto show = "echo \"${FRUIT-none} ${OMPI_MCA_x-none}\"";
  cluster().must_wait(cluster().must_submit({"-o", "env1", "--wrap", show}, with));
  EXPECT_EQ(cluster().read_file("env1"), "apple pie none\n");
  cluster().must_wait(cluster().must_submit({"-o", "env2", "--export=NONE", "--wrap", show}, with));
  EXPECT_EQ(cluster().read_file("env2"), "none none\n");
  cluster().must_wait(
      cluster().must_submit({"-o", "env3", "--export=FRUIT=pear", "--wrap", show}, with));
  EXPECT_EQ(cluster().read_file("env3"), "pear none\n");
}

TEST_F(Submit, JsonKeysOfAJob) {
  const JobId id = cluster().must_wrap("exit 3", {"-J", "keys", "-o", "/dev/null"});
  const Json job = cluster().must_wait(id);
  for (const char* key : {"id", "state", "exit_code", "queue", "user", "nodes", "submit_time",
                          "start_time", "end_time", "reason"}) {
    EXPECT_TRUE(job.contains(key)) << key;
  }
  EXPECT_EQ(job["id"], id);
  EXPECT_EQ(job["exit_code"], 3);
  EXPECT_TRUE(job["nodes"].is_array());
}

TEST_F(Submit, TestOnlyQueuesNothing) {
  const CommandResult result = cluster().run({"hsub", "--test-only", "--wrap", "true"});
  EXPECT_EQ(result.exit_code, 0) << result.text();
  EXPECT_NE(result.out.find("would start at once"), std::string::npos) << result.text();
  const CommandResult never = cluster().run({"hsub", "--test-only", "-c", "99", "--wrap", "true"});
  EXPECT_EQ(never.exit_code, 1) << never.text();
  EXPECT_NE(never.err.find("can ever hold this job"), std::string::npos) << never.err;
  EXPECT_NE(never.err.find("largest node has 4 cores"), std::string::npos) << never.err;
}

// What a client does that lost its connection before the answer came.
TEST_F(Submit, TheSameTokenIsTheSameJob) {
  pb::ClientRequest request;
  pb::Submit& submit = *request.mutable_submit();
  submit.set_token("same-token");
  submit.mutable_spec()->set_name("once");
  submit.mutable_spec()->set_tasks(1);
  submit.mutable_spec()->set_cpus_per_task(1);
  submit.mutable_payload()->set_script("#!/bin/sh\necho x >>" + cluster().path("once.log") + "\n");
  submit.mutable_payload()->set_working_directory(cluster().work());
  submit.mutable_payload()->set_stdout_path("/dev/null");
  JobId first = 0;
  for (int i = 0; i < 3; ++i) {
    ClientConnection connection({cluster().directory(), ""});
    pb::ClientReply reply;
    std::string error;
    ASSERT_EQ(connection.call(request, reply, 10'000, error), CallResult::Ok) << error;
    ASSERT_EQ(reply.error(), "") << reply.message();
    if (first == 0) first = reply.job();
    EXPECT_EQ(reply.job(), first);
    cluster().must_wait(first);
  }
  EXPECT_EQ(cluster().read_file("once.log"), "x\n");
}

}  // namespace
}  // namespace hyades::test
