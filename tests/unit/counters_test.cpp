// What can be counted, what cannot and why, and what figures of several nodes come to.
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <algorithm>

#include "core/counter_names.hpp"
#include "core/exit_record.hpp"
#include "telemetry/counter_catalogue.hpp"
#include "telemetry/papi_preset.hpp"

namespace hyades {
namespace {

using Names = std::vector<std::string>;

// ---- names -------------------------------------------------------------------------------------

TEST(CounterNames, AllAreGoodNamesAndUnique) {
  Names names = known_counters();
  EXPECT_GT(names.size(), 100u);
  for (const std::string& name : names) EXPECT_TRUE(is_counter_name(name)) << name;
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(check_counters(default_counters()), "");
}

TEST(CounterNames, WhatIsWrongIsNamed) {
  EXPECT_EQ(check_counters({}), "");
  EXPECT_EQ(check_counters({"none"}), "");
  EXPECT_EQ(check_counters({"PAPI_L2_TCM", "perf::CPU-CLOCK"}), "");
  EXPECT_EQ(check_counters({"perf::TASK_CLOCK"}),
            "there is no counter 'perf::TASK_CLOCK'; did you mean perf::TASK-CLOCK?");
  EXPECT_EQ(check_counters({"banana"}),
            "there is no counter 'banana'; use names such as PAPI_TOT_INS or perf::PAGE-FAULTS, "
            "or none");
  EXPECT_EQ(check_counters({"\x1b[2J"}).find('\x1b'), std::string::npos);
  EXPECT_EQ(check_counters({"PAPI_TOT_INS", "none"}), "none does not go with names of counters");
  EXPECT_EQ(check_counters({"PAPI_TOT_INS", "PAPI_TOT_INS"}),
            "the counter PAPI_TOT_INS is named twice");
  const Names& known = known_counters();
  EXPECT_EQ(check_counters({known.begin(), known.begin() + 32}), "");
  EXPECT_NE(check_counters({known.begin(), known.begin() + 33}), "");
}

// ---- sums over nodes ---------------------------------------------------------------------------

TEST(UsageOfSeveralNodes, IsTheSumAndTheHighestPeak) {
  Usage sum = {1, 2, 30, 4, 5, 6, 7, 8, 9, {{"a", 1, 1, false}}, {}};
  add_usage(sum, {10, 20, 3, 40, 50, 60, 70, 80, 90, {{"a", 10, 0.5, true}}, {}});
  EXPECT_EQ(sum, (Usage{11, 22, 30, 44, 55, 66, 77, 88, 99, {{"a", 11, 0.5, true}}, {}}));
  add_usage(sum, {.read_bytes = INT64_MAX});
  EXPECT_EQ(sum.read_bytes, INT64_MAX);
}

TEST(UsageOfSeveralNodes, ACounterThatOneNodeLacksIsMissing) {
  Usage sum = {.counters = {{"a", 1, 1, false}, {"b", 1, 1, false}}};
  add_usage(sum, {.counters = {{"a", 1, 1, false}, {"c", 1, 1, false}},
                  .missing_counters = {{"b", "no such counter"}}});
  const std::string elsewhere = "not counted on every node of the job";
  const std::vector<MissingCounter> missing = {{"b", "no such counter"}, {"c", elsewhere}};
  EXPECT_EQ(sum.counters, (std::vector<JobCounter>{{"a", 2, 1, false}}));
  EXPECT_EQ(sum.missing_counters, missing);
  add_usage(sum, {.counters = {{"b", 5, 1, false}}});  // once missing, always missing
  EXPECT_TRUE(sum.counters.empty());
  EXPECT_EQ(sum.missing_counters.size(), 3u);
}

// ---- the catalogue -----------------------------------------------------------------------------

TEST(Catalogue, AlwaysHasTheSoftwareEvents) {
  const CounterCatalogue catalogue;
  for (const std::string& name : software_counters()) {
    ASSERT_TRUE(catalogue.entries().contains(name)) << name;
    EXPECT_EQ(catalogue.entries().at(name).source, "software event");
    EXPECT_EQ(catalogue.why_missing(name), "");
  }
  EXPECT_TRUE(is_well_formed(catalogue.resolve(software_counters())));
}

TEST(Catalogue, WhatWasAskedForIsCountedOrMissing) {
  CounterCatalogue catalogue;
  catalogue.set_general_reason("no PMU");
  catalogue.add_missing("PAPI_L3_TCM", std::string(1000, 'x'));
  const Names names = {"PAPI_L3_TCM", "perf::PAGE-FAULTS", "PAPI_TOT_INS"};
  const CounterPlan plan = catalogue.resolve(names);
  ASSERT_EQ(plan.counters.size(), 1u);
  EXPECT_EQ(plan.counters[0].name, "perf::PAGE-FAULTS");
  ASSERT_EQ(plan.missing.size(), 2u);
  EXPECT_EQ(plan.missing[0].why, std::string(counter_reason_bytes_max, 'x'));
  EXPECT_EQ(plan.missing[1], (MissingCounter{"PAPI_TOT_INS", "no PMU"}));
  EXPECT_TRUE(is_well_formed(plan));
  // Nobody asked for these: nobody is told.
  EXPECT_EQ(catalogue.resolve_available(names).counters, plan.counters);
  EXPECT_TRUE(catalogue.resolve_available(names).missing.empty());
  EXPECT_TRUE(catalogue.resolve({"none"}).empty());
}

// ---- PAPI's presets ----------------------------------------------------------------------------

// "N7" is the kernel's raw event 7; everything else is unknown to it.
bool encode(const std::string& native, PerfTerm& term) {
  if (native.size() != 2 || native[0] != 'N') return false;
  term.type = PERF_TYPE_RAW;
  term.config = static_cast<std::uint64_t>(native[1] - '0');
  return true;
}

// "+1-2": raw event 1 minus raw event 2. "": missing.
std::string terms_of(const std::string& derived, const std::string& postfix, const Names& natives) {
  CounterCatalogue catalogue;
  add_preset({"PAPI_X", derived, postfix, natives}, encode, catalogue);
  const auto found = catalogue.entries().find("PAPI_X");
  EXPECT_EQ(found == catalogue.entries().end(), !catalogue.why_missing("PAPI_X").empty());
  if (found == catalogue.entries().end()) return "";
  EXPECT_EQ(found->second.source, "PAPI preset");
  EXPECT_EQ(found->second.counter.side, CounterSide::User);
  std::string text;
  for (const PerfTerm& term : found->second.counter.terms) {
    text += (term.subtract ? '-' : '+') + std::to_string(term.config);
  }
  return text;
}

TEST(Presets, SumsAndDifferencesCanBeCounted) {
  EXPECT_EQ(terms_of("NOT_DERIVED", "", {"N7"}), "+7");
  EXPECT_EQ(terms_of("DERIVED_ADD", "", {"N1", "N2"}), "+1+2");
  EXPECT_EQ(terms_of("DERIVED_SUB", "", {"N1", "N2"}), "+1-2");
  EXPECT_EQ(terms_of("DERIVED_POSTFIX", "N0|N1|+|", {"N1", "N2"}), "+1+2");
  EXPECT_EQ(terms_of("DERIVED_POSTFIX", "N0|N1|-|N2|+|", {"N1", "N2", "N3"}), "+1-2+3");
  EXPECT_EQ(terms_of("DERIVED_POSTFIX", "N0|N1|N2|-|-|", {"N1", "N2", "N3"}), "+1-2+3");
}

TEST(Presets, NothingElseIsGuessed) {
  EXPECT_EQ(terms_of("NOT_DERIVED", "", {}), "");
  EXPECT_EQ(terms_of("NOT_DERIVED", "", {"N1", "N2"}), "");
  EXPECT_EQ(terms_of("NOT_DERIVED", "", {"unknown"}), "");
  EXPECT_EQ(terms_of("DERIVED_ADD", "", {"N1", "unknown"}), "");
  EXPECT_EQ(terms_of("DERIVED_ADD", "", Names(9, "N1")), "");
  EXPECT_EQ(terms_of("DERIVED_PS", "", {"N1", "N2"}), "");
  for (const char* postfix : {"N0|N1|*|", "N0|2|*|", "N0|N0|+|", "N0|N1|", "N0|+|", "N2|", "N|",
                              "Nx|", "", "+|", "N0|N1|/|", "N99999999999999999999|"}) {
    EXPECT_EQ(terms_of("DERIVED_POSTFIX", postfix, {"N1", "N2"}), "") << postfix;
  }
}

TEST(Presets, OfAKindThatNoJobMayHaveAreMissing) {
  CounterCatalogue catalogue;
  const auto as_device = [](const std::string&, PerfTerm& term) {
    term.type = 10;
    return true;
  };
  add_preset({"PAPI_X", "NOT_DERIVED", "", {"N1"}}, as_device, catalogue);
  EXPECT_EQ(catalogue.why_missing("PAPI_X"), "its event N1 cannot be put to the kernel");
}

}  // namespace
}  // namespace hyades
