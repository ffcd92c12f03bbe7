#include "policy/placement_refiner.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/hostlist.hpp"
#include "policy/local_allocator.hpp"
#include "policy/placement_candidates.hpp"

namespace hyades {
namespace {

constexpr std::size_t kPlacesMost = 64;      // of a job
constexpr std::size_t kPlacesInAll = 8192;   // of all jobs together
constexpr std::size_t kNodesInAll = 32'768;  // of all these places
constexpr std::size_t kPlacesLeast = 4;

const QueueView* queue_of(const std::vector<QueueView>& queues, const Job& job) {
  for (const QueueView& queue : queues) {
    if (queue.config->name == job.spec.queue) return &queue;
  }
  return nullptr;
}

std::string names_of(const std::vector<Node>& nodes, const Plan& plan) {
  std::vector<std::string> names;
  for (const PlannedShare& share : plan) {
    names.push_back(nodes[static_cast<std::size_t>(share.node)].name);
  }
  return compress_hostlist(names);
}

}  // namespace

// The starts of one pass.
struct PlacementRefiner::Work {
  const ClusterView& view;
  std::vector<PlanLedger::Level> levels;
  std::vector<PlacementJob> jobs, fixed;
  std::vector<std::size_t> starts;  // of `jobs`, in the decision
  std::vector<const QueueView*> queues;
  std::vector<const std::vector<char>*> pools;

