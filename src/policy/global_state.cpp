#include "policy/global_state.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/assert.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {
namespace {

constexpr double kHour_s = 3'600;
constexpr double kTurn = 6.283185307179586;
constexpr std::size_t kClasses = 4;

// Grows without bound and slowly; 0 stays 0.
double slow(double value) { return std::log1p(std::max(value, 0.0)); }

// Four classes of run times, of sizes.
std::size_t run_class(double run_s) {
  return run_s <= 600 ? 0 : run_s <= kHour_s ? 1 : run_s <= 4 * kHour_s ? 2 : 3;
}
std::size_t size_class(double share) {
  return share <= 1.0 / 64 ? 0 : share <= 1.0 / 16 ? 1 : share <= 0.25 ? 2 : 3;
}

class FigureWriter {
 public:
  void add(const std::string& name, double value) {
    if (names_ != nullptr) names_->push_back(name);
    HYADES_ASSERT(next_ < figures_.size());
    const double bounded = std::isfinite(value) ? std::clamp(value, -10.0, 10.0) : 0;
    figures_[next_++] = static_cast<float>(bounded);
  }
  template <std::size_t N>
  void add_all(const std::string& name, const std::array<double, N>& values, double unit) {
    for (std::size_t i = 0; i < N; ++i) add(name + "." + std::to_string(i), values[i] / unit);
  }
  void name_into(std::vector<std::string>& names) { names_ = &names; }
  const GlobalFigures& figures() const {
    HYADES_ASSERT(next_ == figures_.size());
    return figures_;
  }

