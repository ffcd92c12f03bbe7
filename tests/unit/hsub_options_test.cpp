// hsub's options: where they come from, which of them wins, and what each of them means.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/argument_parser.hpp"
#include "cli/dependency_list.hpp"
#include "cli/device_request.hpp"
#include "cli/failure.hpp"
#include "cli/hsub_help.hpp"
#include "cli/job_environment.hpp"
#include "cli/job_request.hpp"
#include "cli/script_reader.hpp"
#include "cli/signal_name.hpp"
#include "cli/submit_option_table.hpp"
#include "cli/submit_options.hpp"

namespace hyades {
namespace {

using Words = std::vector<std::string>;

// A submission as hsub puts it together, without files and master.
struct Try {
  std::string script_body;  // what stands between "#!/bin/sh" and the first command
  Words environment;
  Words command_line;

  SubmitOptions options;
  Words rest;
  JobRequest job;
  Diagnostics found;

  Try& run() {
    const SubmitCommandLine line = read_command_line(command_line, found);
    const std::string script = "#!/bin/sh\n" + script_body + "true\n";
    const Directives directives = scan_directives(script, "job.sh");
    found.errors.insert(found.errors.end(), directives.errors.begin(), directives.errors.end());
    found.warnings.insert(found.warnings.end(), directives.warnings.begin(),
                          directives.warnings.end());
    options = read_directives(directives, "job.sh", found);
    options.override_with(read_environment(environment, found));
    options.override_with(line.options);
    rest = line.script_and_arguments;
    SubmitSurroundings surroundings;
    surroundings.environment = environment;
    surroundings.current_directory = "/home/ann";
    surroundings.now_ms = 1'896'091'200'000;
    job = make_job_request(options, {script, "job.sh", !directives.sbatch.empty()}, {},
                           surroundings, found);
    return *this;
  }
};

Try given(const Words& command_line) { return Try{.command_line = command_line}.run(); }
Try scripted(const std::string& body) { return Try{.script_body = body}.run(); }

JobSpec spec_of(const Words& command_line) {
  const Try result = given(command_line);
  EXPECT_TRUE(result.found.errors.empty())
      << (result.found.errors.empty() ? "" : result.found.errors[0]);
  return result.job.spec;
}

// The one error that these options cause.
std::string error_of(const Words& command_line) {
  const Try result = given(command_line);
  EXPECT_EQ(result.found.errors.size(), 1u) << testing::PrintToString(result.found.errors);
  return result.found.errors.empty() ? "" : result.found.errors[0];
}

bool mentions(const Words& messages, const std::string& text) {
  for (const std::string& message : messages) {
    if (message.find(text) != std::string::npos) return true;
  }
  return false;
}

// ---- the three traps of Boost.Program_options --------------------------------------------------

TEST(BoostTraps, OptionsOfTheScriptAreTheScripts) {
  const Try result = given({"-N", "2", "train.sh", "--lr", "0.1", "-n", "5", "--no-such"});
  EXPECT_EQ(result.rest, (Words{"train.sh", "--lr", "0.1", "-n", "5", "--no-such"}));
  EXPECT_TRUE(result.found.errors.empty());
  EXPECT_TRUE(result.found.warnings.empty());
  EXPECT_EQ(result.job.spec.tasks, 2);
}

TEST(BoostTraps, OptionalValuesNeverTakeTheNextWord) {
  Try result = given({"--exclusive", "train.sh"});
  EXPECT_EQ(result.rest, (Words{"train.sh"}));
  EXPECT_TRUE(result.job.spec.exclusive);
  result = given({"--nice", "10", "x"});
  EXPECT_EQ(result.rest, (Words{"10", "x"}));
  EXPECT_EQ(result.job.spec.priority, -100);
  EXPECT_EQ(spec_of({"--nice=10"}).priority, -10);
}

TEST(BoostTraps, RepeatedOptionsAreAllowedAndTheLastWins) {
  EXPECT_EQ(spec_of({"-N2", "--nodes=3", "-N", "7"}).nodes, 7);
  EXPECT_EQ(scripted("#SBATCH -N2\n#SBATCH -N 5\n").job.spec.nodes, 5);
}

// ---- forms -------------------------------------------------------------------------------------

TEST(Forms, EveryWayToWriteAnOption) {
  for (const Words& form :
       {Words{"--time=10"}, Words{"--time", "10"}, Words{"-t10"}, Words{"-t", "10"}}) {
    EXPECT_EQ(spec_of(form).time_limit_s, 600) << form[0];
  }
  EXPECT_TRUE(spec_of({"-HQ"}).hold);
  EXPECT_EQ(spec_of({"-HN4"}).nodes, 4);
  EXPECT_EQ(given({"--comment=", "x"}).job.payload.comment, "");
  EXPECT_EQ(given({"--comment=a=b"}).job.payload.comment, "a=b");
  EXPECT_EQ(given({"-H", "--", "-x"}).rest, (Words{"-x"}));
  EXPECT_EQ(given({"-H", "-", "a"}).rest, (Words{"-", "a"}));
}

TEST(Forms, UniqueBeginningsOfLongNamesAreEnough) {
  EXPECT_EQ(given({"--out=x", "--err=y"}).job.payload.stdout_path, "x");
  EXPECT_EQ(given({"--out=x", "--err=y"}).job.payload.stderr_path, "y");
  EXPECT_EQ(spec_of({"--cpus-per-t", "3"}).cpus_per_task, 3);
  EXPECT_NE(error_of({"--ntas=4"}).find("could be any of"), std::string::npos);
}

TEST(Forms, AliasesAreTheSameOption) {
  EXPECT_EQ(spec_of({"--tasks-per-node=4"}).tasks_per_node, 4);
  EXPECT_EQ(spec_of({"--queue=gpu"}).queue, "gpu");
  EXPECT_EQ(spec_of({"-p", "gpu"}).queue, "gpu");
}

TEST(Forms, WrongOnesAreErrors) {
  EXPECT_EQ(error_of({"-N=4"}), "-N=4: not a number of nodes; use 4 or 2-4");
  EXPECT_EQ(error_of({"--time"}), "--time: a value is missing");
  EXPECT_EQ(error_of({"--hold=3"}), "--hold=3: this option takes no value");
}

// ---- unknown, ignored and refused
// ----------------------------------------------------------------

TEST(Unknown, WarnsAndNamesTheNearest) {
  const Try result = given({"--nodez=4", "--zzzzzz=1", "-Z"});
  EXPECT_TRUE(result.found.errors.empty());
  EXPECT_TRUE(
      mentions(result.found.warnings, "--nodez=4: unknown option, ignored; did you mean --nodes?"));
  EXPECT_TRUE(mentions(result.found.warnings, "--zzzzzz=1: unknown option, ignored"));
  EXPECT_EQ(result.found.warnings.size(), 3u);
}

TEST(Unknown, InAScriptTheNextWordMayBeItsValue) {
  Try result = scripted("#SBATCH --image docker:x -N 2\n");
  EXPECT_EQ(result.found.warnings.size(), 1u);
  EXPECT_TRUE(mentions(result.found.warnings, "job.sh:2: --image: unknown option, ignored"));
  EXPECT_EQ(result.job.spec.nodes, 2);
  result = scripted("#SBATCH -N 2 stray\n");
  EXPECT_TRUE(mentions(result.found.warnings, "job.sh:2: 'stray' is no option, ignored"));
}

TEST(Ignored, KnownToSbatchIsAcceptedWithAWarning) {
  for (const char* option :
       {"--account=a", "--qos=q", "--mail-type=END", "--mail-user=a@b", "--reservation=r",
        "--licenses=l", "--hint=nomultithread", "--time-min=5", "-qdebug", "-s", "--propagate"}) {
    const Try result = given({option});
    EXPECT_TRUE(result.found.errors.empty()) << option;
    EXPECT_TRUE(mentions(result.found.warnings, "ignored: not supported yet")) << option;
  }
  for (const char* option : {"--wait-all-nodes=1", "--kill-on-invalid-dep=yes", "--ignore-pbs"}) {
    EXPECT_TRUE(given({option}).found.warnings.empty()) << option;
  }
}

TEST(Refused, ArraysNeverRunOnceSilently) {
  for (const Words& words : {Words{"-a", "0-9"}, Words{"--array=0-9"}}) {
    EXPECT_NE(error_of(words).find("job arrays are not supported yet"), std::string::npos);
  }
  EXPECT_TRUE(mentions(scripted("#SBATCH --array=0-9\n").found.errors,
                       "job.sh:2: --array=0-9: job arrays are not supported yet"));
  Try result{.environment = {"SBATCH_ARRAY_INX=0-3"}};
  EXPECT_TRUE(mentions(result.run().found.errors, "job arrays are not supported yet"));
}

TEST(Refused, PrivilegedOptionsAreErrorsEverywhere) {
  for (const char* option : {"--uid=0", "--gid=0", "--prolog=/x", "--epilog=/x"}) {
    EXPECT_TRUE(mentions(scripted(std::string("#HSUB ") + option + "\n").found.errors,
                         std::string("job.sh:2: ") + option + ": only an administrator"));
    EXPECT_NE(error_of({option}).find("only an administrator"), std::string::npos);
  }
  Try result{.environment = {"HSUB_UID=0"}};
  EXPECT_EQ(result.run().found.errors.size(), 1u);
}

TEST(Refused, HeterogeneousJobs) {
  EXPECT_TRUE(mentions(scripted("#SBATCH -N 1\n#SBATCH hetjob\n#SBATCH -N 2\n").found.errors,
                       "job.sh:3: hetjob: heterogeneous jobs are not supported yet"));
}

TEST(Refused, WhatBelongsOnTheCommandLine) {
  for (const char* option : {"--wrap=x", "--help", "--dir=/x", "--strict", "--version"}) {
    EXPECT_TRUE(mentions(scripted(std::string("#SBATCH ") + option + "\n").found.errors,
                         "belongs on the command line"))
        << option;
  }
}

// ---- precedence --------------------------------------------------------------------------------

TEST(Precedence, ScriptThenEnvironmentThenCommandLine) {
  Try result{
      .script_body = "#HSUB -t 3\n#SBATCH -t 1 -c 1 -n 1 -p a\n",
      .environment = {"HSUB_CPUS_PER_TASK=5", "SBATCH_CPUS_PER_TASK=4", "SBATCH_PARTITION=b"},
      .command_line = {"-n", "9"}};
  const JobSpec& spec = result.run().job.spec;
  EXPECT_TRUE(result.found.errors.empty());
  EXPECT_EQ(spec.time_limit_s, 180);  // #HSUB over #SBATCH, wherever they stand
  EXPECT_EQ(spec.cpus_per_task, 5);   // HSUB_* over SBATCH_* over the script
  EXPECT_EQ(spec.queue, "b");
  EXPECT_EQ(spec.tasks, 9);
}

TEST(Precedence, SbatchsOwnNamesOfVariables) {
  Try result{.environment = {"SBATCH_TIMELIMIT=5", "SBATCH_MEM_PER_NODE=2G",
                             "SBATCH_EXCLUSIVE=", "SBATCH_NO_REQUEUE=1", "SBATCH_JOB_NAME=x",
                             "SBATCH_NOT_OURS=1", "HSUB_HOLD=0"}};
  const JobSpec& spec = result.run().job.spec;
  EXPECT_EQ(spec.time_limit_s, 300);
  EXPECT_EQ(spec.memory_per_node_mib, 2048);
  EXPECT_TRUE(spec.exclusive);
  EXPECT_FALSE(spec.requeue);
  EXPECT_FALSE(spec.hold);
  EXPECT_EQ(spec.name, "x");
  EXPECT_TRUE(result.found.warnings.empty());
  Try wrong{.environment = {"SBATCH_TIMELIMIT=abc", "HSUB_TIMES=1"}};
  wrong.run();
  EXPECT_TRUE(
      mentions(wrong.found.errors, "environment variable SBATCH_TIMELIMIT=abc: not a time"));
  EXPECT_TRUE(mentions(wrong.found.warnings, "HSUB_TIMES=1: no such option"));
}

TEST(Precedence, OptionsThatExcludeEachOther) {
  Try result{.script_body = "#SBATCH --no-requeue --mem=1G\n",
             .command_line = {"--requeue", "--mem-per-cpu=100M"}};
  const JobSpec& spec = result.run().job.spec;
  EXPECT_TRUE(result.found.errors.empty());
  EXPECT_TRUE(spec.requeue);
  EXPECT_EQ(spec.memory_per_node_mib, 0);
  EXPECT_EQ(spec.memory_per_cpu_mib, 100);
  EXPECT_FALSE(spec_of({"--requeue", "--no-requeue"}).requeue);
  EXPECT_TRUE(spec_of({"--no-requeue", "--requeue"}).requeue);
  EXPECT_NE(error_of({"--mem=1G", "--mem-per-cpu=1G"}).find("in two ways"), std::string::npos);
}

TEST(Precedence, ErrorsNameTheirPlace) {
  const Try result = scripted("#SBATCH -N 2\n#HSUB --time=abc\n#SBATCH --mem=1X -N=4\n");
  EXPECT_TRUE(mentions(result.found.errors,
                       "job.sh:3: --time=abc: not a time; use minutes, "
                       "h:mm:ss or d-hh:mm:ss"));
  EXPECT_TRUE(mentions(result.found.errors, "job.sh:4: --mem=1X: not an amount of memory"));
  EXPECT_TRUE(mentions(result.found.errors, "job.sh:4: -N=4: not a number of nodes"));
}

// ---- meanings ----------------------------------------------------------------------------------

TEST(Meaning, Times) {
  EXPECT_EQ(spec_of({"-t", "90"}).time_limit_s, 5400);
  EXPECT_EQ(spec_of({"-t", "1:30"}).time_limit_s, 90);
  EXPECT_EQ(spec_of({"-t", "2:00:00"}).time_limit_s, 7200);
  EXPECT_EQ(spec_of({"-t", "1-12"}).time_limit_s, 36 * 3600);
  EXPECT_EQ(spec_of({"-t", "1-0:30:15"}).time_limit_s, 86400 + 1815);
  for (const char* bad : {"abc", "", "-5", "1:2:3:4", "1h", "9999999999999"}) {
    EXPECT_NE(error_of({std::string("--time=") + bad}).find("not a time"), std::string::npos)
        << bad;
  }
  EXPECT_NE(error_of({"--time=UNLIMITED"}).find("without a time limit"), std::string::npos);
}

TEST(Meaning, NodesAndTasks) {
  JobSpec spec = spec_of({"-N", "3"});
  EXPECT_EQ(spec.nodes, 3);
  EXPECT_EQ(spec.tasks, 3);
  spec = spec_of({"-N", "2", "--ntasks-per-node=4"});
  EXPECT_EQ(spec.tasks, 8);
  EXPECT_EQ(spec.tasks_per_node, 4);
  spec = spec_of({"-n", "6", "--ntasks-per-node=4", "-c", "2"});
  EXPECT_EQ(spec.nodes, 0);
  EXPECT_EQ(spec.tasks, 6);
  EXPECT_EQ(spec.cpus_per_task, 2);
  const Try range = given({"-N", "2-4"});
  EXPECT_EQ(range.job.spec.nodes, 2);
  EXPECT_TRUE(mentions(range.found.warnings, "the job gets 2 nodes"));
  const Try fewer = given({"-N", "4", "-n", "2"});
  EXPECT_EQ(fewer.job.spec.nodes, 2);
  EXPECT_TRUE(mentions(fewer.found.warnings, "fewer tasks than nodes"));
  for (const char* bad : {"0", "-1", "4-2", "x", "2-", "1-x", "99999999", "1.5", ""}) {
    EXPECT_FALSE(given({"-N", bad}).found.errors.empty()) << bad;
  }
  for (const char* option : {"-n", "-c", "--ntasks-per-node"}) {
    EXPECT_FALSE(given({option, "0"}).found.errors.empty()) << option;
    EXPECT_FALSE(given({option, "1x"}).found.errors.empty()) << option;
    EXPECT_FALSE(given({option, "99999999999"}).found.errors.empty()) << option;
  }
}

TEST(Meaning, Memory) {
  EXPECT_EQ(spec_of({"--mem=512"}).memory_per_node_mib, 512);
  EXPECT_EQ(spec_of({"--mem=4G"}).memory_per_node_mib, 4096);
  EXPECT_EQ(spec_of({"--mem=4GB"}).memory_per_node_mib, 4096);
  EXPECT_EQ(spec_of({"--mem-per-cpu=1g"}).memory_per_cpu_mib, 1024);
  EXPECT_EQ(spec_of({"--mem-per-gpu=2G", "--gres=gpu:2"}).memory_per_node_mib, 4096);
  EXPECT_TRUE(mentions(given({"--mem=0"}).found.warnings, "without --exclusive"));
  EXPECT_TRUE(given({"--mem=0", "--exclusive"}).found.warnings.empty());
  for (const char* bad : {"1X", "-1G", "1.5G", "", "G"}) {
    EXPECT_FALSE(given({std::string("--mem=") + bad}).found.errors.empty()) << bad;
  }
}

TEST(Meaning, Devices) {
  using Devices = std::vector<DeviceCount>;
  EXPECT_EQ(spec_of({"--gres=gpu:2"}).devices_per_node, (Devices{{"gpu", 2}}));
  EXPECT_EQ(spec_of({"--gres=gpu"}).devices_per_node, (Devices{{"gpu", 1}}));
  EXPECT_EQ(spec_of({"--gres=nic:1,gpu:2"}).devices_per_node, (Devices{{"gpu", 2}, {"nic", 1}}));
  EXPECT_EQ(spec_of({"--gres=none"}).devices_per_node, Devices{});
  const JobSpec typed = spec_of({"--gres=gpu:a100:4", "-C", "ssd"});
  EXPECT_EQ(typed.devices_per_node, (Devices{{"gpu", 4}}));
  EXPECT_EQ(typed.features, (Words{"a100", "ssd"}));
  EXPECT_EQ(spec_of({"--gpus-per-node=v100:2"}).features, (Words{"v100"}));
  EXPECT_EQ(spec_of({"-G", "3"}).devices_per_node, (Devices{{"gpu", 3}}));
  EXPECT_EQ(spec_of({"-G", "3"}).nodes, 1);
  EXPECT_EQ(spec_of({"-N2", "--gpus=4"}).devices_per_node, (Devices{{"gpu", 2}}));
  EXPECT_NE(error_of({"-N2", "--gpus=3"}).find("shared evenly"), std::string::npos);
  EXPECT_EQ(spec_of({"-n", "2", "--gpus-per-task=2"}).devices_per_node, (Devices{{"gpu", 4}}));
  EXPECT_EQ(spec_of({"-N2", "--ntasks-per-node=2", "--gpus-per-task=1"}).devices_per_node,
            (Devices{{"gpu", 2}}));
  EXPECT_EQ(spec_of({"--gres=gpu:2", "--cpus-per-gpu=3"}).cpus_per_task, 6);
  for (const char* bad :
       {"gpu:", "gpu:x:y", "gpu:2:x", ":2", "gpu:-1", "gpu:0.5", "gpu:a b:1", ",", ""}) {
    EXPECT_FALSE(given({std::string("--gres=") + bad}).found.errors.empty()) << bad;
  }
  EXPECT_FALSE(given({"--gpus=many"}).found.errors.empty());
  EXPECT_NE(error_of({"--gres=gpu:2", "--gpus-per-node=3"}).find("another option"),
            std::string::npos);
}

TEST(Meaning, FeaturesAndHosts) {
  EXPECT_EQ(spec_of({"-C", "ssd&avx2"}).features, (Words{"avx2", "ssd"}));
  for (const char* bad : {"a|b", "[a|b]", "a*2", "(a&b)", "a&", ""}) {
    EXPECT_FALSE(given({"-C", bad}).found.errors.empty()) << bad;
  }
  JobSpec spec = spec_of({"-w", "n[1-3]", "-x", "n9"});
  EXPECT_EQ(spec.node_list, (Words{"n1", "n2", "n3"}));
  EXPECT_EQ(spec.exclude, (Words{"n9"}));
  EXPECT_EQ(spec.nodes, 3);
  EXPECT_EQ(spec.tasks, 3);
  spec = spec_of({"-w", "n[1-3]", "-N", "2"});
  EXPECT_EQ(spec.nodes, 2);
  EXPECT_NE(error_of({"-w", "n1", "-N", "2"}).find("names 1 nodes"), std::string::npos);
  EXPECT_NE(error_of({"-w", "n[1-3]", "-x", "n2"}).find(": node n2 is in --nodelist"),
            std::string::npos);
  EXPECT_FALSE(given({"-w", "n[1-"}).found.errors.empty());
}

TEST(Meaning, BeginAndPriority) {
  EXPECT_EQ(spec_of({"--begin=now+1hour"}).begin_ms, 1'896'091'200'000 + 3'600'000);
  EXPECT_NE(error_of({"-b", "whenever"}).find("not a time"), std::string::npos);
  EXPECT_EQ(spec_of({"--priority=50", "--nice=20"}).priority, 30);
  EXPECT_EQ(spec_of({"--nice"}).priority, -100);
  EXPECT_EQ(spec_of({"--nice=-5"}).priority, 5);
  EXPECT_FALSE(given({"--priority=high"}).found.errors.empty());
  EXPECT_FALSE(given({"--priority=99999999"}).found.errors.empty());
}

TEST(Meaning, Dependencies) {
  std::vector<Dependency> list;
  EXPECT_EQ(parse_dependencies("afterok:12:13,afterany:14,after:15,afternotok:16", list), "");
  EXPECT_EQ(list, (std::vector<Dependency>{{DependencyKind::AfterOk, 12},
                                           {DependencyKind::AfterOk, 13},
                                           {DependencyKind::AfterAny, 14},
                                           {DependencyKind::After, 15},
                                           {DependencyKind::AfterNotOk, 16}}));
  EXPECT_EQ(parse_dependencies("afterok:1:1,afterok:1", list), "");
  EXPECT_EQ(list.size(), 1u);
  const std::pair<const char*, const char*> bad[] = {
      {"afterok:1?afterok:2", "'?'"},
      {"singleton", "singleton"},
      {"aftercorr:1", "aftercorr"},
      {"afterok:", "a variable empty"},
      {"afterok", "a job id is missing"},
      {"12", "say what to wait for"},
      {"afterok:x", "not a job id"},
      {"afterok:0", "not a job id"},
      {"after:1+5", "a delay"},
      {"afterok:1_2", "job arrays"},
      {"later:1", "not a dependency"},
      {"", "not a dependency"},
      {"afterok:1,", "not a dependency"},
      {"afterok:-1", "not a job id"},
      {"afterok:99999999999999999999", "not a job id"}};
  for (const auto& [text, clause] : bad) {
    EXPECT_NE(parse_dependencies(text, list).find(clause), std::string::npos) << text;
    EXPECT_EQ(list.size(), 1u) << text;
  }
  EXPECT_EQ(error_of({"-d", "afterok:"}),
            "-d afterok:: a job id is missing behind ':'; is a variable empty?");
}

TEST(Meaning, Counters) {
  EXPECT_EQ(spec_of({}).counters, Words{});  // the configuration's
  EXPECT_EQ(spec_of({"--counters=PAPI_TOT_INS,perf::PAGE-FAULTS"}).counters,
            (Words{"PAPI_TOT_INS", "perf::PAGE-FAULTS"}));
  EXPECT_EQ(spec_of({"--counters=none"}).counters, Words{"none"});
  const auto error = [](const std::string& list) {
    const auto errors = given({"--counters=" + list}).found.errors;
    return errors.empty() ? std::string() : errors.front();
  };
  EXPECT_NE(error("PAPI_TOT_INT").find("did you mean PAPI_TOT_INS?"), std::string::npos)
      << error("PAPI_TOT_INT");
  for (const char* bad : {"", ",", "none,PAPI_TOT_INS", "PAPI_TOT_INS,PAPI_TOT_INS", "a b"}) {
    EXPECT_NE(error(bad), "") << bad;
  }
}

TEST(Meaning, Classes) {
  EXPECT_EQ(spec_of({}).work_class, "");  // the queue's
  EXPECT_EQ(spec_of({"--class=memory"}).work_class, "memory");
  for (const std::string& bad : Words{"", "two words", "a/b", std::string(65, 'x')}) {
    EXPECT_FALSE(given({"--class=" + bad}).found.errors.empty()) << bad;
  }
}

TEST(Meaning, ElasticJobs) {
  EXPECT_EQ(spec_of({}).elastic, 0);  // the queue's
  EXPECT_EQ(spec_of({"--elastic"}).elastic, Limits::count_max);
  EXPECT_EQ(spec_of({"--elastic=yes"}).elastic, Limits::count_max);
  EXPECT_EQ(spec_of({"--elastic=8"}).elastic, 8);
  EXPECT_EQ(spec_of({"--elastic=no"}).elastic, -1);
  for (const std::string& bad : Words{"0", "-1", "many", "8x", "1000001"}) {
    EXPECT_FALSE(given({"--elastic=" + bad}).found.errors.empty()) << bad;
  }
  const auto useless = given({"-c", "2", "--elastic=2"});
  EXPECT_TRUE(useless.found.errors.empty());
  EXPECT_TRUE(mentions(useless.found.warnings, "--elastic=2: means nothing"));
  EXPECT_TRUE(given({"-c", "2", "--elastic=3"}).found.warnings.empty());
}

TEST(Meaning, PowerMargins) {
  EXPECT_EQ(spec_of({}).power_margin, 0);  // the queue's
  EXPECT_EQ(spec_of({"--power-margin=5"}).power_margin, 5);
  EXPECT_EQ(spec_of({"--power-margin=no"}).power_margin, -1);
  for (const std::string& bad : Words{"0", "-1", "51", "5%", ""}) {
    EXPECT_FALSE(given({"--power-margin=" + bad}).found.errors.empty()) << bad;
  }
  EXPECT_TRUE(mentions(given({"--power-margin=0"}).found.errors, "must be from 1 to 50, or no"));
  EXPECT_TRUE(mentions(given({"--nodes=2", "--power-margin=5"}).found.warnings, "not capped"));
  EXPECT_TRUE(given({"--power-margin=5"}).found.warnings.empty());
}

TEST(Meaning, Signals) {
  EXPECT_EQ(signal_number("USR1"), 10);
  EXPECT_EQ(signal_number("SIGUSR1"), 10);
  EXPECT_EQ(signal_number("sigterm"), 15);
  EXPECT_EQ(signal_number("9"), 9);
  for (const char* bad : {"", "0", "65", "NOPE", "SIG", "-9", "9x"})
    EXPECT_EQ(signal_number(bad), 0);
  EXPECT_EQ(signal_name(15), "TERM");
  EXPECT_EQ(spec_of({"--signal=USR1"}).warning, (WarningSignal{10, 60, false}));
  EXPECT_EQ(spec_of({"--signal=B:USR2@120"}).warning, (WarningSignal{12, 120, true}));
  EXPECT_EQ(spec_of({"--signal=10@0"}).warning, (WarningSignal{10, 0, false}));
  for (const char* bad : {"", "B:", "X:USR1", "R:USR1", "USR1@", "USR1@x", "USR1@99999", "@60"}) {
    EXPECT_FALSE(given({std::string("--signal=") + bad}).found.errors.empty()) << bad;
  }
}

TEST(Meaning, Environment) {
  const Words mine = {
      "PATH=/mine", "HOME=/home/ann", "A=1", "B=2", "BASH_FUNC_ml%%=() { x; }", "noequals", "=bad"};
  Words out;
  EXPECT_EQ(job_environment("", mine, out), "");
  EXPECT_EQ(out, (Words{"A=1", "B=2", "HOME=/home/ann", "PATH=/mine"}));
  EXPECT_EQ(job_environment("ALL", mine, out), "");
  EXPECT_EQ(out.size(), 4u);
  EXPECT_EQ(job_environment("NIL", mine, out), "");
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(job_environment("NONE", mine, out), "");
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0], "HOME=/home/ann");
  EXPECT_NE(out[1], "PATH=/mine");
  EXPECT_EQ(job_environment("ALL,A=9,C='x,y',D=\"a b\"", mine, out), "");
  EXPECT_EQ(out, (Words{"A=9", "B=2", "C=x,y", "D=a b", "HOME=/home/ann", "PATH=/mine"}));
  EXPECT_EQ(job_environment("A,PATH,MISSING", mine, out), "");
  EXPECT_EQ(out, (Words{"A=1", "HOME=/home/ann", "PATH=/mine"}));
  for (const char* bad : {"A,NONE", "1X=2", "a b", ",", "C='x"}) {
    EXPECT_NE(job_environment(bad, mine, out), "") << bad;
  }
  EXPECT_FALSE(given({"--export=a-b"}).found.errors.empty());
}

