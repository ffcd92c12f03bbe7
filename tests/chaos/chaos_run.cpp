#include "chaos_run.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "census.hpp"
#include "core/ids.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

constexpr int kDrain_ms = 120'000;
constexpr int kRetired_ms = 10'000;  // the records of jobs that have ended

// All that a test has started, machines not counted.
std::vector<Kin> ours() {
  std::vector<Kin> found = family();
  std::erase_if(found, [](const Kin& kin) { return kin.name == "cluster_node"; });
  return found;
}

std::string made(const std::string& path) {
  mkdir(path.c_str(), 0755);
  return path;
}

LoadOptions with_places(LoadOptions load, const std::string& state, const std::string& journals) {
  load.state_directory = state;
  load.journal_directory = journals;
  return load;
}

int starts_of(const Evidence& evidence, std::uint64_t job) {
  return static_cast<int>(
      std::count_if(evidence.journal.begin(), evidence.journal.end(), [&](const JournalLine& line) {
        return line.job == job && line.task < 0 && line.what == JournalLine::What::Start;
      }));
}

// What became of jobs of which a shepherd was killed.
void report_losses(const Evidence& evidence) {
  std::set<std::uint64_t> lost;
  for (const Death& death : evidence.deaths) {
    if (death.job != 0 && !death.of_step) lost.insert(death.job);
  }
  if (lost.empty()) return;
  int again = 0;
  std::map<std::string, int> once;
  for (const JobResult& result : evidence.results) {
    if (!lost.contains(result.job)) continue;
    const bool more = starts_of(evidence, result.job) > 1;
    ++(more ? again : once[result.state]);
  }
  std::printf("shepherds of %zu jobs were killed: %d started again,", lost.size(), again);
  for (const auto& [state, count] : once) std::printf(" %d %s", count, state.c_str());
  std::printf("\n");
}

}  // namespace

int number_from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

unsigned choose_seed() {
  const unsigned seed = static_cast<unsigned>(
      number_from_environment("HYADES_CHAOS_SEED", static_cast<int>(std::random_device{}() >> 1)));
  std::printf("seed %u; to repeat: HYADES_CHAOS_SEED=%u\n", seed, seed);
  return seed;
}

ChaosRun::ChaosRun(ClusterOptions options, unsigned seed)
    : ChaosRun(std::make_unique<Cluster>(std::move(options)), {.state_directory = "",
                                                               .journal_directory = "",
                                                               .probe = program("chaos_probe"),
                                                               .hrun = "",
                                                               .mpi_probe = "",
                                                               .seed = seed}) {}

ChaosRun::ChaosRun(std::unique_ptr<Cluster> cluster, LoadOptions load)
    : cluster_(std::move(cluster)),
      journals_(made(cluster_->path("journals"))),
      load_(with_places(std::move(load), cluster_->directory(), journals_)) {}

void ChaosRun::must_begin() {
  cluster_->must_up();
  load_.start();
}

bool ChaosRun::all_ended() {
  const Json now = cluster_->status();
  return now["state"] == "up" && now["jobs_pending"] == 0 && now["jobs_running"] == 0;
}

// What the nodes still remember of launches.
std::vector<std::string> ChaosRun::records() {
  std::vector<std::string> found;
  for (const std::string& node : cluster_->nodes()) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(cluster_->spool_of(node), error)) {
      LaunchKey key;
      const std::string name = entry.path().filename();
      if (parse_launch_key(name, key)) found.push_back("record " + name + " on " + node);
    }
  }
  return found;
}

std::vector<JobResult> ChaosRun::results() {
  std::vector<JobResult> results;
  const Json jobs = cluster_->run({"hacct", "--json", "--all-users", "--limit", "100000"}).json();
  for (const Json& job : jobs["jobs"]) {
    const auto number = [&](const char* key) {
      return job[key].is_number() ? job[key].get<int>() : 0;
    };
    results.push_back({job["id"].get<std::uint64_t>(), job["state"].get<std::string>(),
                       number("exit_code"), number("exit_signal")});
  }
  return results;
}

void ChaosRun::must_end_well(const std::vector<Death>& deaths) {
  load_.stop();
  EXPECT_EQ(load_.failure(), "");
  if (!wait_until(
          [&] {
            reap_orphans();
            return all_ended();
          },
          kDrain_ms, 100)) {
    ADD_FAILURE() << "jobs do not end:\n" << cluster_->run({"hstat", "-a"}).out << cluster_->log();
  }
  Evidence evidence{.submits = load_.submits(),
                    .cancels = load_.cancels(),
                    .deaths = deaths,
                    .results = results(),
                    .journal = {},
                    .broken_lines = {},
                    .left_behind = {}};
  wait_until([&] { return records().empty(); }, kRetired_ms, 50);
  evidence.left_behind = records();
  cluster_->must_down();
  wait_until(
      [&] {
        reap_orphans();
        return ours().empty();
      },
      10'000);
  for (const Kin& kin : ours()) {
    evidence.left_behind.push_back(std::to_string(kin.pid) + " " + kin.name + ": " + kin.command);
  }
  evidence.journal = read_journals(journals_, evidence.broken_lines);
  report(evidence);
  for (const std::string& finding : check(evidence)) ADD_FAILURE() << finding;
}

void ChaosRun::report(const Evidence& evidence) const {
  std::map<std::string, int> states;
  for (const JobResult& result : evidence.results) ++states[result.state];
  int starts = 0;
  int tasks = 0;
  for (const JournalLine& line : evidence.journal) {
    if (line.what == JournalLine::What::Start) ++(line.task < 0 ? starts : tasks);
  }
  std::printf("%zu jobs accepted (%zu answers), %d starts in the journals, %zu cancels accepted;",
              evidence.results.size(), evidence.submits.size(), starts, evidence.cancels.size());
  if (tasks > 0) std::printf(" %d tasks in steps;", tasks);
  for (const auto& [state, count] : states) std::printf(" %d %s", count, state.c_str());
  std::printf("\n");
  report_losses(evidence);
}

}  // namespace hyades::test
