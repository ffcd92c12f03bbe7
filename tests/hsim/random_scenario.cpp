#include "random_scenario.hpp"

#include <algorithm>
#include <sstream>

#include "core/prng.hpp"
#include "random_cases.hpp"

namespace hyades {
namespace {

// What is alike in one case: few different values make many ties, and many places that just do.
struct Habits {
  bool devices = false;
  bool memory = false;
  bool features = false;
  bool large = false;  // jobs over several nodes
  WallMs unit_ms = 1000;
  std::int64_t limit_max_s = 4;
  std::int64_t gap_max = 3;  // between submissions, in units
};

Habits random_habits(Prng& random) {
  Habits habits;
  habits.devices = random.chance(500);
  habits.memory = random.chance(500);
  habits.features = random.chance(300);
  habits.large = random.chance(600);
  habits.unit_ms = random.pick(std::vector<WallMs>{1000, 1000, 500, 137, 40'000'000});
  habits.limit_max_s = random.pick(std::vector<std::int64_t>{1, 3, 10, 100});
  habits.gap_max = random.pick(std::vector<std::int64_t>{0, 1, 3, 10});
  return habits;
}

std::vector<Inventory> random_nodes(Prng& random, const Habits& habits) {
  const std::int64_t count = random.skewed(1, 6);
  const bool alike = random.chance(400);
  std::vector<Inventory> nodes;
  for (std::int64_t i = 0; i < count; ++i) {
    Inventory node;
    node.cores = static_cast<int>(random.between(1, 8));
    node.memory_mib = random.between(1, 8) * 100;
    if (habits.devices && random.chance(700)) {
      node.devices.push_back({"gpu", static_cast<int>(random.between(1, 4))});
      if (random.chance(300)) node.devices.push_back({"nic", 1});
    }
    if (habits.features && random.chance(500)) node.features.push_back("fast");
    nodes.push_back(alike && i > 0 ? nodes.front() : node);
  }
  return nodes;
}

std::string name_of(std::size_t node) { return "n" + std::to_string(node + 1); }

std::vector<QueueConfig> random_queues(Prng& random, const ScenarioKind& kind, std::size_t nodes) {
  const std::int64_t count = random.skewed(1, kind.queues_max);
  std::vector<QueueConfig> queues;
  for (std::int64_t i = 0; i < count; ++i) {
    QueueConfig queue{"q" + std::to_string(i + 1)};
    queue.order = random.pick(orders_by_request());
    do {
      queue.backfill = random.pick(all_backfills());
    } while (queue.backfill == Backfill::Conservative && !kind.conservative);
    if (random.chance(300)) {
      for (std::size_t node = 0; node < nodes; ++node) {
        if (random.chance(600)) queue.nodes.push_back(name_of(node));
      }
    }
    queues.push_back(queue);
  }
  return queues;
}

void ask_for_more(Prng& random, const Habits& habits, JobSpec& spec) {
  if (habits.memory && random.chance(600)) {
    const MiB memory = random.between(1, 8) * 50;
    (random.chance(500) ? spec.memory_per_node_mib : spec.memory_per_cpu_mib) = memory;
  }
  if (habits.devices && random.chance(400)) {
    spec.devices_per_node.push_back({"gpu", static_cast<int>(random.between(1, 3))});
    if (random.chance(200)) spec.devices_per_node.push_back({"nic", 1});
  }
  if (habits.features && random.chance(300)) spec.features.push_back("fast");
  if (random.chance(100)) spec.exclusive = true;
}

JobSpec random_spec(Prng& random, const Habits& habits, std::size_t nodes) {
  JobSpec spec;
  spec.tasks = habits.large ? static_cast<int>(random.skewed(1, 16)) : 1;
  spec.cpus_per_task = static_cast<int>(random.skewed(1, habits.large ? 4 : 8));
  if (random.chance(300)) {
    spec.nodes = static_cast<int>(
        random.between(1, std::min<std::int64_t>(spec.tasks, static_cast<std::int64_t>(nodes))));
  }
  if (random.chance(200)) {
    const int least = spec.nodes > 0 ? (spec.tasks + spec.nodes - 1) / spec.nodes : 1;
    spec.tasks_per_node = static_cast<int>(random.between(least, spec.tasks));
  }
  ask_for_more(random, habits, spec);
  if (random.chance(60)) {
    auto& names = random.chance(500) ? spec.node_list : spec.exclude;
    names.push_back(name_of(random.below(nodes)));
  }
  // Where submissions are days apart, waiting counts in every order.
  const WallMs limit_unit_s = std::max<WallMs>(habits.unit_ms / 1000, 1);
  spec.time_limit_s = static_cast<int>(random.between(1, habits.limit_max_s) * limit_unit_s);
  if (random.chance(100)) spec.priority = static_cast<int>(random.between(-1, 1));
  return spec;
}

ScenarioJob random_job(Prng& random, const Habits& habits, const ScenarioKind& kind,
                       const Scenario& scenario) {
  ScenarioJob job;
  job.spec = random_spec(random, habits, scenario.nodes.size());
  job.queue = random.below(scenario.queues.size());
  job.run_ms = WallMs{job.spec.time_limit_s} * 1000;
  if (random.chance(500))
    job.run_ms = random.between(1, job.run_ms / habits.unit_ms + 1) * habits.unit_ms;
  job.run_ms = std::min(job.run_ms, WallMs{job.spec.time_limit_s} * 1000);
  if (kind.overruns && random.chance(50)) job.run_ms += random.between(0, 3) * habits.unit_ms;
  if (kind.avoids && random.chance(50))
    job.avoid_node = name_of(random.below(scenario.nodes.size()));
  job.limited = random.chance(30);
  return job;
}

}  // namespace

Scenario random_scenario(std::uint64_t seed, const ScenarioKind& kind) {
  Prng random(seed);
  const Habits habits = random_habits(random);
  Scenario scenario;
  scenario.nodes = random_nodes(random, habits);
  scenario.queues = random_queues(random, kind, scenario.nodes.size());
  const std::int64_t count = random.skewed(5, 60);
  WallMs at_ms = 1'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!random.chance(300)) at_ms += random.between(0, habits.gap_max) * habits.unit_ms;
    ScenarioJob job = i > 0 && random.chance(150) ? scenario.jobs.back()
                                                  : random_job(random, habits, kind, scenario);
    job.submit_ms = at_ms;
    scenario.jobs.push_back(job);
  }
  if (kind.drains && random.chance(200)) {
    scenario.drains.push_back(
        {random.between(1'000'000, at_ms + 3000), random.below(scenario.nodes.size())});
  }
  return scenario;
}

