#include "policy/placement_facts.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace hyades {
namespace {

// Where nothing is known: as many of the node's cores as this share saturate its memory.
constexpr double kSaturatingShare = 0.5;
constexpr double kSlowest = 1000;  // nothing is believed to be slower
const char* const kStreamOne = "stream_one_gbs";

struct Part {
  double share = 0;
  const char* figure = nullptr;
  bool per_core = false;
  bool less_is_better = false;
};

std::vector<Part> parts_of(const WorkClass& work) {
  return {{work.compute, "gemm_gflops", true, false},
          {work.memory, kStreamOne, false, false},
          {work.latency, "chase_ns", false, true},
          {work.disk, "disk_mbs", false, false}};
}

// 0: not known. What a damaged store gives is not, either, nor what cannot be: nothing computed
// from figures within these bounds is infinite.
double known(const Node& node, const std::string& name) {
  const double figure = node.profile ? node.profile->figure(name) : 0;
  return figure >= kProfileFigureLeast && figure <= kProfileFigureMost ? figure : 0;
}

// More is better; 0: not known.
double rate_of(const Node& node, const Part& part) {
  const double figure = known(node, part.figure);
  if (figure == 0) return 0;
  const double rate = part.per_core ? figure / std::max(node.inventory.cores, 1) : figure;
  return part.less_is_better ? 1 / rate : rate;
}

double best_of(const std::vector<double>& rates) {
  return rates.empty() ? 0 : *std::max_element(rates.begin(), rates.end());
}

// `rates` with 0 for what is not known becomes best / rate; the mean of the known for the others.
std::vector<double> times_of(std::vector<double> rates) {
  const double best = best_of(rates);
  double sum = 0;
  std::size_t known = 0;
  for (double& rate : rates) {
    if (rate <= 0) continue;
    rate = std::min(best / rate, kSlowest);
    sum += rate;
    ++known;
  }
  const double mean = known == 0 ? 1 : sum / static_cast<double>(known);
  for (double& rate : rates) {
    if (rate <= 0) rate = mean;
  }
  return rates;
}

}  // namespace

void PlacementFacts::configure(const ClusterConfig& config) {
  config_ = config;
  group_of_.clear();
  std::map<std::string, int> numbers = {{"", 0}};
  for (const NodeConfig& node : config.nodes) {
    group_of_[node.name] =
        numbers.emplace(node.group, static_cast<int>(numbers.size())).first->second;
  }
  cluster_ = nullptr;
}

void PlacementFacts::look(const Cluster& cluster) {
  if (is_of(cluster)) return;
  cluster_ = &cluster;
  inventories_ = cluster.inventories();
  classes_.clear();
  groups_.clear();
  profiled_ = false;
  for (const Node& node : cluster.nodes()) {
    profiled_ = profiled_ || node.profile.has_value();
    const auto found = group_of_.find(node.name);
    groups_.push_back(found == group_of_.end() ? 0 : found->second);
  }
  std::vector<int> different = groups_;
  std::sort(different.begin(), different.end());
  group_count_ =
      static_cast<int>(std::unique(different.begin(), different.end()) - different.begin());
}

bool PlacementFacts::is_of(const Cluster& cluster) const {
  return cluster_ == &cluster && inventories_ == cluster.inventories() &&
         groups_.size() == cluster.nodes().size();
}

const ClassFacts& PlacementFacts::of_class(const std::string& name) const {
  const WorkClass& work = class_of(name);
  const auto found = classes_.find(work.name);
  return found != classes_.end() ? found->second
                                 : classes_.emplace(work.name, make(work)).first->second;
}

const WorkClass& PlacementFacts::class_of(const std::string& name) const {
  const WorkClass* const work = find_work_class(config_, name);
  return work != nullptr ? *work : *find_work_class(config_, std::string(kDefaultWorkClass));
}

double PlacementFacts::core_watts(NodeIndex node) const {
  const Node& its = cluster_->nodes()[static_cast<std::size_t>(node)];
  const double idle = known(its, "idle_w"), busy = known(its, "busy_w");
  return idle == 0 || busy <= idle ? 0 : (busy - idle) / std::max(its.inventory.cores, 1);
}

ClassFacts PlacementFacts::make(const WorkClass& work) const {
  const std::vector<Node>& nodes = cluster_->nodes();
  ClassFacts facts;
  facts.work = work;
  std::vector<double> rates;
  for (const Node& node : nodes) rates.push_back(known(node, work.name));
  if (best_of(rates) > 0) {
    facts.slowness = times_of(std::move(rates));
  } else {
    facts.slowness.assign(nodes.size(), 1);
    for (const Part& part : parts_of(work)) {
      if (part.share <= 0) continue;
      rates.clear();
      for (const Node& node : nodes) rates.push_back(rate_of(node, part));
      const std::vector<double> times = times_of(rates);
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        facts.slowness[i] += part.share * (times[i] - 1);
      }
    }
  }
  for (const Node& node : nodes) {
    const double one = known(node, kStreamOne);
    const double all = known(node, "stream_gbs");
    const double cores = std::max(node.inventory.cores, 1);
    const double part = one > 0 && all > 0 ? one / all : 1 / (kSaturatingShare * cores);
    facts.bandwidth.push_back(work.memory * std::min(part, 1.0));
  }
  add_kinds(facts);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    facts.contends = facts.contends || facts.bandwidth[i] * nodes[i].inventory.cores > 1;
  }
  return facts;
}

void PlacementFacts::add_kinds(ClassFacts& facts) const {
  std::map<std::tuple<int, int, int>, std::size_t> numbers;
  for (std::size_t i = 0; i < facts.slowness.size(); ++i) {
    const int speed = static_cast<int>(std::lround(std::log(facts.slowness[i]) / kSameSpeed));
    const auto [found, fresh] = numbers.emplace(
        std::tuple(speed, groups_[i], cluster_->nodes()[i].inventory.cores), facts.kinds.size());
    if (fresh) facts.kinds.push_back({0, groups_[i], {}});
    ClassFacts::Kind& kind = facts.kinds[found->second];
    kind.slowness += facts.slowness[i];  // their sum, for now
    kind.nodes.push_back(static_cast<NodeIndex>(i));
  }
  // Nodes of a kind are equally slow: what measuring them gave besides is noise, and no reason to
  // move a job.
  for (ClassFacts::Kind& kind : facts.kinds) {
    kind.slowness /= static_cast<double>(kind.nodes.size());
    for (const NodeIndex node : kind.nodes) {
      facts.slowness[static_cast<std::size_t>(node)] = kind.slowness;
    }
  }
  std::stable_sort(facts.kinds.begin(), facts.kinds.end(),
                   [](const auto& a, const auto& b) { return a.slowness < b.slowness; });
  facts.uneven = !facts.kinds.empty() &&
                 facts.kinds.back().slowness > (1 + kSameSpeed) * facts.kinds[0].slowness;
}

SlownessRange slowness_on(const ClassFacts& facts, const std::vector<char>& usable) {
  SlownessRange range;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < facts.slowness.size() && i < usable.size(); ++i) {
    if (!usable[i]) continue;
    range.slowest = std::max(range.slowest, facts.slowness[i]);
    sum += facts.slowness[i];
    ++count;
  }
  if (count > 0) range.mean = sum / static_cast<double>(count);
  return range;
}

}  // namespace hyades
