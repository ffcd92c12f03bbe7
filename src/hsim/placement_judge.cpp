#include "hsim/placement_judge.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "policy/placement_problem.hpp"
#include "policy/run_predictor.hpp"

namespace hyades {
namespace {

// What was asked for will do on the slowest node.
double best_run_s(const Job& job, const ClassFacts& facts) {
  const std::vector<char> all(facts.slowness.size(), 1);
  return requested_run(job.spec).run_s / slowness_on(facts, all).slowest;
}

}  // namespace

bool on_one_node(const Job& job) { return job.spec.nodes == 1; }

PlacementJudge::PlacementJudge(const PlacementScene& scene) : scene_(scene) {
  facts_.configure(scene.config());
  facts_.look(scene.cluster());
  // What runs counts, too, whatever its class.
  for (const std::string& name : work_class_names(scene.config())) facts_.of_class(name);
}

std::vector<Judgement> PlacementJudge::judge(const std::vector<const Job*>& jobs,
                                             const std::vector<Plans>& ways) {
  std::vector<PlacementJob> with_places;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const ClassFacts& facts = facts_.of_class(jobs[i]->spec.work_class);
    PlacementJob its{.job = jobs[i],
                     .facts = &facts,
                     .run_s = best_run_s(*jobs[i], facts),
                     .end_ms = PlacementScene::now_ms + limit_ms_of(*jobs[i])};
    for (const Plans& plans : ways) {
      HYADES_ASSERT(!plans[i].empty());
      its.places.push_back(plans[i]);
    }
    with_places.push_back(std::move(its));
  }
  const ClusterView view = scene_.view();
  const std::vector<PlanLedger::Level> levels = {{PlacementScene::now_ms, *view.free}};
  const std::vector<PlacementJob> fixed;
  const std::vector<const std::vector<char>*> pools;
  const PlacementProblem problem(view, facts_, levels, with_places, fixed, pools);
  std::vector<Judgement> out;
  for (std::uint32_t way = 0; way < ways.size(); ++way) {
    Judgement its;
    its.cost = local_cost(problem.problem(), LocalChoice(jobs.size(), way));
    double alone = 0;
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      alone += problem.problem().place(job, way).cost;
    }
    its.contention = std::max(its.cost - alone, 0.0);  // less is rounding
    out.push_back(its);
  }
  return out;
}

LocalProblem PlacementJudge::monolith(const std::vector<const Job*>& jobs, const Plans& plans) {
  const std::vector<Node>& nodes = scene_.cluster().nodes();
  FreeTable free = *scene_.view().free;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (on_one_node(*jobs[i])) continue;
    for (const PlannedShare& share : plans[i]) {
      free.take(share.node, nodes[static_cast<std::size_t>(share.node)], jobs[i]->spec,
                share.tasks);
    }
  }
  LocalProblem problem;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const FreeRow& row = free.row(static_cast<NodeIndex>(i));
    problem.add_row({.capacity = static_cast<double>(row.cores)});
    problem.add_row({.capacity = static_cast<double>(row.memory_mib)});
  }
  pairs_.clear();
  for (const Job* const job : jobs) {
    if (!on_one_node(*job)) continue;
    problem.add_job();
    pairs_.emplace_back();
    const ClassFacts& facts = facts_.of_class(job->spec.work_class);
    const DeviceNeeds needs = free.needs_of(job->spec);
    const double run_s = best_run_s(*job, facts);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto node = static_cast<NodeIndex>(i);
      if (free.capacity(node, nodes[i], job->spec, needs) < job->spec.tasks) continue;
      const auto row = static_cast<std::uint32_t>(2 * i);
      const double cores = cores_of(job->spec, nodes[i], job->spec.tasks);
      const auto memory = static_cast<double>(memory_of(job->spec, nodes[i], job->spec.tasks));
      problem.add_place(run_s * facts.slowness[i],
                        std::vector<LocalUse>{{row, cores}, {row + 1, memory}});
      pairs_.back().push_back(node);
    }
  }
  return problem;
}

Plans PlacementJudge::plans_of(const std::vector<const Job*>& jobs, const Plans& plans,
                               const LocalChoice& choice) const {
  Plans out = plans;
  std::size_t its = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!on_one_node(*jobs[i])) continue;
    out[i] = {{pairs_[its][choice[its]], jobs[i]->spec.tasks}};
    ++its;
  }
  return out;
}

}  // namespace hyades
