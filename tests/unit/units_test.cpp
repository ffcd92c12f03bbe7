// Amounts, host lists and near words: what people type in the configuration and on command lines;
// and news, which they are told once.
#include "core/units.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/hostlist.hpp"
#include "core/nearest_word.hpp"
#include "core/news.hpp"

namespace hyades {
namespace {

TEST(Duration, ReadsEveryFormOfSbatch) {
  const std::vector<std::pair<std::string, int>> table = {
      {"0", 0},
      {"30", 1800},
      {"90", 5400},
      {"1:30", 90},
      {"90:00", 5400},
      {"2:00:00", 7200},
      {"0:00:01", 1},
      {"1-0", 86400},
      {"1-12", 129600},
      {"1-12:30", 131400},
      {"1-12:30:15", 131415},
      {"7-00:00:00", 604800},
      {"00:05:00", 300},
      {"24855-3:14:07", 2147483647},
  };
  for (const auto& [text, expected] : table) {
    int seconds = -1;
    EXPECT_TRUE(parse_duration_s(text, seconds)) << text;
    EXPECT_EQ(seconds, expected) << text;
  }
}

TEST(Duration, RefusesEverythingElse) {
  for (const std::string text : {"",
                                 " 1",
                                 "1 ",
                                 "-1",
                                 "1:-2",
                                 "+1",
                                 "1:",
                                 ":1",
                                 "1::2",
                                 "1-",
                                 "-",
                                 "1-2-3",
                                 "1:2:3:4",
                                 "1-2:3:4:5",
                                 "1h",
                                 "1.5",
                                 "0x10",
                                 "UNLIMITED",
                                 "24855-3:14:08",
                                 "99999999999",
                                 "99999999999999999999999",
                                 "1-99999999999:00:00"}) {
    int seconds = -7;
    EXPECT_FALSE(parse_duration_s(text, seconds)) << text;
    EXPECT_EQ(seconds, -7) << text;
  }
  int seconds = -7;
  EXPECT_FALSE(parse_duration_s(std::string(1 << 20, '1'), seconds));
  EXPECT_FALSE(parse_duration_s(std::string("1\0", 2), seconds));
}

TEST(Duration, PrintsAsSqueue) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(-5), "0:00");
  EXPECT_EQ(format_duration(59), "0:59");
  EXPECT_EQ(format_duration(754), "12:34");
  EXPECT_EQ(format_duration(3600), "1:00:00");
  EXPECT_EQ(format_duration(86399), "23:59:59");
  EXPECT_EQ(format_duration(86400), "1-00:00:00");
  EXPECT_EQ(format_duration(131415), "1-12:30:15");
}

TEST(Memory, ReadsUnits) {
  const std::vector<std::pair<std::string, MiB>> table = {
      {"0", 0},         {"512", 512},
      {"512M", 512},    {"512mb", 512},
      {"4G", 4096},     {"4g", 4096},
      {"4GB", 4096},    {"1T", 1 << 20},
      {"1tB", 1 << 20}, {"1K", 1},
      {"1024k", 1},     {"1025K", 2},
      {"0K", 0},        {"9223372036854775807", 9223372036854775807},
  };
  for (const auto& [text, expected] : table) {
    MiB mib = -1;
    EXPECT_TRUE(parse_memory_mib(text, mib)) << text;
    EXPECT_EQ(mib, expected) << text;
  }
}

TEST(Memory, RefusesEverythingElse) {
  for (const std::string text :
       {"", "G", "GB", "B", "1B", "512B", "-1", "+1", "1.5G", " 1", "1 G", "1GiB", "1P", "1GG",
        "1GBB", "9223372036854775808", "9223372036854775807G", "999999999999999999999T"}) {
    MiB mib = -7;
    EXPECT_FALSE(parse_memory_mib(text, mib)) << text;
    EXPECT_EQ(mib, -7) << text;
  }
}

TEST(Memory, PrintsWhatItReads) {
  EXPECT_EQ(format_memory(0), "0M");
  EXPECT_EQ(format_memory(1500), "1500M");
  EXPECT_EQ(format_memory(4096), "4G");
  EXPECT_EQ(format_memory(3 << 20), "3T");
  for (const MiB mib : {1, 1023, 1024, 1025, 1 << 20, (1 << 20) + 1024}) {
    MiB back = 0;
    EXPECT_TRUE(parse_memory_mib(format_memory(mib), back));
    EXPECT_EQ(back, mib);
  }
}

std::vector<std::string> expand(const std::string& text) {
  std::vector<std::string> out;
  std::string error;
  EXPECT_TRUE(expand_hostlist(text, out, error)) << text << ": " << error;
  return out;
}

