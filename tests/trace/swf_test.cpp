#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/job_spec.hpp"
#include "trace/log_file.hpp"
#include "trace/swf_reader.hpp"
#include "trace/swf_writer.hpp"
#include "workload_contract.hpp"

namespace hyades {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string head = "; MaxProcs: 64\n";

// A line of a job; what the test is about is replaced.
struct Line {
  std::string id = "1", submit = "0", run = "10", got = "-1", procs = "4", request = "20";
  std::string memory = "-1", user = "-1";
  operator std::string() const {
    return id + " " + submit + " -1 " + run + " " + got + " -1 -1 " + procs + " " + request + " " +
           memory + " 1 " + user + " -1 -1 -1 -1 -1 -1\n";
  }
};

SwfLog parse(const std::string& text, int procs = 0) {
  SwfLog log = parse_swf("log.swf", text, procs);
  EXPECT_EQ(broken_promise(log.workload), "");
  EXPECT_EQ(log.jobs_read,
            static_cast<std::int64_t>(log.workload.jobs.size()) + log.clean_ups.left_out());
  return log;
}

std::string refusal(const std::string& text, int procs = 0, const SwfLimits& limits = {}) {
  try {
    parse_swf("log.swf", text, procs, limits);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

std::string packed(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::vector<std::pair<std::string, std::int64_t>> counts(const SwfLog& log) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (const CleanUps::Line& line : log.clean_ups.lines()) {
    EXPECT_FALSE(line.sentence.empty());
    counts.emplace_back(line.word, line.count);
  }
  return counts;
}

using Counts = std::vector<std::pair<std::string, std::int64_t>>;

TEST(SwfReader, TakesTheFieldsOfAJob) {
  const SwfLog log = parse(
      "; Computer: Seth\n; UnixStartTime: 1027839845\n; TimeZoneString: Europe/Stockholm\n"
      "; MaxNodes: 120 (two processors each)\n; MaxProcs: 240\n; words for people\n\n"
      "  11   342072     32  43306   32  43307    -1   33  43400  2048  1   4   5  6 7 8 -1 -1\n");
  const TraceJob job{11, 342072, 43306, 43400, 33, 2048, 4, 5, 6, 7, 8, 32};
  EXPECT_EQ(log.workload.jobs, std::vector{job});
  EXPECT_EQ(log.workload.name, "log");
  EXPECT_EQ(log.workload.procs, 240);
  EXPECT_EQ(log.workload.unix_start_s, 1027839845);
  EXPECT_EQ(log.header.computer, "Seth");
  EXPECT_EQ(log.header.time_zone, "Europe/Stockholm");
  EXPECT_EQ(log.header.max_nodes, 120);
  EXPECT_THAT(log.clean_ups.lines(), IsEmpty());
  EXPECT_THAT(log.clean_ups.examples(), IsEmpty());
}

TEST(SwfReader, TheMachineIsWhatTheCallerSaysElseMaxProcsElseMaxNodes) {
  const std::string line = Line{.procs = "40"};
  EXPECT_EQ(parse("; MaxNodes: 50\n; MaxProcs: 60\n" + line).workload.procs, 60);
  EXPECT_EQ(parse("; MaxNodes: 50\n" + line).workload.procs, 50);
  EXPECT_EQ(parse("; MaxNodes: 50\n" + line, 45).workload.procs, 45);
  EXPECT_EQ(parse(line + "; MaxProcs: 60\n").workload.procs, 60);
  EXPECT_THAT(refusal(line), AllOf(StartsWith("log.swf: "), HasSubstr("--procs")));
  EXPECT_THAT(refusal("; MaxProcs: 99999999999\n" + line), HasSubstr("99999999999"));
}

TEST(SwfReader, LeavesOutWhatCannotBeReplayed) {
  const SwfLog log = parse(head + std::string(Line{.id = "1"}) +           //
                           std::string(Line{.id = "2", .run = "0"}) +      //
                           std::string(Line{.id = "3", .run = "-1"}) +     //
                           std::string(Line{.id = "4", .procs = "0"}) +    //
                           std::string(Line{.id = "5", .procs = "65"}) +   //
                           std::string(Line{.id = "6", .submit = "-1"}) +  //
                           std::string(Line{.id = "7", .procs = "64"}));
  ASSERT_EQ(log.workload.jobs.size(), 2u);
  EXPECT_EQ(log.workload.jobs[1].id, 7);
  // Job 7 stands below one that was "submitted" earlier than the first.
  EXPECT_EQ(counts(log), (Counts{{"no_run_time", 2},
                                 {"no_processors", 1},
                                 {"too_large", 1},
                                 {"negative_submit", 1},
                                 {"disordered", 1}}));
}

TEST(SwfReader, MendsAndCounts) {
  const SwfLog log = parse(head + std::string(Line{.got = "8", .procs = "-1"}) +
                           std::string(Line{.id = "2", .got = "8", .procs = "2"}) +
                           std::string(Line{.id = "3", .request = "-1"}) +
                           std::string(Line{.id = "4", .run = "30"}) +
                           std::string(Line{.id = "5", .run = "2.5", .user = "-7"}) +
                           std::string(Line{.id = "6", .got = "9", .procs = "0", .request = "0"}));
  ASSERT_EQ(log.workload.jobs.size(), 6u);
  EXPECT_EQ(log.workload.jobs[0].procs, 8);
  EXPECT_EQ(log.workload.jobs[1].procs, 2);
  EXPECT_EQ(log.workload.jobs[2].request_s, 10);
  EXPECT_EQ(log.workload.jobs[3].run_s, 20);
  EXPECT_EQ(log.workload.jobs[4].run_s, 3);
  EXPECT_EQ(log.workload.jobs[4].user, -1);
  EXPECT_EQ(log.workload.jobs[5].procs, 9);
  EXPECT_EQ(log.workload.jobs[5].request_s, 10);
  EXPECT_EQ(counts(log), (Counts{{"allocated_processors", 2},
                                 {"no_request", 2},
                                 {"run_cut", 1},
                                 {"rounded", 1},
                                 {"other_negative", 1}}));
}

// What no job may ask for is none of a log's either, so that no replay is refused for it.
TEST(SwfReader, KeepsWithinWhatAJobMayAskFor) {
  const SwfLog log =
      parse("; MaxProcs: 8000000\n" + std::string(Line{.id = "1", .request = "999999999"}) +
            std::string(Line{.id = "2", .run = "9999999999", .request = "-1"}) +
            std::string(Line{.id = "3", .procs = "1000000"}) +
            std::string(Line{.id = "4", .procs = "1000001"}));
  ASSERT_EQ(log.workload.jobs.size(), 3u);
  EXPECT_EQ(log.workload.jobs[0].request_s, 315'360'000);
  EXPECT_EQ(log.workload.jobs[1].request_s, 315'360'000);
  EXPECT_EQ(log.workload.jobs[1].run_s, 315'360'000);
  EXPECT_EQ(counts(log),
            (Counts{{"too_large", 1}, {"no_request", 1}, {"long_request", 2}, {"run_cut", 1}}));
}

TEST(SwfReader, OrdersBySubmissionThenNumber) {
  const SwfLog log = parse(head + std::string(Line{.id = "9", .submit = "5"}) +
                           std::string(Line{.id = "3", .submit = "5"}) +
                           std::string(Line{.id = "4", .submit = "2"}) +
                           std::string(Line{.id = "3", .submit = "7"}));
  std::vector<std::int64_t> ids;
  for (const TraceJob& job : log.workload.jobs) ids.push_back(job.id);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{4, 3, 9, 3}));
  EXPECT_EQ(counts(log), (Counts{{"disordered", 1}, {"duplicate_id", 1}}));
}

TEST(SwfReader, NamesLinesThatAreNoJobs) {
  const SwfLog log =
      parse(head + std::string(Line{}) + "1 2 3\n" + std::string(Line{.run = "nan"}) +
            std::string(Line{.request = "1e300"}) + std::string(Line{.submit = "inf"}) +
            std::string(Line{.id = "99999999999999999999"}) + std::string(Line{.memory = "12x"}) +
            std::string(Line{.user = "1\n"}).substr(0, 30) + "\n" +
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n" + "not a job\n");
  EXPECT_EQ(log.workload.jobs.size(), 1u);
  EXPECT_EQ(log.clean_ups.count(CleanUp::BrokenLine), 9);
  const auto& examples = log.clean_ups.examples();
  ASSERT_EQ(examples.size(), CleanUps::examples_max);
  EXPECT_EQ(examples[0], "log.swf:3: has 3 fields, a job has 18");
  EXPECT_EQ(examples[1], "log.swf:4: field 4 (run time) is \"nan\", not a number");
  EXPECT_EQ(examples[2], "log.swf:5: field 9 (requested time) is \"1e300\", more than any log has");
  const std::vector<std::string> sentences = log.clean_ups.sentences();
  EXPECT_EQ(sentences.front(), "left out: the line is not a job (9 times)");
  EXPECT_EQ(sentences.back(), "and 1 more");
  EXPECT_EQ(examples[3], "log.swf:6: field 2 (submit time) is \"inf\", more than any log has");
}

TEST(SwfReader, NamesHeaderLinesThatCannotBeUsed) {
  const SwfLog log =
      parse("; MaxProcs: many\n; MaxNodes: 8\n; UnixStartTime: -4\n" + std::string(Line{}));
  EXPECT_EQ(log.workload.procs, 8);
  EXPECT_EQ(log.workload.unix_start_s, 0);
  EXPECT_EQ(counts(log), (Counts{{"broken_header", 2}}));
  EXPECT_EQ(log.clean_ups.examples()[0], "log.swf:1: cannot be used: ; MaxProcs: many");
}

TEST(SwfReader, LinesMayEndInAnyWay) {
  std::string crlf = head + std::string(Line{}) + std::string(Line{.id = "2"});
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != crlf.npos; at += 2) crlf.insert(at, "\r");
  EXPECT_EQ(parse(crlf).workload.jobs.size(), 2u);
  EXPECT_THAT(counts(parse(crlf)), IsEmpty());
  EXPECT_EQ(parse("\xef\xbb\xbf" + crlf.substr(0, crlf.size() - 2)).workload.jobs.size(), 2u);
}

TEST(SwfReader, SurvivesBytesThatAreNoText) {
  const std::string binary("\0\xff\0;\0\n\0 \0\n", 10);
  const SwfLog log = parse(head + binary + std::string(Line{}) + std::string(5, '\0'));
  EXPECT_EQ(log.workload.jobs.size(), 1u);
  EXPECT_EQ(log.clean_ups.count(CleanUp::BrokenLine), 3);
  for (const std::string& example : log.clean_ups.examples()) {
    for (const char character : example) EXPECT_GE(character, ' ') << example;
  }
  EXPECT_THAT(refusal(head + binary), HasSubstr("no job that can be replayed"));
  EXPECT_THAT(refusal(""), HasSubstr("it has none at all"));
}

TEST(SwfReader, ALineOfAMegabyteIsOneBrokenLine) {
  for (const std::size_t length : {65'535u, 65'536u, 65'537u, 200'000u, 262'144u, 1'000'000u}) {
    // Blanks: a line of any length would be a job.
    std::string line = Line{};
    line.insert(line.find(' '), length - line.size() + 1, ' ');
    const SwfLog log = parse(head + line + std::string(Line{.id = "2"}));
    EXPECT_EQ(log.jobs_read, 2);
    EXPECT_EQ(log.clean_ups.count(CleanUp::BrokenLine), length > 65'536 ? 1 : 0) << length;
    EXPECT_EQ(log.workload.jobs.back().id, 2);
    EXPECT_EQ(parse(head + std::string(Line{}) + ";" + std::string(length, 'x')).jobs_read, 1);
  }
}

TEST(SwfReader, ReadsOnWhereABlockEnds) {
  std::string text = head;
  std::int64_t jobs = 0;
  for (; text.size() < 3'000'000; ++jobs) {
    text += Line{.id = std::to_string(jobs), .submit = std::to_string(jobs), .user = "7"};
  }
  for (const std::string& bytes : {text, packed(text), packed(head) + packed(text)}) {
    const SwfLog log = parse(bytes);
    EXPECT_THAT(counts(log), IsEmpty());
    ASSERT_EQ(log.workload.jobs.size(), static_cast<std::size_t>(jobs));
    for (std::int64_t i = 0; i < jobs; ++i) ASSERT_EQ(log.workload.jobs[i].id, i);
  }
}

TEST(SwfReader, DamagedGzipIsRefused) {
  std::string text = head;
  for (int i = 0; i < 2000; ++i) text += Line{.id = std::to_string(i * 7919 % 2000)};
  const std::string whole = packed(text);
  ASSERT_EQ(refusal(whole), "");
  for (const std::size_t cut : {2u, 9u, 12u, 200u, 1000u}) {
    EXPECT_THAT(refusal(whole.substr(0, cut)), HasSubstr("ends in the middle")) << cut;
  }
  EXPECT_THAT(refusal(whole.substr(0, whole.size() - 1)), HasSubstr("ends in the middle"));
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 1;  // of the checksum
  EXPECT_THAT(refusal(damaged), HasSubstr("damaged"));
}

TEST(SwfReader, WhatIsTooLargeIsRefused) {
  const std::string bomb = packed(std::string(4 << 20, ' '));
  ASSERT_LT(bomb.size(), 10'000u);
  EXPECT_THAT(refusal(bomb, 8, {.bytes_max = 1 << 20}), HasSubstr("larger than"));
  EXPECT_THAT(refusal(bomb, 8), HasSubstr("no job"));
  const std::string jobs = head + std::string(Line{}) + std::string(Line{});
  EXPECT_EQ(refusal(jobs, 0, {.jobs_max = 2}), "");
  EXPECT_THAT(refusal(jobs, 0, {.jobs_max = 1}), HasSubstr("more than 1 jobs"));
}

class SwfFiles : public ::testing::Test {
 protected:
  SwfFiles() { std::filesystem::create_directory(directory_); }
  ~SwfFiles() override { std::filesystem::remove_all(directory_); }
  const std::string directory_ = ::testing::TempDir() + "swf_test." + std::to_string(::getpid());
};

TEST_F(SwfFiles, WhatIsWrittenIsReadBack) {
  Workload workload{"site", 4096, 1'700'000'000, {}};
  workload.jobs = {
      {5, 0, 1, 1, 1, -1, -1, -1, -1, -1, -1},
      {1, 7, 3600, 86'400, 4096, 2'000'000, 3, 4, 5, 6, 7},
      {2, 7, Limits::time_limit_s_max, Limits::time_limit_s_max, 17, 0, INT32_MAX, 0, 0, 0, 0}};
  const SwfHeader header{.computer = "a\nb",
                         .installation = "here",
                         .max_nodes = 64,
                         .queues = {{1, "batch"}, {2, "big jobs"}},
                         .partitions = {{7, "x"}}};
  for (const std::string name : {"site.swf", "site.swf.gz"}) {
    const std::string path = directory_ + "/" + name;
    write_log(path, swf_text(workload, header, "made by hand\nfor a test"));
    std::ifstream file(path);
    EXPECT_EQ(file.get() == 0x1f, name.ends_with(".gz"));
    const SwfLog log = read_swf(path);
    EXPECT_EQ(log.workload.jobs, workload.jobs);
    EXPECT_EQ(log.workload.name, workload.name);
    EXPECT_EQ(log.workload.procs, workload.procs);
    EXPECT_EQ(log.workload.unix_start_s, workload.unix_start_s);
    EXPECT_EQ(log.header.computer, "a?b");
    EXPECT_EQ(log.header.max_nodes, 64);
    EXPECT_EQ(log.header.queues, header.queues);
    EXPECT_EQ(log.header.partitions, header.partitions);
    EXPECT_THAT(log.clean_ups.lines(), IsEmpty());
  }
}

TEST_F(SwfFiles, SaysWhatIsWrongWithAFile) {
  EXPECT_THROW(read_swf(directory_ + "/none.swf"), std::runtime_error);
  EXPECT_THROW(read_swf(directory_), std::runtime_error);  // a directory opens, but is not read
  EXPECT_THROW(write_log(directory_ + "/no/x.swf", "x"), std::runtime_error);
  EXPECT_THROW(write_log(directory_ + "/no/x.swf.gz", "x"), std::runtime_error);
  EXPECT_THROW(write_log("/dev/full", "x"), std::runtime_error);
}

}  // namespace
}  // namespace hyades