  // What a job that ends then may take: no more than any level has.
  const FreeTable& free_until(WallMs end_ms) {
    std::size_t count = 1;
    while (count < levels.size() && levels[count].from_ms < end_ms) ++count;
    if (count == 1) return levels[0].free;
    const auto [found, fresh] = least.try_emplace(count);
    if (fresh) {
      found->second = levels[0].free;
      for (std::size_t i = 1; i < count; ++i) found->second.cut_to(levels[i].free);
    }
    return found->second;
  }
  std::map<std::size_t, FreeTable> least;
};

// Whether some job's place could be better than the one it has, whatever others do.
bool PlacementRefiner::any_choice(const Decision& decision, const Jobs& jobs) {
  const PlacementSettings& settings = facts_.settings();
  if (settings.balance > 0 || settings.energy_s_per_kj > 0) return true;
  const bool far = facts_.groups() > 1 && settings.transfer > 0 && settings.far > 1;
  return std::any_of(decision.starts.begin(), decision.starts.end(), [&](const Start& start) {
    const ClassFacts& facts = facts_.of_class(jobs.at(start.job)->spec.work_class);
    return facts.uneven || (far && start.plan.size() > 1 && facts.work.network > 0);
  });
}

bool PlacementRefiner::contends(const Job& job) {
  return facts_.settings().contention > 0 && !job.spec.exclusive &&
         facts_.of_class(job.spec.work_class).contends;
}

// What those that run take of memory bandwidth is asked for later; whether some are bound by it.
bool PlacementRefiner::know_running(const ClusterView& view) {
  const std::string* last = nullptr;  // mostly it is the same again
  bool its_contends = false, contended = false;
  view.running->each([&](const RunningJob& running) {
    if (running.job == nullptr) return;
    const JobSpec& spec = running.job->spec;
    if (last == nullptr || *last != spec.work_class) {
      its_contends = facts_.of_class(spec.work_class).contends;
    }
    last = &spec.work_class;
    contended = contended || (its_contends && !spec.exclusive);
  });
  return contended && facts_.settings().contention > 0;
}

void PlacementRefiner::refine(Decision& decision, const std::vector<QueueView>& queues,
                              const PlanLedger& ledger, const std::map<JobId, Plan>& first_fits,
                              const ExpectedRun& expected_run) {
  const ClusterView& view = ledger.view();
  if (!facts_.settings().enabled || decision.starts.empty()) return;
  if (view.cluster->nodes().size() < 2) return;
  // Others were promised a start, too, on nodes that only the pass itself knows.
  if (decision.reservations.size() > ledger.reservations()) return;
  Jobs jobs;
  ledger.each_started([&](const Job& job) { jobs[job.id] = &job; });
  bool some_gain = know_running(view) || any_choice(decision, jobs);
  for (const auto& [id, job] : jobs) some_gain = some_gain || contends(*job);
  if (!some_gain) return;
  // One for which all nodes are alike may have to make way, too.
  Work work{view, ledger.levels(), {}, {}, {}, {}, {}, {}};
  collect(decision, queues, jobs, expected_run, ledger.now_ms(), work);
  if (work.jobs.empty()) return;
  add_pools(queues, work);
  settle(work, first_fits, decision);
}

void PlacementRefiner::collect(const Decision& decision, const std::vector<QueueView>& queues,
                               const Jobs& jobs, const ExpectedRun& expected_run, WallMs now_ms,
                               Work& work) {
  std::map<std::pair<const QueueView*, const ClassFacts*>, SlownessRange> ranges;
  for (std::size_t i = 0; i < decision.starts.size(); ++i) {
    const Start& start = decision.starts[i];
    const Job& job = *jobs.at(start.job);
    const QueueView* const queue = queue_of(queues, job);
    const ClassFacts& facts = facts_.of_class(job.spec.work_class);
    PlacementJob its{.job = &job,
                     .facts = &facts,
                     .run_s = 1,
                     .end_ms = now_ms + limit_ms_of(job),
                     .places = {start.plan}};
    const bool moves = queue != nullptr && queue->config->placement &&
                       job.spec.work_class != kUnplacedWorkClass &&
                       work.jobs.size() < static_cast<std::size_t>(facts_.settings().jobs_most);
    if (!moves) {
      work.fixed.push_back(std::move(its));
      continue;
    }
    const auto [range, fresh] = ranges.try_emplace({queue, &facts});
    if (fresh) range->second = slowness_on(facts, queue->usable);
    // Who asks for a time asks for one that will do on the slowest node; what is predicted is of
    // nodes as they come.
    const bool asked = run_times_of(*queue->config) == RunTimes::Request;
    its.run_s =
        expected_run(*queue->config, job) / (asked ? range->second.slowest : range->second.mean);
    work.jobs.push_back(std::move(its));
    work.starts.push_back(i);
    work.queues.push_back(queue);
  }
}

// Sets of nodes that must not lose more cores than they do: what jobs take depends on the node
// where they are exclusive, and which set they take it from where queues have different ones.
void PlacementRefiner::add_pools(const std::vector<QueueView>& queues, Work& work) const {
  for (const QueueView& queue : queues) {
    const bool known = std::any_of(work.pools.begin(), work.pools.end(),
                                   [&](const auto* pool) { return *pool == queue.usable; });
    if (!known) work.pools.push_back(&queue.usable);
  }
  const bool exclusive =
      std::any_of(work.jobs.begin(), work.jobs.end(),
                  [](const PlacementJob& job) { return job.job->spec.exclusive; });
  if (work.pools.size() == 1 && !exclusive) work.pools.clear();
}

void PlacementRefiner::settle(Work& work, const std::map<JobId, Plan>& first_fits,
                              Decision& decision) const {
  const std::vector<Node>& nodes = work.view.cluster->nodes();
  PlacementCandidates candidates(nodes);
  for (std::size_t i = 0; i < work.jobs.size(); ++i) {
    PlacementJob& job = work.jobs[i];
    // Wide jobs have fewer places: each names all of its nodes.
    const std::size_t most = std::clamp(
        std::min(kPlacesInAll, kNodesInAll / job.places.front().size()) / work.jobs.size(),
        kPlacesLeast, kPlacesMost);
    const std::string& avoid = job.job->avoid_node;
    job.places = candidates.of({.spec = &job.job->spec,
                                .usable = &work.queues[i]->usable,
                                .free = &work.free_until(job.end_ms),
                                .avoid = avoid.empty() ? -1 : work.view.cluster->index(avoid),
                                .facts = job.facts,
                                .most = most},
                               job.places.front());
    if (const auto other = first_fits.find(job.job->id); other != first_fits.end()) {
      const auto known = std::find(job.places.begin(), job.places.end(), other->second);
      job.first_fit = static_cast<std::size_t>(known - job.places.begin());
      if (known == job.places.end()) job.places.push_back(other->second);
    }
  }
  const PlacementProblem problem(work.view, facts_, work.levels, work.jobs, work.fixed, work.pools);
  const Allocation found = allocate(problem.problem());
  LocalLoads loads(problem.problem());
  for (std::size_t i = 0; i < work.jobs.size(); ++i) {
    loads.put(problem.problem().place(i, found.choice[i]));
  }
  for (std::size_t i = 0; i < work.jobs.size(); ++i) {
    if (work.jobs[i].places.size() < 2) continue;
    const LocalPlace its = problem.problem().place(i, found.choice[i]);
    loads.take(its);
    move(work.jobs[i], i, found.choice[i], problem, loads, decision.starts[work.starts[i]]);
    loads.put(its);
  }
}

// And says why. `loads`: of all others.
void PlacementRefiner::move(const PlacementJob& job, std::size_t index, std::size_t choice,
                            const PlacementProblem& problem, const LocalLoads& loads,
                            Start& start) const {
  const std::vector<Node>& nodes = problem.nodes();
  PlacementWhy& why = start.place_why;
  why.work_class = job.facts->work.name;
  why.places = static_cast<int>(job.places.size());
  why.cost = problem.cost(loads, index, choice);
  if (choice != job.first_fit) {
    why.first_fit = names_of(nodes, job.places[job.first_fit]);
    why.first_fit_cost = problem.cost(loads, index, job.first_fit);
  }
  const std::size_t other = cheapest_place(problem.problem(), index, loads, loads, choice);
  if (other < job.places.size()) {
    why.runner_up = names_of(nodes, job.places[other]);
    why.runner_up_cost = problem.cost(loads, index, other);
  }
  // A store that holds what is no number cannot be read.
  const double sum = why.cost.total() + why.first_fit_cost.total() + why.runner_up_cost.total();
  if (!std::isfinite(sum)) why = {};
  start.plan = job.places[choice];
}

}  // namespace hyades
