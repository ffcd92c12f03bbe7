// Profiles of nodes from files: what is taken, and that what is wrong is named.
#include "cli/profile_file.hpp"

#include <gtest/gtest.h>

namespace hyades {
namespace {

using Names = std::vector<std::string>;

// The only mistake in the text, without the file's name.
std::string mistake(const std::string& text, const Names& nodes = {"n1"}) {
  const ProfileFile file = parse_profiles(text, "f.json", nodes);
  EXPECT_TRUE(file.profiles.empty()) << text;
  EXPECT_EQ(file.errors.size(), 1u) << text;
  if (file.errors.empty()) return "";
  EXPECT_EQ(file.errors[0].rfind("f.json:", 0), 0u) << file.errors[0];
  return file.errors[0].substr(7);
}

std::vector<NamedProfile> good(const std::string& text, const Names& nodes) {
  const ProfileFile file = parse_profiles(text, "f.json", nodes);
  EXPECT_TRUE(file.errors.empty()) << file.errors[0];
  return file.profiles;
}

TEST(ProfileFile, OneProfileIsForAllThatAreNamed) {
  const auto profiles = good(
      R"({"source": "vendor", "measured_ms": 5, "figures": {"gemm_gflops": 50, "mine": 0.25}})",
      {"n1", "n2"});
  ASSERT_EQ(profiles.size(), 2u);
  EXPECT_EQ(profiles[1].node, "n2");
  EXPECT_EQ(profiles[0].profile, profiles[1].profile);
  EXPECT_EQ(profiles[0].profile.source, "vendor");
  EXPECT_EQ(profiles[0].profile.measured_ms, 5);
  EXPECT_EQ(profiles[0].profile.figure("gemm_gflops"), 50);
  EXPECT_EQ(profiles[0].profile.figure("mine"), 0.25);
}

TEST(ProfileFile, WhatIsLeftOutIsTheFilesNameAndNoTime) {
  const auto profiles = good(R"({"figures": {"chase_ns": 100}})", {"n1"});
  EXPECT_EQ(profiles[0].profile.source, "f.json");
  EXPECT_EQ(profiles[0].profile.measured_ms, 0);
}

TEST(ProfileFile, NamedNodesAreThoseOfTheFileOrSomeOfThem) {
  const std::string text = R"({"nodes": {"n[1-3]": {"figures": {"chase_ns": 100}},
                                         "fat": {"figures": {"chase_ns": 200}}}})";
  const auto all = good(text, {});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[2].node, "n3");
  EXPECT_EQ(all[2].profile.figure("chase_ns"), 100);
  EXPECT_EQ(all[3].node, "fat");
  const auto some = good(text, {"fat", "n2"});
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[0].profile.figure("chase_ns"), 200);
  EXPECT_EQ(some[1].node, "n2");
  EXPECT_NE(mistake(text, {"n9"}).find("node n9 is not in it"), std::string::npos);
}

TEST(ProfileFile, WhatIsPrintedIsReadAgain) {
  NodeProfile profile{1'800'000'000'123, "hyades-profile 1", {{"gemm_gflops", 0.1}, {"w", 1e-9}}};
  EXPECT_EQ(good(profile_json(profile).dump(), {"n1"})[0].profile, profile);
}