TEST(Hostlist, Expands) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(expand("n1"), Names({"n1"}));
  EXPECT_EQ(expand("n[01-04,7]"), Names({"n01", "n02", "n03", "n04", "n7"}));
  EXPECT_EQ(expand("n[8-11]"), Names({"n8", "n9", "n10", "n11"}));
  EXPECT_EQ(expand("n[08-11]"), Names({"n08", "n09", "n10", "n11"}));
  EXPECT_EQ(expand("n[1-2]-ib,login,n1-ib"), Names({"n1-ib", "n2-ib", "login"}));
  EXPECT_EQ(expand("r[1-2]n[1,3]"), Names({"r1n1", "r1n3", "r2n1", "r2n3"}));
  EXPECT_EQ(expand("n[0-65535]").size(), 65536u);
}

TEST(Hostlist, RefusesWithAReason) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "empty"},
      {"n1,", "empty name"},
      {",n1", "empty name"},
      {"n[1-4", "'[' without ']'"},
      {"n1-4]", "']' without '['"},
      {"n[4-1]", "backwards"},
      {"n[]", "not a number"},
      {"n[1-]", "not a number"},
      {"n[-1]", "not a number"},
      {"n[1,,2]", "not a number"},
      {"n[a-b]", "not a number"},
      {"n[1-[2]]", "not a number"},
      {"n 1", "not a node name"},
      {"a;b", "not a node name"},
      {"-oProxyCommand=x", "not a node name"},
      {"-x", "begins with '-'"},
      {"../n", "not a node name"},
      {"..", "begins with '.'"},
      {"n[0-65536]", "more than 65536"},
      {"n[0-9999999999999]", "more than 65536"},
      {"n[1-99999999999999999999]", "not a number"},
      {"a[1-1000]b[1-1000]", "more than 65536"},
      {std::string(300, 'n'), "longer than 255"},
      {std::string("n\0", 2), "not a node name"},
  };
  for (const auto& [text, part] : table) {
    std::vector<std::string> out = {"kept"};
    std::string error;
    EXPECT_FALSE(expand_hostlist(text, out, error)) << text;
    EXPECT_NE(error.find(part), std::string::npos) << text << ": " << error;
    EXPECT_EQ(out.size(), 1u);
    EXPECT_LT(error.size(), 250u);
  }
}

TEST(Hostlist, Compresses) {
  EXPECT_EQ(compress_hostlist({}), "");
  EXPECT_EQ(compress_hostlist({"n1"}), "n1");
  EXPECT_EQ(compress_hostlist({"login"}), "login");
  EXPECT_EQ(compress_hostlist({"vn1", "vn2", "vn4"}), "vn[1-2,4]");
  EXPECT_EQ(compress_hostlist({"n3", "n1", "n2", "n2"}), "n[1-3]");
  EXPECT_EQ(compress_hostlist({"n09", "n10", "n11"}), "n[09-11]");
  EXPECT_EQ(compress_hostlist({"n9", "n10"}), "n[9-10]");
  EXPECT_EQ(compress_hostlist({"b1", "a1", "login", "b2"}), "b[1-2],a1,login");
  EXPECT_EQ(compress_hostlist({"n1-ib", "n2-ib"}), "n[1-2]-ib");
  EXPECT_EQ(compress_hostlist({"r1n1", "r1n2", "r2n1"}), "r1n[1-2],r2n1");
}

TEST(Hostlist, CompressionLosesNothing) {
  const std::vector<std::vector<std::string>> lists = {
      {"n1", "n01", "n001", "n10", "n100", "n99"},
      {"n08", "n9", "n100", "x", "x1y2", "x1y3", "007", "8"},
      {"n0", "n00", "n123456789012345678901234567890"},
  };
  for (std::vector<std::string> names : lists) {
    std::vector<std::string> back = expand(compress_hostlist(names));
    std::sort(names.begin(), names.end());
    std::sort(back.begin(), back.end());
    EXPECT_EQ(back, names);
  }
}

TEST(NearestWord, FindsSlips) {
  const std::vector<std::string> keys = {"name", "nodes", "priority", "max_time", "default_time"};
  EXPECT_EQ(nearest_word("prioritty", keys), "priority");
  EXPECT_EQ(nearest_word("pirority", keys), "priority");
  EXPECT_EQ(nearest_word("Max-Time", keys), "max_time");
  EXPECT_EQ(nearest_word("node", keys), "nodes");
  EXPECT_EQ(nearest_word("nodes", keys), "nodes");
  EXPECT_EQ(nearest_word("defaulttime", keys), "default_time");
}

TEST(NearestWord, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_word("banana", {"name", "nodes"}), "");
  EXPECT_EQ(nearest_word("", {"name"}), "");
  EXPECT_EQ(nearest_word("x", {}), "");
  EXPECT_EQ(nearest_word(std::string(1 << 20, 'x'), {std::string(1 << 20, 'x')}), "");
}

TEST(News, AreToldOnceUntilTheyChange) {
  News news;
  EXPECT_FALSE(news.is(""));
  EXPECT_TRUE(news.is("a"));
  EXPECT_FALSE(news.is("a"));
  EXPECT_TRUE(news.is("b"));
  EXPECT_FALSE(news.is(""));
  EXPECT_TRUE(news.is("b"));
}

}  // namespace
}  // namespace hyades
