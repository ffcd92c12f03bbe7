// What PAPI says of the machine that the test runs on, whatever that is.
#include "telemetry/papi_probe.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>

#include "core/counter_names.hpp"

namespace hyades {
namespace {

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(PapiProbe, SaysWhatCanBeCountedAndWhyTheRestCannot) {
  const PapiFindings findings = ask_papi();
  std::size_t presets = 0;
  for (const auto& [name, entry] : findings.catalogue.entries()) {
    EXPECT_EQ(entry.counter.name, name);
    EXPECT_TRUE(is_well_formed({{entry.counter}, {}})) << name;
    if (entry.source == "PAPI preset") ++presets;
  }
  if (presets == 0) {
    EXPECT_NE(findings.summary.find("no presets, "), std::string::npos) << findings.summary;
  }
  for (const std::string& name : software_counters()) {
    EXPECT_TRUE(findings.catalogue.entries().contains(name)) << name;
  }
  for (const std::string& name : known_counters()) {
    if (findings.catalogue.entries().contains(name)) continue;
    const std::string why = findings.catalogue.why_missing(name);
    EXPECT_TRUE(!why.empty() && is_counter_reason(why)) << name << ": " << why;
  }
  const bool is_verdict = findings.attach.starts_with("works: ") ||
                          findings.attach.starts_with("is wrong: ") ||
                          findings.attach.starts_with("fails, ");
  EXPECT_TRUE(is_verdict) << findings.attach;
  std::printf("%s; attach %s\n", findings.summary.c_str(), findings.attach.c_str());
}

TEST(PapiProbe, LeavesNothingBehind) {
  ask_papi();
  const auto before = open_files();
  ask_papi();
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace hyades