TEST(Meaning, FilesAndDirectories) {
  Try result = given({"-D", "run", "-o", "out-%j", "-i", "none", "--open-mode=append"});
  EXPECT_EQ(result.job.payload.working_directory, "/home/ann/run");
  EXPECT_EQ(result.job.payload.stdout_path, "out-%j");
  EXPECT_EQ(result.job.payload.stderr_path, "");
  EXPECT_EQ(result.job.payload.stdin_path, "/dev/null");
  EXPECT_TRUE(result.job.payload.append_output);
  EXPECT_EQ(given({"-D", "/data"}).job.payload.working_directory, "/data");
  EXPECT_EQ(given({}).job.payload.stdout_path, "hyades-%j.out");
  EXPECT_EQ(scripted("#SBATCH -N 1\n").job.payload.stdout_path, "slurm-%j.out");
  EXPECT_EQ(scripted("#HSUB -N 1\n").job.payload.stdout_path, "hyades-%j.out");
  EXPECT_FALSE(given({"--open-mode=x"}).found.errors.empty());
}

TEST(Meaning, Names) {
  EXPECT_EQ(given({}).job.spec.name, "job.sh");
  EXPECT_EQ(spec_of({"-J", "train"}).name, "train");
  EXPECT_EQ(name_of_script("/a/b/train.sh"), "train.sh");
  EXPECT_TRUE(is_printable_utf8(name_of_script("/a/\xff\x1b[31m\n")));
  EXPECT_TRUE(is_printable_utf8(name_of_script(std::string(5000, 'x'))));
  EXPECT_LE(name_of_script(std::string(5000, 'x')).size(), Limits::name_bytes_max);
  EXPECT_FALSE(given({"-J", "a\x1b[31m"}).found.errors.empty());
  EXPECT_FALSE(given({"-J", std::string(1 << 20, 'x')}).found.errors.empty());
}