namespace {

template <typename List>
std::string joined(const List& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

std::string words(const std::vector<DeviceCount>& devices) {
  std::string text;
  for (const DeviceCount& device : devices) {
    text += " " + device.kind + ":" + std::to_string(device.count);
  }
  return text;
}

void describe(std::ostream& text, const ScenarioJob& job) {
  const JobSpec& spec = job.spec;
  text << "queue " << job.queue + 1 << ", at " << job.submit_ms - 1'000'000 << " ms: " << spec.tasks
       << " tasks x " << spec.cpus_per_task << " cpus, limit " << spec.time_limit_s << " s, runs "
       << job.run_ms << " ms";
  if (spec.nodes > 0) text << ", " << spec.nodes << " nodes";
  if (spec.tasks_per_node > 0) text << ", " << spec.tasks_per_node << " a node";
  if (spec.memory_per_node_mib > 0) text << ", " << spec.memory_per_node_mib << " MiB a node";
  if (spec.memory_per_cpu_mib > 0) text << ", " << spec.memory_per_cpu_mib << " MiB a cpu";
  if (spec.exclusive) text << ", exclusive";
  if (spec.priority != 0) text << ", priority " << spec.priority;
  if (!spec.features.empty()) text << ", on " << joined(spec.features);
  if (!spec.node_list.empty()) text << ", only " << joined(spec.node_list);
  if (!spec.exclude.empty()) text << ", not " << joined(spec.exclude);
  if (!job.avoid_node.empty()) text << ", avoids " << job.avoid_node;
  if (job.limited) text << ", limited";
  text << words(spec.devices_per_node) << "\n";
}

}  // namespace

Scenario random_placement_scenario(std::uint64_t seed, const ScenarioKind& kind) {
  Scenario scenario = random_scenario(seed, kind);
  Prng random(seed + 77);
  ClusterConfig& config = scenario.config;
  config.queues = scenario.queues;
  config.guard.enabled = false;
  config.placement.patient =
      false;  // who waits so, the rules that this is compared with do not say
  config.placement.balance = random.chance(300) ? 10 : 0;
  config.placement.contention = random.chance(800) ? 1 : 0;
  for (std::size_t i = 0; i < scenario.nodes.size(); ++i) {
    NodeProfile& profile = scenario.profiles.emplace_back();
    for (const char* const figure : {"gemm_gflops", "stream_one_gbs", "chase_ns", "idle_w"}) {
      if (random.chance(800)) {
        profile.figures[figure] = static_cast<double>(random.between(1, 20));
      }
    }
    profile.figures["other"] = 1;
    config.nodes.push_back({"n" + std::to_string(i + 1), {}, random.chance(500) ? "near" : "far"});
  }
  for (ScenarioJob& job : scenario.jobs) {
    const auto& classes = known_work_classes();
    job.spec.work_class =
        classes[static_cast<std::size_t>(random.between(0, static_cast<int>(classes.size()) - 1))]
            .name;
  }
  return scenario;
}

std::string describe(const Scenario& scenario) {
  std::ostringstream text;
  for (std::size_t i = 0; i < scenario.nodes.size(); ++i) {
    const Inventory& node = scenario.nodes[i];
    text << "  " << name_of(i) << ": " << node.cores << " cores, " << node.memory_mib << " MiB"
         << words(node.devices) << " " << joined(node.features) << "\n";
  }
  for (std::size_t i = 0; i < scenario.queues.size(); ++i) {
    const QueueConfig& queue = scenario.queues[i];
    text << "  queue " << i + 1 << ": " << to_string(queue.order) << " "
         << to_string(queue.backfill) << " " << joined(queue.nodes) << "\n";
  }
  for (std::size_t i = 0; i < scenario.jobs.size(); ++i) {
    text << "  job " << i + 1 << ": ";
    describe(text, scenario.jobs[i]);
  }
  for (const ScenarioDrain& drain : scenario.drains) {
    text << "  n" << drain.node + 1 << " is drained at " << drain.at_ms - 1'000'000 << " ms\n";
  }
  return text.str();
}

}  // namespace hyades
