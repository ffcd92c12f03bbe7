#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/job_spec.hpp"
#include "trace/sacct_fields.hpp"
#include "trace/sacct_reader.hpp"
#include "trace/swf_reader.hpp"
#include "trace/swf_writer.hpp"
#include "workload_contract.hpp"

namespace hyades {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string titles =
    "JobIDRaw|Submit|Start|ElapsedRaw|TimelimitRaw|ReqCPUS|AllocCPUS|ReqMem|NNodes|User|Group|"
    "Partition|State\n";

HistoryLog parse(const std::string& text, std::int64_t procs = 0) {
  HistoryLog log = parse_sacct("site.csv", text, procs);
  EXPECT_EQ(broken_promise(log.workload), "");
  EXPECT_EQ(log.past.size(), log.workload.jobs.size());
  EXPECT_EQ(log.jobs_read,
            static_cast<std::int64_t>(log.workload.jobs.size()) + log.clean_ups.left_out());
  return log;
}

std::string refusal(const std::string& text) {
  try {
    parse_sacct("site.csv", text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(SacctFields, Times) {
  EXPECT_EQ(sacct_time_s("1970-01-01T00:00:00"), 0);
  EXPECT_EQ(sacct_time_s("2024-02-29T12:34:56"), 1'709'210'096);
  EXPECT_EQ(sacct_time_s("2000-03-01T00:00:00"), 951'868'800);
  EXPECT_EQ(sacct_time_s("2023-12-31T23:59:59"), 1'704'067'199);
  EXPECT_EQ(sacct_time_s("1709210096"), 1'709'210'096);
  for (const char* text :
       {"", "Unknown", "None", "2024-02-29", "2024-02-29T12:34", "2024-13-01T0:0:0",
        "2024-02-29T12:34:56Z", "-5-02-29T12:34:56", "99999999999999999999"}) {
    EXPECT_FALSE(sacct_time_s(text)) << text;
  }
}

TEST(SacctFields, Durations) {
  EXPECT_EQ(sacct_duration_s("1-02:03:04"), 93'784);
  EXPECT_EQ(sacct_duration_s("02:03:04"), 7384);
  EXPECT_EQ(sacct_duration_s("03:04.567"), 184);
  EXPECT_EQ(sacct_duration_s("365-00:00:00"), 31'536'000);
  for (const char* text : {"", "UNLIMITED", "Partition_Limit", "INVALID", "5", "1-2", "1-02:03",
                           "1:2:3:4", "-1:00", "01:-1", "9999999999:00", "1:00x"}) {
    EXPECT_FALSE(sacct_duration_s(text)) << text;
  }
}

TEST(SacctFields, MemoryIsThatOfAProcessor) {
  EXPECT_EQ(sacct_memory_kib("4Gc", 8, 2), 4 << 20);
  EXPECT_EQ(sacct_memory_kib("16Gn", 8, 2), 4 << 20);
  EXPECT_EQ(sacct_memory_kib("16G", 8, 2), 2 << 20);
  EXPECT_EQ(sacct_memory_kib("1000M", 1, 1), 1'024'000);
  EXPECT_EQ(sacct_memory_kib("1.50T", 1, 1), 1'610'612'736);
  EXPECT_EQ(sacct_memory_kib("7", 1, -1), 7168);
  for (const char* text : {"", "0", "0n", "-1G", "nan", "inf", "4X", "4Gz", "1e300P", "x"}) {
    EXPECT_FALSE(sacct_memory_kib(text, 1, 1)) << text;
  }
  EXPECT_FALSE(sacct_memory_kib("4G", 0, 1));
}

TEST(SacctReader, TakesTheColumnsByTheirNames) {
  const HistoryLog log =
      parse(titles +
            "17|2024-01-31T08:00:10|2024-01-31T08:01:00|100|60|8|8|4Gc|1|ada|lab|batch|COMPLETED\n"
            "12|2024-01-31T08:00:00|2024-01-31T08:00:00|50|2|4|4||1|bob|lab|gpu|CANCELLED by 0\n");
  const TraceJob first{12, 0, 50, 120, 4, -1, 2, 1, -1, 2, -1, 0};
  const TraceJob second{17, 10, 100, 3600, 8, 4 << 20, 1, 1, -1, 1, -1, 50};
  EXPECT_EQ(log.workload.jobs, (std::vector{first, second}));
  EXPECT_EQ(log.workload.unix_start_s, 1'706'688'000);
  EXPECT_EQ(log.header.queues, (std::map<int, std::string>{{1, "batch"}, {2, "gpu"}}));
  EXPECT_EQ(log.workload.jobs[0].wait_s, 0);
  EXPECT_EQ(log.past[0].status, 5);
  EXPECT_EQ(log.workload.jobs[1].wait_s, 50);
  EXPECT_EQ(log.past[1].status, 1);
  EXPECT_TRUE(log.clean_ups.lines().empty());
  // The one ends before the other begins.
  EXPECT_TRUE(log.machine_guessed);
  EXPECT_EQ(log.workload.procs, 8);
  EXPECT_EQ(log.users.at(1), "ada");
  const std::string text = swf_text(log.workload, log.header, "", log.past);
  EXPECT_THAT(text, HasSubstr("; Queue: 2 gpu\n"));
  EXPECT_THAT(text, HasSubstr("\n17 10 50 100 8 -1 -1 8 3600 4194304 1 1 1 -1 1 -1 -1 -1\n"));
  EXPECT_EQ(parse_swf("x.swf", text).workload.jobs, log.workload.jobs);
}

TEST(SacctReader, OtherColumnsSayTheSame) {
  const HistoryLog log = parse(
      "State,JobID,Timelimit,NCPUS,End,Submit,Start\r\n"
      "TIMEOUT,9_3,1-00:00:00,2,2024-01-31T09:00:00,2024-01-31T07:00:00,2024-01-31T08:00:00\r\n");
  TraceJob job{9, 0, 3600, 86'400, 2};
  job.wait_s = 3600;
  EXPECT_EQ(log.workload.jobs, std::vector{job});
  EXPECT_EQ(log.past[0].status, 0);
}

TEST(SacctReader, CountsWhatItLeavesOut) {
  const std::string good = "1|100|100|10|1|4|4||1|ada|lab|batch|COMPLETED\n";
  const HistoryLog log = parse(titles + good +                                        //
                                   "1.batch|100|100|10|1|4|4||1||||COMPLETED\n"       // a step
                                   "2|100|Unknown|0|1|4|0||1|a|l|b|PENDING\n"         //
                                   "3|100|None|0|1|4|0||1|a|l|b|CANCELLED by 5\n"     //
                                   "4|100|120|10|1|4|4||1|a|l|b|RUNNING\n"            //
                                   "5|100|120|0|1|4|4||1|a|l|b|FAILED\n"              //
                                   "6|100|120|10|1|0|0||1|a|l|b|FAILED\n"             //
                                   "7|100|120|90|1|0|4||1|a|l|b|TIMEOUT\n"            // too long
                                   "8|soon|120|90|1|4|4||1|a|l|b|COMPLETED\n"         //
                                   "x|100|120|90|1|4|4||1|a|l|b|COMPLETED\n"          //
                                   "9|100\n"                                          //
                                   "1|100|100|10||4|4||1|ada|lab|batch|COMPLETED\n",  // again
                               64);
  EXPECT_EQ(log.workload.procs, 64);
  EXPECT_FALSE(log.machine_guessed);
  EXPECT_EQ(log.workload.jobs.size(), 3u);
  const CleanUps& counted = log.clean_ups;
  EXPECT_EQ(counted.count(CleanUp::NotAJob), 1);
  EXPECT_EQ(counted.count(CleanUp::NotRun), 3);
  EXPECT_EQ(counted.count(CleanUp::NoRunTime), 1);
  EXPECT_EQ(counted.count(CleanUp::NoProcessors), 1);
  EXPECT_EQ(counted.count(CleanUp::AllocatedProcessors), 1);
  EXPECT_EQ(counted.count(CleanUp::RunCut), 1);
  EXPECT_EQ(counted.count(CleanUp::NoRequest), 1);
  EXPECT_EQ(counted.count(CleanUp::DuplicateId), 1);
  EXPECT_EQ(counted.count(CleanUp::BrokenLine), 3);
  EXPECT_EQ(counted.examples()[0], "site.csv:10: Submit is \"soon\", not a time");
  EXPECT_THAT(counted.examples()[2], HasSubstr("2 columns, the first line 13"));
}

// Who asked for no limit asked for much; of whom the partition's holds it is not known.
TEST(SacctReader, NoLimitIsTheLongestOne) {
  const HistoryLog log = parse(titles + "1|100|100|10|UNLIMITED|4|4||1|a|l|b|COMPLETED\n" +
                                   "2|100|100|10|Partition_Limit|4|4||1|a|l|b|COMPLETED\n",
                               64);
  EXPECT_EQ(log.workload.jobs[0].request_s, Limits::time_limit_s_max);
  EXPECT_EQ(log.workload.jobs[1].request_s, 10);
}

TEST(SacctReader, TimesThatNoClockShowsAreNotKnown) {
  const HistoryLog far =
      parse(titles + "1|100|9223372036854775807|10|1|4|4||1|a|l|b|COMPLETED\n", 64);
  EXPECT_EQ(far.workload.jobs[0].wait_s, -1);
  const HistoryLog backwards = parse(
      "JobID|Submit|Start|End|ReqCPUS\n1|100|200|-9223372036854775808|4\n2|100|200|150|4\n"
      "3|100|200|260|4\n",
      64);
  EXPECT_EQ(backwards.workload.jobs.size(), 1u);
  EXPECT_EQ(backwards.clean_ups.count(CleanUp::NoRunTime), 2);
}

TEST(SacctReader, SaysWhatIsMissing) {
  EXPECT_THAT(refusal(""), HasSubstr("it has none at all"));
  EXPECT_THAT(refusal("JobID|Start\n"), AllOf(StartsWith("site.csv: "), HasSubstr("Submit")));
  EXPECT_THAT(refusal("Submit|Elapsed|ReqCPUS\n"), HasSubstr("JobID"));
  EXPECT_THAT(refusal("JobID|Submit|ReqCPUS\n"), HasSubstr("Elapsed"));
  EXPECT_THAT(refusal("JobID|Submit|Elapsed\n"), HasSubstr("ReqCPUS"));
  EXPECT_THAT(refusal(std::string("\0\xff\n\0", 4)), HasSubstr("JobID"));
  EXPECT_THAT(refusal(titles), HasSubstr("no job"));
}

TEST(History, TheMachineIsAsLargeAsWasEverUsed) {
  History history;
  history.add({.id = 1, .submit_s = 0, .start_s = 0, .run_s = 10, .procs = 9});
  history.add({.id = 2, .submit_s = 0, .start_s = 10, .run_s = 10, .procs = 6});
  history.add({.id = 3, .submit_s = 0, .start_s = 15, .run_s = 10, .procs = 5});
  EXPECT_EQ(std::move(history).finish("x", 0).workload.procs, 11);
}

TEST(History, JobsTooLargeForTheMachineAreLeftOut) {
  History history;
  history.add({.id = 1, .submit_s = 100, .start_s = 120, .run_s = 10, .procs = 4});
  history.add({.id = 2, .submit_s = 50, .start_s = 120, .run_s = 10, .procs = 5});
  history.add({.id = 3, .submit_s = 50, .start_s = 120, .run_s = 10, .procs = -9'000'000'000});
  const HistoryLog log = std::move(history).finish("x", 4);
  ASSERT_EQ(log.workload.jobs.size(), 1u);
  EXPECT_EQ(log.workload.unix_start_s, 100);
  EXPECT_EQ(log.clean_ups.count(CleanUp::TooLarge), 1);
  EXPECT_EQ(log.clean_ups.count(CleanUp::NoProcessors), 1);
}

}  // namespace
}  // namespace hyades
