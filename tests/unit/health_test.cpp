// The node's own health checks, from the numbers to the words, and the site's program.
#include "worker/health.hpp"

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "node_box.hpp"
#include "worker/boot_clock.hpp"
#include "worker/health_program.hpp"
#include "worker/health_watch.hpp"

namespace hyades {
namespace {

// ---- rules -------------------------------------------------------------------------------------

// Everything is looked at, and nothing is wrong.
struct HealthRules : testing::Test {
  HealthRules() {
    settings.health_disk_free_mib = 256;
    settings.health_memory_free_mib = 1024;
    settings.health_load_per_core = 3;
    settings.health_clock_off_s = 5;
    facts.space = {{"/var/spool/hyades", 256, false}, {"/tmp", 5000, false}};
    facts.memory_available_mib = 1024;
    facts.load = 12.0;
    facts.cores = 4;
    facts.clock_off_ms = -5'000;
  }
  std::string judged() const { return judge_health(facts, settings); }

  NodeSettings settings;
  HealthFacts facts;
};

TEST_F(HealthRules, AtTheLimitsANodeIsWell) { EXPECT_EQ(judged(), ""); }

TEST_F(HealthRules, EachComplaintNamesWhatIsWrong) {
  facts.space[0].free_mib = 255;
  EXPECT_EQ(judged(), "less than 256 MiB free in /var/spool/hyades");
  facts.space[0].free_mib = 9000;
  facts.space[1].read_only = true;
  EXPECT_EQ(judged(), "the file system of /tmp is read-only");
  facts.space[1].read_only = false;
  facts.memory_available_mib = 1023;
  EXPECT_EQ(judged(), "less than 1024 MiB of memory available");
  facts.memory_available_mib = 2000;
  facts.load = 12.01;
  EXPECT_EQ(judged(), "the load is above 3 a core");
  facts.load = 1;
  facts.clock_off_ms = 5'001;
  EXPECT_EQ(judged(), "the clock is more than 5 s ahead of the master's");
  facts.clock_off_ms = -5'001;
  EXPECT_EQ(judged(), "the clock is more than 5 s behind the master's");
  facts.load = 100;
  EXPECT_EQ(judged(), "the load is above 3 a core; the clock is more than 5 s behind the master's");
}

TEST_F(HealthRules, WhatIsSwitchedOffOrUnknownIsNoReasonToComplain) {
  HealthFacts nothing;
  EXPECT_EQ(judge_health(nothing, settings), "");
  facts = {.space = {{"/tmp", 0, true}},
           .memory_available_mib = 0,
           .load = 1e6,
           .cores = 1,
           .clock_off_ms = 1'000'000'000};
  settings.health_disk_free_mib = 0;
  settings.health_memory_free_mib = 0;
  settings.health_load_per_core = 0;
  settings.health_clock_off_s = 0;
  EXPECT_EQ(judged(), "");
}

// ---- measuring ---------------------------------------------------------------------------------

TEST(HealthFacts, AreReadFromProcFiles) {
  const TemporaryDirectory box;
  std::ofstream(box / "meminfo") << "MemTotal:       65536000 kB\nMemFree:          1000 kB\n"
                                    "MemAvailable:    2097152 kB\nBuffers:            10 kB\n";
  std::ofstream(box / "loadavg") << "0.10 0.20 7.25 3/1234 98765\n";
  const HealthFacts facts =
      measure_health({box.path(), box / "nowhere"}, box / "meminfo", box / "loadavg");
  EXPECT_EQ(facts.memory_available_mib, 2048);
  EXPECT_EQ(facts.load, 7.25);
  EXPECT_GE(facts.cores, 1);
  ASSERT_EQ(facts.space.size(), 1u) << "a place that is not there is left out";
  EXPECT_EQ(facts.space[0].place, box.path());
  EXPECT_FALSE(facts.space[0].read_only);
  EXPECT_NEAR(static_cast<double>(facts.space[0].free_mib),
              static_cast<double>(std::filesystem::space(box.path()).available >> 20), 512);
}

TEST(HealthFacts, FilesThatMakeNoSenseAreNotBelieved) {
  const TemporaryDirectory box;
  std::ofstream(box / "meminfo") << "MemAvailable: plenty\n";
  std::ofstream(box / "loadavg") << "0.10 0.20\n";
  const HealthFacts facts = measure_health({}, box / "meminfo", box / "loadavg");
  EXPECT_FALSE(facts.memory_available_mib);
  EXPECT_FALSE(facts.load);
}

TEST(HealthFacts, OfThisMachine) {
  const HealthFacts facts = measure_health({"/tmp"});
  EXPECT_GT(facts.memory_available_mib.value_or(0), 0);
  EXPECT_TRUE(facts.load);
  EXPECT_EQ(facts.space.size(), 1u);
}

// ---- the site's program ------------------------------------------------------------------------

class Program : public testing::Test {
 protected:
  std::string script(const std::string& text, mode_t mode = 0755) {
    const std::string path = box_ / "check";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  void start(const std::string& path, int timeout_s = 60) {
    program_.start(path, timeout_s, boot_now_ms());
  }
  // "(none)": there was none in time.
  std::string verdict() {
    std::optional<std::string> result;
    wait_until([&] { return (result = program_.poll(boot_now_ms())).has_value(); });
    return result.value_or("(none)");
  }
  std::string verdict_of(const std::string& text) {
    start(script(text));
    return verdict();
  }
  // The process whose number the script wrote there.
  bool is_gone(const std::string& file) const {
    return kill(std::stoi("0" + read_text(box_ / file)), 0) != 0 && errno == ESRCH;
  }

  TemporaryDirectory box_;
  HealthProgram program_{"vn7"};
};

TEST_F(Program, SuccessIsHealthWhateverItPrints) {
  EXPECT_EQ(verdict_of("echo all is well"), "");
  EXPECT_FALSE(program_.running());
  EXPECT_FALSE(program_.poll(boot_now_ms())) << "a result is given once";
}

TEST_F(Program, ItsFirstLineIsTheReason) {
  EXPECT_EQ(verdict_of("echo; echo '  gpu 3 fell\toff the bus '; echo more; exit 1"),
            "gpu 3 fell off the bus");
  EXPECT_EQ(verdict_of("echo on stderr >&2; exit 2"), "on stderr");
  EXPECT_EQ(verdict_of("exit 3"), "health program: exit code 3");
  EXPECT_EQ(verdict_of("kill -9 $$"), "health program: signal 9");
  EXPECT_EQ(verdict_of("printf 'a\\377b\\033[1mc\\n'; exit 1"), "a?b [1mc");
}

TEST_F(Program, HowMuchItPrintsDoesNotMatter) {
  const std::string reason = verdict_of("head -c 300000 /dev/zero | tr '\\0' x; exit 1");
  EXPECT_EQ(reason, std::string(200, 'x'));
}

TEST_F(Program, HasItsOwnSurroundings) {
  setenv("HEALTH_TEST_SECRET", "1", 1);
  ASSERT_EQ(verdict_of("{ env; pwd; ls /proc/self/fd | wc -l; ps -o pgid= -p $$; echo $$; } > " +
                       (box_ / "seen")),
            "");
  const std::string seen = read_text(box_ / "seen");
  EXPECT_NE(seen.find("HYADES_NODENAME=vn7\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("HEALTH_TEST_SECRET"), std::string::npos) << seen;
  std::istringstream tail(seen.substr(seen.rfind("\n/\n") + 3));
  int descriptors = 0;
  pid_t group = 0;
  pid_t process = 0;
  tail >> descriptors >> group >> process;
  EXPECT_LE(descriptors, 4) << seen;  // ls opens one itself
  EXPECT_EQ(group, process) << seen;
}

TEST_F(Program, WhatTakesTooLongIsKilledWithAllItStarted) {
  start(script("sleep 98765 & echo $! > " + (box_ / "child") + "; wait"), 1);
  ASSERT_TRUE(wait_until([&] { return read_text(box_ / "child").ends_with('\n'); }));
  EXPECT_EQ(verdict(), "health program took longer than 1 s");
  EXPECT_TRUE(wait_until([&] { return is_gone("child"); }));
  EXPECT_EQ(verdict_of("exit 0"), "") << "the next one is not blamed for it";
}

TEST_F(Program, WhatItLeavesBehindIsKilled) {
  EXPECT_EQ(verdict_of("sleep 98765 & echo $! > " + (box_ / "child")), "");
  EXPECT_TRUE(wait_until([&] { return is_gone("child"); }));
}

TEST_F(Program, WhatIsNotTrustedIsNotRun) {
  const std::string ran = box_ / "ran";
  start(script("touch " + ran, 0777));
  EXPECT_EQ(verdict(),
            "health program: others may write to " + (box_ / "check") + "; chmod go-w it");
  start(box_ / "nowhere");
  EXPECT_NE(verdict().find("cannot examine"), std::string::npos);
  start(script("touch " + ran, 0644));
  EXPECT_EQ(verdict(), "health program: cannot run " + (box_ / "check") + ": Permission denied");
  EXPECT_FALSE(std::filesystem::exists(ran));
}

// ---- how often ---------------------------------------------------------------------------------

class Watch : public Program {
 protected:
  Watch() {
    settings_.health_every_s = 60;
    settings_.health_disk_free_mib = 0;
  }
  std::optional<std::string> turn() { return watch_.turn(settings_, 0, now_ms_); }
  // Of the check that is under way; the program's time does not pass meanwhile.
  std::string result() {
    std::optional<std::string> found;
    wait_until([&] { return (found = turn()).has_value(); });
    return found.value_or("(none)");
  }

  NodeSettings settings_;
  BootMs now_ms_ = 1'000'000;
  HealthWatch watch_{"vn7", box_.path()};
};

TEST_F(Watch, ChecksAtOnceAndThenAsOftenAsAsked) {
  EXPECT_EQ(turn(), "");
  now_ms_ += 59'999;
  EXPECT_FALSE(turn());
  now_ms_ += 1;
  EXPECT_EQ(turn(), "");
}

TEST_F(Watch, NewSettingsAreTriedAtOnce) {
  EXPECT_EQ(turn(), "");
  settings_.health_disk_free_mib = MiB{1} << 40;
  const auto complaint = turn();
  ASSERT_TRUE(complaint);
  EXPECT_EQ(*complaint, "less than 1099511627776 MiB free in " + box_.path() +
                            "; less than 1099511627776 MiB free in /tmp");
  settings_.health_every_s = 0;  // switched off: nobody complains any more
  EXPECT_EQ(turn(), "");
  now_ms_ += 1'000'000;
  EXPECT_FALSE(turn());
}

TEST_F(Watch, TheProgramsReasonComesAfterItsOwn) {
  settings_.health_program = script("echo $HYADES_NODENAME is hot; exit 1");
  EXPECT_FALSE(turn());
  EXPECT_EQ(result(), "vn7 is hot");
  EXPECT_FALSE(turn());
  settings_.health_clock_off_s = 1;
  EXPECT_FALSE(watch_.turn(settings_, -2'000, now_ms_));
  EXPECT_EQ(result(), "the clock is more than 1 s behind the master's; vn7 is hot");
}

TEST_F(Watch, AProgramThatRunsIsLeftAloneUntilItsTimeIsOver) {
  settings_.health_every_s = 1;
  settings_.health_timeout_s = 100;
  settings_.health_program = script("echo x >> " + (box_ / "runs") + "; exec sleep 98765");
  EXPECT_FALSE(turn());
  for (int i = 0; i < 99; ++i) {
    now_ms_ += 1'000;
    EXPECT_FALSE(turn());
  }
  ASSERT_TRUE(wait_until([&] { return read_text(box_ / "runs") == "x\n"; }));
  now_ms_ += 1'000;
  EXPECT_EQ(turn(), "health program took longer than 100 s");
}

}  // namespace
}  // namespace hyades