TEST(Meaning, ExclusiveAndQueues) {
  EXPECT_TRUE(mentions(given({"--exclusive=user"}).found.warnings, "shared with nobody"));
  EXPECT_NE(error_of({"--exclusive=x"}).find("takes no value"), std::string::npos);
  EXPECT_NE(error_of({"-p", "a,b"}).find("several queues"), std::string::npos);
}

TEST(Meaning, TooMuchEnvironmentIsRefused) {
  Try result{.environment = {"BIG=" + std::string(2 << 20, 'x')}};
  EXPECT_TRUE(mentions(result.run().found.errors, "at most 1 MiB is allowed"));
  Try without{.environment = {"BIG=" + std::string(2 << 20, 'x')},
              .command_line = {"--export=NIL"}};
  EXPECT_TRUE(without.run().found.errors.empty());
}

// ---- the script's bytes ------------------------------------------------------------------------

class ScriptFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/hyades-script-XXXXXX";
    const int fd = mkstemp(name);
    ASSERT_GE(fd, 0);
    close(fd);
    path_ = name;
  }
  void TearDown() override { unlink(path_.c_str()); }

  std::string write_and_read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return read_script(path_).text;
  }

  std::string path_;
};

TEST_F(ScriptFile, IsReadByteForByteUpToTheLimit) {
  std::string script = "#!/bin/sh\r\n\x01\xff" + std::string("a\0b", 3);
  EXPECT_EQ(write_and_read(script), script);
  script.resize(Limits::script_bytes_max, '#');
  EXPECT_EQ(write_and_read(script), script);
  script.pop_back();
  EXPECT_EQ(write_and_read(script), script);
}