TEST(ProfileFile, WhatIsNoJsonIsNamedByItsLine) {
  EXPECT_EQ(mistake("{\"figures\":\n {\"a\": NaN}}").substr(0, 2), "2:");
  for (const char* text : {"", "{", "gemm 5", "{\"figures\": {\"a\": 1},}", "\xff", "{'a': 1}"}) {
    EXPECT_NE(mistake(text).find("this is not JSON"), std::string::npos) << text;
  }
  EXPECT_NE(mistake(R"({"figures": {"a": 1e999}})").find("too large"), std::string::npos);
  const std::string deep(100'000, '[');
  EXPECT_NE(mistake(deep).find("too deep"), std::string::npos);
}

TEST(ProfileFile, FiguresAreNumbersAboveZero) {
  for (const char* value : {"-1", "0", "-0.0"}) {
    const std::string text = std::string(R"({"figures": {"chase_ns": )") + value + "}}";
    EXPECT_EQ(mistake(text), " figure 'chase_ns' is not a number above 0");
  }
  for (const char* value : {R"("5")", "null", "true", "[5]", "{}"}) {
    const std::string text = std::string(R"({"figures": {"chase_ns": )") + value + "}}";
    EXPECT_NE(mistake(text).find(" figures.chase_ns: not a number"), std::string::npos) << value;
  }
  EXPECT_NE(mistake(R"({"figures": {"a b": 5}})").find("'a b'"), std::string::npos);
  EXPECT_NE(mistake(R"({"figures": {}})").find("at least one figure"), std::string::npos);
  EXPECT_NE(mistake(R"({"source": "x"})").find("\"figures\" is missing"), std::string::npos);
}

// It may well be the name of a class of work.
TEST(ProfileFile, AFigureThatLooksMisspeltIsTakenWithAWarning) {
  const ProfileFile file = parse_profiles(
      R"({"nodes": {"n1": {"figures": {"gemm_gflop": 5, "train": 2, "chase_ns": 90}}}})", "f", {});
  EXPECT_TRUE(file.errors.empty());
  ASSERT_EQ(file.warnings.size(), 1u);
  EXPECT_EQ(file.warnings[0],
            "f: nodes.n1.figures.gemm_gflop: taken for a class of work; did you mean "
            "\"gemm_gflops\"?");
}

TEST(ProfileFile, KeysAreThoseThatThereAre) {
  EXPECT_NE(mistake(R"({"figures": {"a": 1}, "sorce": "x"})").find("did you mean \"source\""),
            std::string::npos);
  EXPECT_NE(mistake(R"({"figures": {"a": 1}, "source": 5})").find(" source: "), std::string::npos);
  for (const char* time : {"-1", "\"now\"", "1e300"}) {
    const std::string text = std::string(R"({"figures": {"a": 1}, "measured_ms": )") + time + "}";
    EXPECT_NE(mistake(text).find(" measured_ms: "), std::string::npos) << time;
  }
  EXPECT_NE(mistake(R"({"figures": {"a": 1, "a": 2}})").find("'a' is there twice"),
            std::string::npos);
  EXPECT_NE(mistake(R"({"nodes": {"n1": {"figures": {"a": 1}}}, "source": "x"})").find(" source: "),
            std::string::npos);
}

TEST(ProfileFile, ShapesAreThoseThatThereAre) {
  for (const char* text : {"[]", "5", "null", "\"x\""}) {
    EXPECT_NE(mistake(text).find("a profile is an object"), std::string::npos) << text;
  }
  EXPECT_NE(mistake(R"({"figures": [1]})").find(" figures: not an object"), std::string::npos);
  EXPECT_NE(mistake(R"({"nodes": []})", {}).find(" nodes: not an object"), std::string::npos);
  EXPECT_NE(mistake(R"({"nodes": {}})", {}).find("no node is in it"), std::string::npos);
  EXPECT_NE(mistake(R"({"nodes": {"n1": 5}})", {}).find(" nodes.n1: "), std::string::npos);
  EXPECT_NE(mistake(R"({"nodes": {"n[1-": {"figures": {"a": 1}}}})", {}).find(" nodes.n[1-: "),
            std::string::npos);
  EXPECT_NE(mistake(R"({"figures": {"a": 1}})", {}).find("name the nodes"), std::string::npos);
}

TEST(ProfileFile, ANodeHasOneProfile) {
  const std::string text = R"({"nodes": {"n[1-2]": {"figures": {"a": 1}},
                                         "n2": {"figures": {"a": 2}}}})";
  EXPECT_NE(mistake(text, {}).find("node n2 is in 'n[1-2]' already"), std::string::npos);
}

TEST(ProfileFile, AllMistakesAreNamedAtOnce) {
  const ProfileFile file = parse_profiles(
      R"({"nodes": {"n1": {"figures": {"a": -1}}, "n2": {"figures": {"b": "x"}}}})", "f.json", {});
  EXPECT_EQ(file.errors.size(), 2u);
  EXPECT_TRUE(file.profiles.empty());
}

TEST(ProfileFile, FiguresAreShownAsFarAsTheyAreWorth) {
  EXPECT_EQ(figure_text(105.234), "105.2");
  EXPECT_EQ(figure_text(2397.8), "2398");
  EXPECT_EQ(figure_text(0.01234), "0.0123");
  EXPECT_EQ(figure_text(123456), "123456");
  EXPECT_EQ(figure_text(1e-9), "1e-09");
  EXPECT_EQ(figure_text(1e300), "1e+300");
}

TEST(ProfileFile, SecondsAreAboveZeroAndBounded) {
  double seconds = 0;
  EXPECT_TRUE(parse_kernel_seconds("0.25", seconds));
  EXPECT_EQ(seconds, 0.25);
  for (const char* text : {"", "0", "-1", "nan", "inf", "61", "1s", " 1"}) {
    EXPECT_FALSE(parse_kernel_seconds(text, seconds)) << text;
  }
}

}  // namespace
}  // namespace hyades
