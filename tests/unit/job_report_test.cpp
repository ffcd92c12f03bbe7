// What jobs say of themselves, from anybody who can make a datagram.
#include "core/job_report.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/exit_record.hpp"

namespace hyades {
namespace {

using Reported = std::vector<ReportedFigure>;

JobReport taken(const std::string& message) {
  JobReport report;
  report.take(message);
  return report;
}

TEST(JobReport, TakesWordsBetweenBlanksAndLineEnds) {
  const JobReport report = taken("  progress=0.25\tloss=1.3e-2 \r\n steps=-7\n");
  EXPECT_EQ(report.figures(), (Reported{{"progress", 0.25}, {"loss", 0.013}, {"steps", -7}}));
  EXPECT_EQ(report.refused(), 0);
  EXPECT_TRUE(taken("").figures().empty());
  EXPECT_EQ(taken(" \n\t ").refused(), 0);
}

TEST(JobReport, TheLatestCounts) {
  JobReport report = taken("loss=3 loss=2");
  report.take("accuracy=0.5");
  report.take("loss=1");
  EXPECT_EQ(report.figures(), (Reported{{"loss", 1}, {"accuracy", 0.5}}));
}

TEST(JobReport, WhatIsNoWordOfItIsRefusedByItself) {
  const std::string wrong[] = {"loss",
                               "=",
                               "=1",
                               "loss=",
                               "Loss=1",
                               "1loss=1",
                               "_a=1",
                               "a b",
                               "lo/ss=1",
                               "lo,ss=1",
                               "l\xc3\xb6ss=1",
                               "loss=nan",
                               "loss=inf",
                               "loss=-inf",
                               "loss=1e999",
                               "loss=0x10",
                               "loss=+1",
                               "loss=1x",
                               "loss=1=2",
                               "loss==1",
                               "loss=1,5",
                               std::string("loss=1\0", 7),
                               std::string("\0loss=1", 7),
                               "%=1",
                               std::string(reported_name_bytes_max + 1, 'n') + "=1"};
  for (const std::string& word : wrong) {
    if (word == "a b") continue;  // two words, below
    JobReport report = taken("before=1 " + word + " behind=2");
    EXPECT_EQ(report.figures(), (Reported{{"before", 1}, {"behind", 2}})) << word;
    EXPECT_EQ(report.refused(), 1) << word;
  }
  EXPECT_EQ(taken("a b").refused(), 2);
}

TEST(JobReport, ANameMayHaveAllThatItMayHave) {
  const std::string longest = "a" + std::string(reported_name_bytes_max - 1, 'z');
  EXPECT_EQ(taken(longest + "=1 a_0.b-c=2").figures(), (Reported{{longest, 1}, {"a_0.b-c", 2}}));
}

TEST(JobReport, HasSoManyNamesAndNotOneMore) {
  JobReport report;
  for (int i = 0; i < 1000; ++i) report.take("n" + std::to_string(i) + "=" + std::to_string(i));
  ASSERT_EQ(report.figures().size(), reported_figures_max);
  EXPECT_EQ(report.refused(), 1000 - static_cast<int>(reported_figures_max));
  report.take("n0=7 n999=7");  // known ones may still change
  EXPECT_EQ(report.figures().front(), (ReportedFigure{"n0", 7}));
  EXPECT_EQ(report.figures().size(), reported_figures_max);
}

TEST(JobReport, TooLongAMessageIsOneRefusal) {
  std::string words = "loss=1 ";
  words += std::string(report_bytes_max - words.size(), ' ');
  EXPECT_EQ(taken(words).figures().size(), 1u);
  EXPECT_TRUE(taken(words + ' ').figures().empty());
  EXPECT_EQ(taken(words + ' ').refused(), 1);
}

TEST(JobReport, NumbersSurviveBeingWritten) {
  for (const double value : {0.0, -0.0, 0.1, -1e-300, 1.7976931348623157e308, 1.0 / 3, 12345678.9,
                             std::numeric_limits<double>::denorm_min()}) {
    double again = 7;
    EXPECT_TRUE(parse_reported_value(reported_value_text(value), again)) << value;
    EXPECT_EQ(again, value);
  }
}

// On several nodes: the batch node's part is what the sum begins with.
TEST(JobReport, OfSeveralNodesTheFirstOnesWordCounts) {
  Usage sum = {.reported = {{"loss", 1}, {"progress", 0.5}}, .refused_reports = 1};
  add_usage(sum, {.reported = {{"loss", 9}, {"files", 3}}, .refused_reports = 2});
  EXPECT_EQ(sum.reported, (Reported{{"loss", 1}, {"progress", 0.5}, {"files", 3}}));
  EXPECT_EQ(sum.refused_reports, 3);
  Usage crowd;
  for (int i = 0; i < 16; ++i) crowd.reported.push_back({"other" + std::to_string(i), 1});
  add_usage(sum, crowd);
  EXPECT_EQ(sum.reported.size(), reported_figures_max);
}

}  // namespace
}  // namespace hyades
