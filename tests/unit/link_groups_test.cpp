// Which nodes are near each other, by measured links.
#include "cli/link_groups.hpp"

#include <gtest/gtest.h>

#include "cli/terminal.hpp"

namespace hyades {
namespace {

using Groups = std::vector<std::vector<std::string>>;

// Between all of n1..n`count`; `rate` says how fast.
template <typename Rate>
std::vector<MeasuredLink> links(int count, const Rate& rate) {
  std::vector<MeasuredLink> all;
  for (int a = 1; a <= count; ++a) {
    for (int b = a + 1; b <= count; ++b) {
      all.push_back({"n" + std::to_string(a), "n" + std::to_string(b), 10, rate(a, b)});
    }
  }
  return all;
}

TEST(LinkGroups, NearAndFarArePartedByTheWidestGap) {
  const LinkGroups found =
      find_groups(links(4, [](int a, int b) { return (a + b) % 2 == 0 ? 1000.0 + a : 250.0 - b; }));
  EXPECT_EQ(found.groups, (Groups{{"n1", "n3"}, {"n2", "n4"}}));
  EXPECT_NEAR(found.far, 4, 0.2);
  EXPECT_EQ(found.why, "");
}

TEST(LinkGroups, ANodeMayBeAlone) {
  const LinkGroups found =
      find_groups(links(3, [](int, int b) { return b == 3 ? 100.0 : 1000.0; }));
  EXPECT_EQ(found.groups, (Groups{{"n1", "n2"}, {"n3"}}));
  EXPECT_DOUBLE_EQ(found.far, 10);
}

TEST(LinkGroups, NoiseMakesNone) {
  const LinkGroups found = find_groups(links(4, [](int a, int b) { return 1000.0 + 60 * a * b; }));
  EXPECT_TRUE(found.groups.empty());
  EXPECT_EQ(found.why, "all links are alike");
  EXPECT_TRUE(find_groups(links(2, [](int, int) { return 5.0; })).groups.empty());
}

TEST(LinkGroups, WhatIsNeitherNearNorFarIsSaid) {
  // n1 - n2 - n3 in a row: n2 is near both.
  const LinkGroups found =
      find_groups(links(3, [](int a, int b) { return b - a == 1 ? 1000.0 : 100.0; }));
  EXPECT_TRUE(found.groups.empty());
  EXPECT_EQ(found.why, "n1 and n3 are far from each other, and near to the same nodes");
}

TEST(LinkGroups, ThePageSaysWhatToConfigure) {
  const auto racks = links(4, [](int a, int b) { return (a <= 2) == (b <= 2) ? 1000.0 : 250.0; });
  const std::string page = links_page(racks, Terminal{});
  EXPECT_NE(page.find("n1   n2 10.0 us 1000 MB/s"), std::string::npos) << page;
  EXPECT_NE(page.find("far = 4.0\n\n[[node]]\nname = \"n[1-2]\"\ngroup = \"g1\"\n\n"
                      "[[node]]\nname = \"n[3-4]\"\ngroup = \"g2\"\n"),
            std::string::npos)
      << page;
  const Json json = links_json(racks);
  EXPECT_EQ(json["links"].size(), 6u);
  EXPECT_EQ(json["groups"].dump(), R"([["n1","n2"],["n3","n4"]])");
  EXPECT_EQ(json["far"], 4.0);
  EXPECT_TRUE(links_json(links(2, [](int, int) { return 5.0; }))["far"].is_null());
}

}  // namespace
}  // namespace hyades
