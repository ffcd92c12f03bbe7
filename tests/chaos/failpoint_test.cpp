// Every failpoint in the code strikes once, by SIGKILL and under load: deaths at the places where
// they would hurt most, such as between a commit and its answer.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "census.hpp"
#include "chaos_run.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

namespace fs = std::filesystem;

constexpr int kAll_ms = 180'000;

struct Failpoint {
  const char* role;
  const char* name;
  // Strikes when one process has passed it about so often: late enough that the load is there. The
  // seed says how often exactly. 1: the first time.
  int nth;
};

constexpr Failpoint kFailpoints[] = {
    // While the queue is made; a second master finds what the first one left.
    {"master", "migration_before_commit", 1},
    {"master", "migration_after_commit", 1},
    {"master", "queue_before_create", 1},
    // Between the parts of a turn.
    {"master", "driver_before_commit", 30},
    {"master", "store_before_commit", 30},
    {"master", "store_after_commit", 30},
    {"master", "driver_after_commit", 30},
    {"master", "driver_before_reply", 20},
    {"master", "client_before_reply", 40},
    {"master", "driver_before_send", 20},
    {"master", "link_before_send", 30},
    {"master", "store_before_checkpoint", 1},
    // A node's side of the launch protocol.
    {"worker", "link_before_send", 20},
    {"worker", "spool_after_claim", 5},
    {"worker", "agent_after_claim", 5},
    {"worker", "agent_before_remove", 5},
    {"worker", "worker_before_remove", 5},
    {"launcher", "launcher_before_fork", 5},
    {"shepherd", "shepherd_before_started", 1},
    {"shepherd", "shepherd_after_started", 1},
    {"shepherd", "shepherd_before_exit_record", 1},
    {"shepherd", "shepherd_after_exit_record", 1},
    // A supervisor passes these with each world that it starts.
    {"supervisor", "supervisor_before_start", 2},
    {"supervisor", "supervisor_after_start", 2},
};

std::string mark(const Failpoint& point) { return std::string(point.role) + "." + point.name; }

// Whatever the code holds.
std::set<std::string> failpoints_in(const std::string& source) {
  std::set<std::string> names;
  const std::regex pattern("HYADES_FAILPOINT\\(\"([^\"]+)\"\\)");
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = read_whole(entry.path());
    for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
         at != std::sregex_iterator(); ++at) {
      names.insert((*at)[1]);
    }
  }
  return names;
}

TEST(Failpoints, TheListIsComplete) {
  std::set<std::string> listed;
  for (const Failpoint& point : kFailpoints) listed.insert(point.name);
  const std::set<std::string> found = failpoints_in(HYADES_SOURCE_DIRECTORY);
  EXPECT_EQ(listed, found) << "a failpoint was added, or taken away: correct the list above";
}

class FailpointRun {
 public:
  explicit FailpointRun(unsigned seed) : directory_(make_directory()), random_(seed) {}
  ~FailpointRun() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  ClusterOptions options() {
    std::string list;
    for (const Failpoint& point : kFailpoints) {
      const bool often = point.nth > 2;
      const int nth = often ? 1 + static_cast<int>(random_() % (2u * point.nth)) : point.nth;
      list += (list.empty() ? "" : ",") + std::string(point.role) + "/" + point.name +
              ":kill:" + std::to_string(nth);
    }
    return {.nodes = 4,
            .cores = 4,
            .with_failpoints = true,
            .environment = {{"HYADES_FAILPOINT", list},
                            {"HYADES_FAILPOINT_LOG", directory_ + "/log"},
                            {"HYADES_FAILPOINT_ONCE", directory_}}};
  }

  bool struck(const Failpoint& point) const { return fs::exists(directory_ + "/" + mark(point)); }
  bool struck(const std::string& mark) const { return fs::exists(directory_ + "/" + mark); }

  std::string missing() const {
    std::string list;
    for (const Failpoint& point : kFailpoints) {
      if (!struck(point)) list += (list.empty() ? "" : ", ") + mark(point);
    }
    return list;
  }

 private:
  std::string directory_;
  std::mt19937 random_;
};

// A supervisor that was struck is replaced, as often as it takes.
void keep_up(Cluster& cluster) {
  reap_orphans();
  if (cluster.pid_of("supervisor_pid") == 0) cluster.up();
}

TEST(Failpoints, EachStrikesOnceAndNoPromiseIsBroken) {
  const unsigned seed = choose_seed();
  FailpointRun points(seed);
  ChaosRun run(points.options(), seed);
  ASSERT_TRUE(wait_until([&] { return run.cluster().up().good(); }, kAll_ms, 100))
      << run.cluster().log();
  run.load().start();
  std::set<std::string> reported;
  const std::int64_t began_ns = boot_now_ns();
  const auto everything = [&] {
    keep_up(run.cluster());
    // Long scripts make the store's log grow until it is written back.
    if (!points.struck("master.store_before_checkpoint")) run.load().submit_slow_starter();
    for (const Failpoint& point : kFailpoints) {
      if (!points.struck(point) || !reported.insert(mark(point)).second) continue;
      std::printf("[%6.1f s] struck: %s\n", (boot_now_ns() - began_ns) / 1e9, mark(point).c_str());
      std::fflush(stdout);
    }
    return reported.size() == std::size(kFailpoints);
  };
  EXPECT_TRUE(wait_until(everything, kAll_ms, 50))
      << "never struck: " << points.missing() << run.cluster().log();
  // A supervisor may just have been the last one.
  EXPECT_TRUE(wait_until(
      [&] {
        keep_up(run.cluster());
        return run.cluster().is_up();
      },
      kAll_ms, 50))
      << run.cluster().log();
  // Two of the shepherds died with a job that had started, or was about to.
  run.must_end_well({{0}, {0}});
}

}  // namespace
}  // namespace hyades::test
