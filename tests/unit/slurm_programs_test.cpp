// srun and scontrol as scripts written for Slurm meet them in their jobs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../e2e/command.hpp"
#include "step_box.hpp"

namespace hyades {
namespace {

using test::CommandResult;
using testing::HasSubstr;
using Words = std::vector<std::string>;

class SlurmPrograms : public testing::Test {
 protected:
  CommandResult run(const std::string& program, Words words) {
    words.insert(words.begin(), program_beside_me("hyades-slurm/" + program));
    test::CommandOptions options;
    options.environment = box.environment();
    options.directory = box.root.path();
    return test::run_command(words, options);
  }

  StepBox box{{2, 2, 1}};
};

TEST_F(SlurmPrograms, SrunSaysWhatItCannotDo) {
  const auto srun = [&](const Words& words) { return run("srun", words); };
  const CommandResult good = srun({"-n2", "--cpu-bind=none", "--gres", "gpu:1", "-u", "--export",
                                   "ALL,WHO=me,AND=you", "sh", "-c", "echo $NODE_RANK $WHO $AND"});
  EXPECT_EQ(good.out, "0 me you\n0 me you\n") << good.err;
  EXPECT_EQ(good.err, "");
  EXPECT_EQ(srun({"-n", "1", "sh", "-c", "exit 7"}).exit_code, 7);
  const CommandResult merged = srun({"-n1", "-o", box.root / "both", "ls", "/dev/null", "/none"});
  EXPECT_EQ(merged.out + merged.err, "");
  EXPECT_THAT(read_text(box.root / "both"), HasSubstr("/dev/null\n"));
  EXPECT_THAT(read_text(box.root / "both"), HasSubstr("/none"));
  EXPECT_THAT(srun({"--mpi=pmix", "-n1", "true"}).err, HasSubstr("with mpirun"));
  const std::pair<Words, const char*> wrong[] = {
      {{"--ntask-per-nod=2", "true"}, "did you mean --ntasks-per-node?"},
      {{"-o", "out.%t", "true"}, "srun --label"},
      {{"--export=NONE", "true"}, "always have the script's environment"},
      {{"-n", "2"}, "name the command"}};
  for (const auto& [words, message] : wrong) {
    const CommandResult result = srun(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

TEST_F(SlurmPrograms, ScontrolShowsHostNamesAndNothingElse) {
  const auto scontrol = [&](const Words& words) { return run("scontrol", words); };
  EXPECT_EQ(scontrol({"show", "hostnames", "n[9-10],a"}).out, "n9\nn10\na\n");
  EXPECT_EQ(scontrol({"show", "hostlist", "n1,n2,n3,x"}).out, "n[1-3],x\n");
  EXPECT_EQ(scontrol({"show", "hostnames"}).exit_code, 1) << "not in a job";
  EXPECT_EQ(scontrol({"show", "hostnames", "n[9-"}).exit_code, 1);
  const CommandResult other = scontrol({"requeue", "7"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("hctl --help"));
}

}  // namespace
}  // namespace hyades