TEST_F(ScriptFile, IsRefusedAboveTheLimit) {
  for (const std::size_t size : {Limits::script_bytes_max + 1, Limits::script_bytes_max * 3}) {
    try {
      write_and_read(std::string(size, 'x'));
      FAIL() << size;
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find("longer than 4 MiB"), std::string::npos);
      EXPECT_EQ(failure.exit_code, kExitFailed);
    }
  }
}

TEST_F(ScriptFile, ThatCannotBeReadIsNamed) {
  EXPECT_THROW(read_script("/no/such/script.sh"), Failure);
  EXPECT_THROW(read_script("/tmp"), Failure);
}

TEST(Scripts, WithANulByteAreRefused) {
  Diagnostics found;
  const std::string script("#!/bin/sh\necho a\0b\n", 19);
  make_job_request({}, {script, "x", false}, {}, {.current_directory = "/"}, found);
  EXPECT_TRUE(mentions(found.errors, "holds a NUL byte"));
}

TEST(Scripts, WrapMakesOne) {
  EXPECT_EQ(wrap_command("echo 'a b'"), "#!/bin/sh\n# Made by hsub --wrap.\n\necho 'a b'\n");
}

// ---- the table ---------------------------------------------------------------------------------

TEST(OptionTable, NamesAreUnique) {
  std::map<std::string, int> count;
  for (const std::string& name : long_names(submit_option_description())) ++count[name];
  for (const auto& [name, times] : count) EXPECT_EQ(times, 1) << name;
  std::map<char, int> letters;
  for (const SubmitOption& option : submit_option_table()) {
    const std::string names = option.names;
    if (names.size() > 2 && names[names.size() - 2] == ',') ++letters[names.back()];
  }
  for (const auto& [letter, times] : letters) EXPECT_EQ(times, 1) << letter;
}

TEST(OptionTable, HelpNamesEverythingThatWorks) {
  const std::string help = hsub_help();
  for (const SubmitOption& option : submit_option_table()) {
    if (option.support != OptionSupport::Yes || option.name() == "usage") continue;
    EXPECT_NE(help.find("--" + option.name()), std::string::npos) << option.name();
  }
}

TEST(OptionTable, IsTheDocumentedOne) {
  std::ifstream file(HYADES_SOURCE_DIR "/schema/directives.md");
  std::stringstream stream;
  stream << file.rdbuf();
  const std::string text = stream.str();
  for (const SubmitOption& option : submit_option_table()) {
    // As a word of its own: --mem is not described by what is said of --mem-per-cpu.
    const std::string word = "`--" + option.name();
    std::size_t at = text.find(word);
    while (at != std::string::npos &&
           (std::isalnum(static_cast<unsigned char>(text[at + word.size()])) ||
            text[at + word.size()] == '-')) {
      at = text.find(word, at + 1);
    }
    EXPECT_NE(at, std::string::npos) << option.name() << " is not in schema/directives.md";
  }
}

}  // namespace
}  // namespace hyades