 private:
  GlobalFigures figures_{};
  std::size_t next_ = 0;
  std::vector<std::string>* names_ = nullptr;
};

struct WaitingSums {
  double jobs = 0, cores = 0, work_s = 0, asked_s = 0, cost = 0;
  double wait_s = 0, longest_s = 0, largest = 0;
  std::array<double, kClasses * kClasses> cores_by_class{};  // run class x size class
};

struct RunningSums {
  double jobs = 0, cores = 0, work_s = 0, asked_s = 0;
  std::array<double, kClasses> cores_by_rest{};
  std::array<double, kClasses> cores_by_size{};
};

WaitingSums sum_waiting(const GlobalScene& scene, double machine) {
  WaitingSums sums;
  for (const GlobalScene::Waiting& waiting : scene.waiting) {
    const RunForecast& forecast = waiting.forecast;
    const auto cores = static_cast<double>(waiting.cores);
    const double wait_s =
        std::max(static_cast<double>(scene.now_ms - waiting.submitted_ms) / 1000, 0.0);
    sums.jobs += 1;
    sums.cores += cores;
    sums.work_s += cores * forecast.run_s;
    sums.asked_s += cores * static_cast<double>(waiting.limit_ms) / 1000;
    sums.cost += forecast.inverse_s;
    sums.wait_s += wait_s;
    sums.longest_s = std::max(sums.longest_s, wait_s);
    sums.largest = std::max(sums.largest, cores / machine);
    sums.cores_by_class[run_class(forecast.run_s) * kClasses + size_class(cores / machine)] +=
        cores;
  }
  return sums;
}

double rest_s(const GlobalScene& scene, WallMs end_ms) {
  return std::max(static_cast<double>(end_ms - scene.now_ms) / 1000, 0.0);
}

RunningSums sum_running(const GlobalScene& scene, double machine) {
  RunningSums sums;
  for (const GlobalScene::Running& running : scene.running) {
    const auto cores = static_cast<double>(running.cores);
    const double expected_s = rest_s(scene, running.end_ms);
    sums.jobs += 1;
    sums.cores += cores;
    sums.work_s += cores * expected_s;
    sums.asked_s += cores * rest_s(scene, running.limit_end_ms);
    sums.cores_by_rest[run_class(expected_s)] += cores;
    sums.cores_by_size[size_class(cores / machine)] += cores;
  }
  return sums;
}

void add_time(WallMs now_ms, FigureWriter& out) {
  const double hours = static_cast<double>(now_ms) / 3'600'000;
  const double days = hours / 24;
  out.add("hour.sin", std::sin(kTurn * hours / 24));
  out.add("hour.cos", std::cos(kTurn * hours / 24));
  out.add("week.sin", std::sin(kTurn * days / 7));
  out.add("week.cos", std::cos(kTurn * days / 7));
}

void add_waiting(const GlobalScene& scene, double machine, FigureWriter& out) {
  const WaitingSums sums = sum_waiting(scene, machine);
  const double longest_twin_s = static_cast<double>(scene.longest_wait_ms) / 1000;
  out.add("waiting.jobs", slow(sums.jobs) / 5);
  out.add("waiting.cores", slow(sums.cores / machine));
  out.add("waiting.work", slow(sums.work_s / machine / kHour_s));
  out.add("waiting.asked", slow(sums.asked_s / machine / kHour_s));
  out.add("waiting.cost", slow(sums.cost * kHour_s) / 5);
  out.add("waiting.mean_wait", slow(sums.wait_s / std::max(sums.jobs, 1.0) / kHour_s));
  out.add("waiting.longest_wait", slow(sums.longest_s / kHour_s));
  out.add("waiting.largest", sums.largest);
  out.add("twin.longest_wait", slow(longest_twin_s / kHour_s));
  out.add("twin.pressure",
          std::min(sums.longest_s / std::max(scene.guard_factor * longest_twin_s, kHour_s), 2.0));
  std::array<double, kClasses * kClasses> shares{};
  for (std::size_t i = 0; i < shares.size(); ++i)
    shares[i] = slow(sums.cores_by_class[i] / machine);
  out.add_all("waiting.class", shares, 1);
}

void add_running(const GlobalScene& scene, double machine, FigureWriter& out) {
  const RunningSums sums = sum_running(scene, machine);
  out.add("running.jobs", slow(sums.jobs) / 5);
  out.add("running.cores", sums.cores / machine);
  out.add("running.work", slow(sums.work_s / machine / kHour_s));
  out.add("running.asked", slow(sums.asked_s / machine / kHour_s));
  out.add_all("running.rest", sums.cores_by_rest, machine);
  out.add_all("running.size", sums.cores_by_size, machine);
}

void add_arrivals(const GlobalScene& scene, double machine, FigureWriter& out) {
  for (const double hours : {1.0, 6.0, 24.0}) {
    const WallMs since_ms = scene.now_ms - static_cast<WallMs>(hours * 3'600'000);
    double jobs = 0, work_s = 0, cost = 0, brief = 0;
    for (auto each = scene.arrivals->rbegin(); each != scene.arrivals->rend(); ++each) {
      if (each->at_ms <= since_ms) break;
      jobs += 1;
      work_s += each->cores * each->forecast.run_s;
      cost += each->forecast.inverse_s;
      if (each->forecast.run_s <= kHour_s) brief += 1;
    }
    const std::string name = "arrived." + std::to_string(static_cast<int>(hours)) + "h.";
    out.add(name + "jobs", slow(jobs / hours) / 3);
    out.add(name + "load", slow(work_s / machine / kHour_s / hours));
    out.add(name + "cost", slow(cost * kHour_s / hours) / 5);
    out.add(name + "brief", jobs > 0 ? brief / jobs : 0.5);
  }
}

void add_action(const GlobalAction& action, FigureWriter& out) {
  const UnitNumbers numbers = unit_numbers(action);
  out.add("action.index", action.rule == 0 ? 1 : 0);
  out.add("action.reserve", static_cast<double>(numbers[0]));
  out.add("action.reserve_after", static_cast<double>(numbers[1]));
  out.add("action.ageing", static_cast<double>(numbers[2]));
}

GlobalFigures written(const GlobalScene& scene, std::vector<std::string>* names) {
  const auto cores = cores_of_nodes(scene.queue->usable, scene.cluster->cluster->whole());
  const double machine = std::max(static_cast<double>(cores), 1.0);
  FigureWriter out;
  if (names != nullptr) out.name_into(*names);
  add_time(scene.now_ms, out);
  out.add("machine", std::log2(machine) / 16);
  add_waiting(scene, machine, out);
  add_running(scene, machine, out);
  add_arrivals(scene, machine, out);
  add_action(scene.action, out);
  out.add("one", 1);
  return out.figures();
}

// Fills the bins with pieces of a row of cores.
class OccupancyWriter {
 public:
  explicit OccupancyWriter(double cores) : bin_(cores / occupancy_bins) {}

