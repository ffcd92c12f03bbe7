// Reading the kernel's files, and what is taken for a number.
#include "telemetry/source_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "fixture_tree.hpp"
#include "telemetry/fields.hpp"

namespace hyades {
namespace {

TEST(SourceFile, IsReadAgainFromItsBeginning) {
  FixtureTree tree;
  tree.write("/a", "first\n");
  SourceFile file(tree.root() + "/a");
  ASSERT_TRUE(file.read());
  EXPECT_EQ(file.text(), "first\n");
  tree.write("/a", "2\n");
  ASSERT_TRUE(file.read());
  EXPECT_EQ(file.text(), "2\n");
  tree.write("/a", "");
  ASSERT_TRUE(file.read());
  EXPECT_EQ(file.text(), "");
}

TEST(SourceFile, TellsGoneFromUnreadable) {
  FixtureTree tree;
  SourceFile missing(tree.root() + "/no/such");
  EXPECT_FALSE(missing.read());
  EXPECT_TRUE(missing.gone());
  EXPECT_EQ(missing.why(), tree.root() + "/no/such: gone");
  tree.make_directory("/folder");
  SourceFile folder(tree.root() + "/folder");
  EXPECT_FALSE(folder.read());
  EXPECT_FALSE(folder.gone());
  EXPECT_EQ(folder.why(), tree.root() + "/folder: Is a directory");
}

TEST(SourceFile, NoticesThatAFileWentAndCameBack) {
  FixtureTree tree;
  tree.write("/a", "old\n");
  SourceFile file(tree.root() + "/a");
  ASSERT_TRUE(file.read());
  tree.remove("/a");
  EXPECT_FALSE(file.read());
  EXPECT_TRUE(file.gone());
  EXPECT_EQ(file.text(), "");
  EXPECT_FALSE(file.read());
  tree.write("/a", "new\n");
  ASSERT_TRUE(file.read());
  EXPECT_EQ(file.text(), "new\n");
  EXPECT_EQ(file.why(), "");
  EXPECT_FALSE(file.gone());
  tree.remove("/a");
  tree.write("/a", "another\n");
  ASSERT_TRUE(file.read());
  EXPECT_EQ(file.text(), "another\n");
}

TEST(SourceFile, ALongFileIsCutAfterAWholeLine) {
  FixtureTree tree;
  tree.write("/a", "12345\n67890\n");
  SourceFile file(tree.root() + "/a", 10);
  ASSERT_TRUE(file.read());
  EXPECT_EQ(file.text(), "12345\n");
  SourceFile short_one(tree.root() + "/a", 4);
  EXPECT_FALSE(short_one.read());
  EXPECT_EQ(short_one.text(), "");
  EXPECT_FALSE(short_one.gone());
  std::string table;
  for (int i = 0; i < 20'000; ++i) table += std::to_string(i) + '\n';
  tree.write("/long", table);
  SourceFile whole(tree.root() + "/long", 1'000'000);
  ASSERT_TRUE(whole.read());
  EXPECT_EQ(whole.text(), table);
}

TEST(SourceFile, AFifoDoesNotHoldItUp) {
  FixtureTree tree;
  ASSERT_EQ(mkfifo((tree.root() + "/fifo").c_str(), 0600), 0);
  SourceFile file(tree.root() + "/fifo");
  file.read();
  EXPECT_EQ(file.text(), "");
}

TEST(SourceFile, TheKernelsOwnFilesCanBeReadAgain) {
  SourceFile uptime("/proc/uptime");
  ASSERT_TRUE(uptime.read());
  const std::string before(uptime.text());
  EXPECT_FALSE(before.empty());
  // Changes a hundred times a second.
  for (int i = 0; i < 10'000 && uptime.text() == before; ++i) {
    usleep(1000);
    ASSERT_TRUE(uptime.read());
  }
  EXPECT_NE(uptime.text(), before);
}

TEST(SourceFile, AProcessThatEndedIsGone) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  SourceFile file("/proc/" + std::to_string(child) + "/stat");
  EXPECT_TRUE(file.read());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(file.read());
  EXPECT_TRUE(file.gone());
}

// The energy counters of processors are root's alone; the daemon does not stay root.
TEST(SourceFile, WhatRootOpenedGoesOnBeingReadable) {
  if (geteuid() != 0) GTEST_SKIP() << "needs to be root";
  FixtureTree tree;
  tree.write("/secret", "17\n");
  chmod((tree.root() + "/secret").c_str(), 0400);
  SourceFile kept(tree.root() + "/secret");
  ASSERT_TRUE(kept.read());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    SourceFile fresh(tree.root() + "/secret");
    if (fresh.read() || fresh.gone()) _exit(2);
    if (!kept.read() || kept.text() != "17\n") _exit(3);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(SourceFile, NamesAreInTheOrderOfTheirNumbers) {
  FixtureTree tree;
  for (const char* name : {"hwmon10", "hwmon2", "hwmon0"}) {
    tree.make_directory("/c/" + std::string(name));
  }
  EXPECT_EQ(names_in(tree.root() + "/c"),
            (std::vector<std::string>{"hwmon0", "hwmon2", "hwmon10"}));
  EXPECT_TRUE(names_in(tree.root() + "/none").empty());
}

TEST(Fields, CountsAreDigitsAndNothingElse) {
  std::uint64_t value = 7;
  EXPECT_TRUE(parse_count("18446744073709551615", value));
  EXPECT_EQ(value, 18446744073709551615u);
  for (const char* junk : {"", " 1", "1 ", "+1", "-1", "1.5", "0x10", "1e3", "nan", "12a", "\0001",
                           "18446744073709551616", "99999999999999999999999"}) {
    value = 7;
    EXPECT_FALSE(parse_count(junk, value)) << junk;
    EXPECT_EQ(value, 7u);
  }
  std::int64_t signed_value = 0;
  EXPECT_TRUE(parse_integer("-40000", signed_value));
  EXPECT_EQ(signed_value, -40000);
  EXPECT_FALSE(parse_integer("--1", signed_value));
  EXPECT_FALSE(parse_integer("9223372036854775808", signed_value));
}

TEST(Fields, DecimalsHaveNoExponentAndAreNumbers) {
  double value = 0;
  EXPECT_TRUE(parse_decimal("12", value));
  EXPECT_EQ(value, 12);
  EXPECT_TRUE(parse_decimal("-3.25", value));
  EXPECT_EQ(value, -3.25);
  EXPECT_TRUE(parse_decimal("0.00", value));
  EXPECT_EQ(value, 0);
  for (const char* junk : {"", "-", ".", ".5", "5.", "-.5", "1e9", "inf", "nan", "-inf", "1.2.3",
                           "1,5", "0x1p3", "1 ", "123456789012345678901"}) {
    value = 7;
    EXPECT_FALSE(parse_decimal(junk, value)) << junk;
    EXPECT_EQ(value, 7);
  }
}

TEST(Fields, ALineThatHasNoEndIsNotRead) {
  std::uint64_t value = 0;
  EXPECT_TRUE(count_after("a 1\nb 2\n", "b ", value));
  EXPECT_EQ(value, 2u);
  EXPECT_FALSE(count_after("a 1\nb 2", "b ", value));
  EXPECT_FALSE(count_after("a 1\nbb 2\n", "b ", value));
  EXPECT_FALSE(count_after("ab 1\n", "b ", value));
  EXPECT_FALSE(count_after("b \n", "b ", value));
  EXPECT_FALSE(count_after("", "b ", value));
  EXPECT_EQ(only_line("12\n"), "12");
  EXPECT_EQ(only_line("12"), "12");
}

TEST(Fields, NamesBecomeWordsOfAMetric) {
  EXPECT_EQ(metric_word("Package id 0"), "package_id_0");
  EXPECT_EQ(metric_word("eth0.100@if3"), "eth0.100_if3");
  EXPECT_EQ(metric_word("\n\xc3\xa4"), "___");
  EXPECT_EQ(metric_word(""), "_");
}

TEST(Fields, TroubleDoesNotGrowWithoutEnd) {
  std::string trouble;
  for (int i = 0; i < 1000; ++i) add_trouble(trouble, "the same again");
  EXPECT_EQ(trouble.size(), 400u);
  EXPECT_EQ(trouble.substr(397), "...");
  trouble.clear();
  add_trouble(trouble, "one");
  add_trouble(trouble, "");
  add_trouble(trouble, "two");
  EXPECT_EQ(trouble, "one; two");
}

}  // namespace
}  // namespace hyades
