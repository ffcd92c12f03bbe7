#include "policy/rollout_scene.hpp"

#include <algorithm>
#include <cmath>

#include "policy/order.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {
namespace {

constexpr WallMs kDay_ms = 86'400'000;
constexpr double kMost = 1e9;

std::int32_t whole(double value) {
  return static_cast<std::int32_t>(std::clamp(value, 1.0, kMost));
}

double index_of(const SceneJob& job) {
  OrderFacts facts;
  facts.run_s = job.run_s;
  facts.inverse_s = job.inverse_s;
  facts.procs = job.cores;
  return score(QueueOrder::Index, facts);
}

std::vector<SceneJob> waiting_jobs(const GlobalScene& scene) {
  std::vector<SceneJob> jobs;
  jobs.reserve(scene.waiting.size());
  for (const GlobalScene::Waiting& waiting : scene.waiting) {
    jobs.push_back({std::min<WallMs>(waiting.submitted_ms - scene.now_ms, 0),
                    waiting.forecast.run_s, waiting.forecast.inverse_s,
                    whole(static_cast<double>(waiting.limit_ms) / 1000),
                    whole(static_cast<double>(waiting.cores)), waiting.priority});
  }
  if (jobs.size() > RolloutScene::waiting_most) {
    const auto end = jobs.begin() + RolloutScene::waiting_most;
    std::nth_element(jobs.begin(), end, jobs.end(), [](const SceneJob& a, const SceneJob& b) {
      return index_of(a) < index_of(b);
    });
    jobs.erase(end, jobs.end());
  }
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const SceneJob& a, const SceneJob& b) { return a.submit_ms < b.submit_ms; });
  return jobs;
}

// What came a day ago comes again.
void add_coming(const GlobalScene& scene, std::vector<SceneJob>& jobs) {
  if (scene.arrivals == nullptr) return;
  const WallMs from_ms = scene.now_ms - kDay_ms;
  std::size_t left = RolloutScene::coming_most;
  for (const Arrival& arrival : *scene.arrivals) {
    const WallMs in_ms = arrival.at_ms - from_ms;
    if (in_ms <= 0) continue;
    if (in_ms > RolloutScene::coming_within_ms || left-- == 0) return;
    jobs.push_back({in_ms, arrival.forecast.run_s, arrival.forecast.inverse_s,
                    whole(arrival.limit_s), whole(arrival.cores), 0});
  }
}

// Neighbours by their ends count as one where there are many.
std::vector<SceneRunning> running_jobs(const GlobalScene& scene) {
  std::vector<SceneRunning> all;
  all.reserve(scene.running.size());
  for (const GlobalScene::Running& running : scene.running) {
    const WallMs end_ms = std::max<WallMs>(running.end_ms - scene.now_ms, 1);
    all.push_back({end_ms, std::max(running.limit_end_ms - scene.now_ms, end_ms), running.cores});
  }
  std::sort(all.begin(), all.end(),
            [](const SceneRunning& a, const SceneRunning& b) { return a.end_ms < b.end_ms; });
  const std::size_t together =
      (all.size() + RolloutScene::running_most - 1) / RolloutScene::running_most;
  if (together <= 1) return all;
  std::vector<SceneRunning> few;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % together == 0) few.emplace_back();
    few.back().end_ms = all[i].end_ms;
    few.back().limit_ms = std::max(few.back().limit_ms, all[i].limit_ms);
    few.back().cores += all[i].cores;
  }
  return few;
}

bool playable(const SceneJob& job) {
  return std::isfinite(job.run_s) && job.run_s > 0 && job.run_s <= kMost &&
         std::isfinite(job.inverse_s) && job.inverse_s > 0 && job.inverse_s <= 1 &&
         job.limit_s > 0 && job.cores > 0 && job.submit_ms <= RolloutScene::coming_within_ms;
}

}  // namespace

RolloutScene rollout_scene(const GlobalScene& scene) {
  RolloutScene out;
  out.cores = cores_of_nodes(scene.queue->usable, scene.cluster->cluster->whole());
  out.busy_since_ms = std::min<WallMs>(scene.queue->busy_since_ms - scene.now_ms, 0);
  out.running = running_jobs(scene);
  out.jobs = waiting_jobs(scene);
  add_coming(scene, out.jobs);
  std::erase_if(out.jobs, [&](const SceneJob& job) { return job.cores > out.cores; });
  return out;
}

void put(std::string& out, const RolloutScene& scene) {
  put_value(out, scene.cores);
  put_value(out, scene.busy_since_ms);
  put_value(out, std::uint64_t{scene.running.size()});
  put(out, scene.running.data(), scene.running.size());
  put_value(out, std::uint64_t{scene.jobs.size()});
  put(out, scene.jobs.data(), scene.jobs.size());
}

bool take(Taker& taker, RolloutScene& scene) {
  if (!taker.take(scene.cores) || !taker.take(scene.busy_since_ms) ||
      !taker.take(scene.running, RolloutScene::running_most) ||
      !taker.take(scene.jobs, RolloutScene::waiting_most + RolloutScene::coming_most)) {
    return false;
  }
  std::int64_t taken = 0;
  for (const SceneRunning& running : scene.running) {
    if (running.cores <= 0 || running.cores > scene.cores || running.end_ms <= 0 ||
        running.limit_ms < running.end_ms) {
      return false;
    }
    taken += running.cores;
  }
  return scene.cores >= 0 && scene.cores <= static_cast<std::int64_t>(kMost) &&
         taken <= scene.cores && scene.busy_since_ms <= 0 &&
         std::all_of(scene.jobs.begin(), scene.jobs.end(), [&](const SceneJob& job) {
           return playable(job) && job.cores <= scene.cores;
         });
}

}  // namespace hyades