  // `weight`: 1 where they are taken, 0 where they are free.
  void piece(double cores, double weight, double expected, double asked) {
    while (cores > 1e-9 && at_ < occupancy_bins) {
      const double part = std::min(cores, bin_ - filled_);
      const auto share = static_cast<float>(weight * part / bin_);
      out_[0][at_] += share;
      out_[1][at_] += share * static_cast<float>(expected);
      out_[2][at_] += share * static_cast<float>(asked);
      cores -= part;
      filled_ += part;
      if (filled_ < bin_ - 1e-9) continue;
      filled_ = 0;
      ++at_;
    }
  }
  const Occupancy& result() const { return out_; }

 private:
  double bin_;
  double filled_ = 0;
  std::size_t at_ = 0;
  Occupancy out_{};
};

}  // namespace

GlobalFigures global_figures(const GlobalScene& scene) { return written(scene, nullptr); }

Occupancy occupancy(const GlobalScene& scene) {
  struct Piece {
    NodeIndex node = 0;
    WallMs end_ms = 0;
    JobId job = 0;
    WallMs limit_end_ms = 0;
    std::int64_t cores = 0;
  };
  std::vector<Piece> pieces;
  pieces.reserve(scene.shares.size());
  for (const GlobalScene::Share& share : scene.shares) {
    const GlobalScene::Running& job = scene.running[share.running];
    const WallMs end_ms = std::max(job.end_ms, scene.now_ms);
    pieces.push_back({share.node, end_ms, job.id, job.limit_end_ms, share.cores});
  }
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    return std::tie(a.node, a.end_ms, a.job) < std::tie(b.node, b.end_ms, b.job);
  });
  const FreeTable& whole = scene.cluster->cluster->whole();
  OccupancyWriter out(
      std::max(static_cast<double>(cores_of_nodes(scene.queue->usable, whole)), 1.0));
  auto piece = pieces.begin();
  for (std::size_t i = 0; i < scene.cluster->cluster->nodes().size(); ++i) {
    if (!scene.queue->usable[i]) continue;
    const auto node = static_cast<NodeIndex>(i);
    auto left = static_cast<double>(whole.cores(node));
    for (; piece != pieces.end() && piece->node == node; ++piece) {
      out.piece(static_cast<double>(piece->cores), 1, slow(rest_s(scene, piece->end_ms) / kHour_s),
                slow(rest_s(scene, piece->limit_end_ms) / kHour_s));
      left -= static_cast<double>(piece->cores);
    }
    out.piece(std::max(left, 0.0), 0, 0, 0);
  }
  return out.result();
}

const std::vector<std::string>& global_figure_names() {
  static const std::vector<std::string> names = [] {
    const Cluster cluster;
    const RunningList running;
    const WaitingList waiting;
    const FreeTable free;
    const std::deque<Arrival> arrivals;
    const ClusterView view{&cluster, &running, &free};
    QueueView queue;
    queue.waiting = &waiting;
    GlobalScene scene;
    scene.queue = &queue;
    scene.cluster = &view;
    scene.arrivals = &arrivals;
    std::vector<std::string> all;
    written(scene, &all);
    return all;
  }();
  return names;
}

}  // namespace hyades
