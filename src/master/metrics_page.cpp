#include "master/metrics_page.hpp"

#include <algorithm>
#include <map>

#include "master/job_info.hpp"

namespace hyades {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr Outcome kOutcomes[] = {Outcome::Completed,  Outcome::Failed,     Outcome::Cancelled,
                                 Outcome::TimedOut,   Outcome::NodeFailed, Outcome::LaunchFailed,
                                 Outcome::OutOfMemory};

// Families by name, in one order.
class Page {
 public:
  void gauge(const std::string& name, const char* help, double value, Labels labels = {}) {
    add(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void counter(const std::string& name, const char* help, double value, Labels labels = {}) {
    add(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
  }
  std::vector<MetricFamily> take() {
    std::vector<MetricFamily> all;
    for (auto& [name, family] : families_) all.push_back(std::move(family));
    return all;
  }

 private:
  ClientMetric& add(const std::string& name, const char* help, MetricType type, Labels labels) {
    MetricFamily& family = families_[name];
    family.name = name;
    family.help = help;
    family.type = type;
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::map<std::string, MetricFamily> families_;
};

void add_master(const Controller& controller, const MetricsFacts& facts, Page& page) {
  page.gauge("hyades_info", "Always 1; what serves this page.", 1,
             {{"cluster", controller.config().name}, {"version", facts.version}});
  page.gauge("hyades_master_epoch", "How often a master has been started.",
             static_cast<double>(controller.epoch()));
  page.gauge("hyades_degraded", "1: the queue's storage has no space, submissions are refused.",
             facts.degraded ? 1 : 0);
  page.counter("hyades_master_turns_total", "Turns of the master's loop.",
               static_cast<double>(facts.turns));
  page.counter("hyades_queue_commits_total", "Transactions of the queue.",
               static_cast<double>(facts.commits));
}

void add_job_counts(const JobCounts& counts, Page& page) {
  page.counter("hyades_jobs_submitted_total", "Since the master was started.",
               static_cast<double>(counts.submitted));
  page.counter("hyades_jobs_started_total", "Attempts that were started, since the master was.",
               static_cast<double>(counts.started));
  page.counter("hyades_jobs_requeued_total", "Attempts after which the job waited again.",
               static_cast<double>(counts.requeued));
  // Those that have not occurred as well: the first one is an increase.
  for (const Outcome outcome : kOutcomes) {
    const auto count = counts.ended.find(outcome);
    page.counter("hyades_jobs_ended_total", "Since the master was started.",
                 count == counts.ended.end() ? 0 : static_cast<double>(count->second),
                 {{"outcome", std::string(to_string(outcome))}});
  }
}

void add_queues(const Controller& controller, WallMs now_ms, Page& page) {
  std::map<std::pair<std::string, std::string>, int> jobs;
  for (const QueueConfig& queue : controller.config().queues) {
    for (const char* state : {"PENDING", "LAUNCHING", "RUNNING"}) jobs[{queue.name, state}] = 0;
  }
  for (const auto& [id, job] : controller.jobs().all()) {
    ++jobs[{job.spec.queue, std::string(state_words(controller, job).name)}];
  }
  for (const auto& [key, count] : jobs) {
    page.gauge("hyades_jobs", "Jobs that have not ended.", count,
               {{"queue", key.first}, {"state", key.second}});
  }
  for (const auto& [name, use] : queue_use(controller, now_ms)) {
    const Labels queue = {{"queue", name}};
    page.gauge("hyades_queue_eligible_jobs", "Jobs that only resources keep waiting.", use.eligible,
               queue);
    page.gauge("hyades_queue_eligible_cores", "Cores that those ask for.",
               static_cast<double>(use.eligible_cores), queue);
    page.gauge("hyades_queue_running_cores", "Cores that its jobs hold.",
               static_cast<double>(use.running_cores), queue);
    const WallMs oldest_ms = use.oldest_ms == 0 ? now_ms : use.oldest_ms;
    page.gauge("hyades_queue_oldest_wait_seconds",
               "Since the first of those was submitted; 0: none.",
               static_cast<double>(std::max<WallMs>(0, now_ms - oldest_ms)) / 1e3, queue);
  }
}

void add_nodes(const Controller& controller, Page& page) {
  for (const Node& node : controller.cluster().nodes()) {
    const Labels name = {{"node", node.name}};
    const char* const state = node_state(node);
    page.gauge("hyades_node_state", "Always 1; the node's state is a label.", 1,
               {{"node", node.name}, {"state", state}});
    page.gauge("hyades_node_responding", "1: its worker is heard.", node.responding ? 1 : 0, name);
    page.gauge("hyades_node_cores", "Cores that it offers.", node.inventory.cores, name);
    page.gauge("hyades_node_free_cores", "Cores that no job holds.", node.free_cores.size(), name);
    page.gauge("hyades_node_free_memory_mib", "Memory that no job holds.",
               static_cast<double>(node.free_memory_mib), name);
    page.gauge("hyades_node_jobs", "Jobs that hold something of it.", node.jobs, name);
  }
}

// Those figures of jobs that only grow.
bool is_sum(const pb::Figure& figure) {
  return figure.name() == "job.cpu_time" || figure.name() == "job.energy" ||
         figure.name().rfind("counter.", 0) == 0;
}

void add_figures(const std::string& prefix, const pb::Figure& figure, Labels labels, Page& page) {
  labels.push_back({"unit", figure.unit()});
  if (figure.modelled()) labels.push_back({"modelled", "true"});
  const std::string name = prefix + metric_name(figure.name());
  const char* const help = "Measured; docs/telemetry.md says how.";
  if (is_sum(figure)) {
    page.counter(name + "_total", help, figure.value(), std::move(labels));
  } else {
    page.gauge(name, help, figure.value(), std::move(labels));
  }
}

void add_measured(const Controller& controller, TelemetryBoard& telemetry, int jobs_max,
                  Page& page) {
  const TelemetrySettings& settings = controller.config().node_settings.telemetry;
  for (const auto& [name, node] : telemetry.nodes()) {
    const Node* const known = controller.cluster().find(name);
    // Nothing old as if it were new.
    if (known == nullptr || !known->responding ||
        !telemetry.silence_of_node(name, settings).empty()) {
      continue;
    }
    for (const pb::Figure& figure : node.figures()) {
      add_figures("hyades_node_measured_", figure, {{"node", name}}, page);
    }
  }
  for (const auto& [id, job] : controller.jobs().all()) {
    if (!job.placed() || jobs_max-- <= 0) continue;
    const auto measured = telemetry.find_job(id);
    if (!measured || !measured->live() || !telemetry.silence_of_job(*measured, settings).empty()) {
      continue;
    }
    for (const pb::Figure& figure : measured->figures()) {
      add_figures("hyades_", figure,
                  {{"job", std::to_string(id)}, {"user", job.spec.user}, {"queue", job.spec.queue}},
                  page);
    }
  }
}

}  // namespace

std::string metric_name(const std::string& figure) {
  std::string name;
  for (const char c : figure) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || name.empty() || name.back() != '_') name += plain ? c : '_';
  }
  return name;
}

std::vector<prometheus::MetricFamily> metrics_page(const Controller& controller,
                                                   TelemetryBoard& telemetry,
                                                   const MetricsFacts& facts, int jobs_max) {
  Page page;
  add_master(controller, facts, page);
  add_job_counts(facts.jobs, page);
  add_queues(controller, facts.now_ms, page);
  add_nodes(controller, page);
  add_measured(controller, telemetry, jobs_max, page);
  return page.take();
}

}  // namespace hyades
