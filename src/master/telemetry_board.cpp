#include "master/telemetry_board.hpp"

#include <algorithm>

#include "core/units.hpp"
#include "master/job_continuity.hpp"
#include "wire/telemetry_codec.hpp"

namespace hyades {

namespace {

constexpr BootMs kWriteEvery_ms = 1000;
constexpr WallMs kReportsMissed = 2;
constexpr WallMs kReportPatience_ms = 3000;
constexpr BootMs kStoreEvery_ms = 60'000;  // of a job that runs
constexpr BootMs kPruneEvery_ms = 3'600'000;
// The last words about a job that has ended come a little later than its end.
constexpr BootMs kLinger_ms = 300'000;
constexpr WallMs kDay_ms = 86'400'000;
constexpr int kMinutesAtOnce = 1440;

enum class Summing { Sum, Mean, Highest, First };

Summing summing_of(const pb::Figure& figure) {
  if (figure.name() == "job.memory_peak" || figure.name() == "job.gpu.memory_peak") {
    return Summing::Highest;
  }
  // What the job itself says cannot be summed up: the batch node's word counts.
  if (figure.name().rfind("app.", 0) == 0) return Summing::First;
  if (figure.unit() == "%") return Summing::Mean;
  return Summing::Sum;
}

void assign(const std::vector<Figure>& figures,
            google::protobuf::RepeatedPtrField<pb::Figure>& out) {
  out.Clear();
  for (const Figure& figure : figures) to_pb(figure, *out.Add());
}

}  // namespace

void TelemetryBoard::sum_up(pb::JobTelemetry& job) {
  struct Sum {
    pb::Figure figure;
    int count = 0;
  };
  std::map<std::string, Sum> sums;
  for (const pb::JobTelemetryNode& node : job.nodes()) {
    for (const pb::Figure& figure : node.figures()) {
      Sum& sum = sums[figure.name()];
      if (sum.count++ == 0) {
        sum.figure = figure;
        continue;
      }
      if (summing_of(figure) == Summing::First) continue;
      const double value = summing_of(figure) == Summing::Highest
                               ? std::max(sum.figure.value(), figure.value())
                               : sum.figure.value() + figure.value();
      sum.figure.set_value(value);
      sum.figure.set_modelled(sum.figure.modelled() || figure.modelled());
    }
  }
  job.clear_figures();
  for (auto& [name, sum] : sums) {
    if (summing_of(sum.figure) == Summing::Mean) {
      sum.figure.set_value(sum.figure.value() / sum.count);
    }
    *job.add_figures() = std::move(sum.figure);
  }
}

pb::JobTelemetryNode& TelemetryBoard::part_of(pb::JobTelemetry& job, const std::string& node) {
  for (pb::JobTelemetryNode& part : *job.mutable_nodes()) {
    if (part.node() == node) return part;
  }
  pb::JobTelemetryNode& part = *job.add_nodes();
  part.set_node(node);
  return part;
}

// nullptr: of an earlier attempt than the one that is known.
TelemetryBoard::Entry* TelemetryBoard::entry_of(const LaunchKey& key) {
  const auto [at, fresh] = jobs_.try_emplace(key.job);
  Entry& entry = at->second;
  if (fresh && store_ != nullptr) {
    // An earlier master's, or of a job whose end is long past.
    if (auto stored = store_->find_job(key.job)) entry.telemetry = std::move(*stored);
  }
  if (key.attempt < entry.telemetry.attempt()) return nullptr;
  if (key.attempt > entry.telemetry.attempt()) {
    entry.telemetry.Clear();
    entry.telemetry.set_job(key.job);
    entry.telemetry.set_attempt(key.attempt);
    entry.telemetry.set_live(true);
  }
  entry.heard_ms = clock_.now().boot_ms;
  if (fresh) entry.stored_ms = entry.heard_ms;
  entry.changed = true;
  return &entry;
}

void TelemetryBoard::take(const std::string& node, const TelemetryReport& report) {
  ++reports_;
  if (report.whole_minute) {
    if (store_ != nullptr) store_->add_minute(node, report.from_ms, report.node);
    return;
  }
  pb::NodeTelemetry& known = nodes_[node];
  known.set_node(node);
  known.set_at_ms(report.until_ms);
  if (!report.node.empty()) {
    assign(report.node, *known.mutable_figures());
    if (report.jobs.empty()) {
      busy_.erase(node);
    } else {
      busy_.insert(node);
    }
  }
  if (!report.components.empty()) {
    known.clear_components();
    for (const ComponentState& component : report.components) {
      to_pb(component, *known.add_components());
    }
  }
  for (const JobFigures& job : report.jobs) {
    Entry* const entry = entry_of(job.key);
    if (entry == nullptr) continue;
    pb::JobTelemetryNode& part = part_of(entry->telemetry, node);
    part.set_at_ms(report.until_ms);
    carry_on(job.figures, part);
    entry->telemetry.set_at_ms(std::max(entry->telemetry.at_ms(), report.until_ms));
  }
  for (const JobSeries& series : report.series) {
    Entry* const entry = entry_of(series.key);
    if (entry == nullptr) continue;
    carry_on(series, part_of(entry->telemetry, node));
  }
}

// The nodes of a job report in any order.
void TelemetryBoard::put_batch_node_first(Entry& entry, const JobTable& jobs) {
  const Job* const job = jobs.find(entry.telemetry.job());
  if (job == nullptr || job->placement.shares.empty()) return;
  auto& nodes = *entry.telemetry.mutable_nodes();
  for (int i = 1; i < nodes.size(); ++i) {
    if (nodes[i].node() == job->placement.shares.front().node) nodes.SwapElements(0, i);
  }
}

// False once the attempt is over, of which there may be last words.
bool TelemetryBoard::is_live(const Entry& entry, const JobTable& jobs) {
  const Job* const job = jobs.find(entry.telemetry.job());
  return job != nullptr && job->placed() && job->key.attempt == entry.telemetry.attempt();
}

void TelemetryBoard::store(Entry& entry) {
  entry.changed = false;
  entry.stored_ms = clock_.now().boot_ms;
  if (store_ == nullptr) return;
  pb::JobTelemetry row = entry.telemetry;
  sum_up(row);
  store_->put_job(row);
}

TelemetryBoard::~TelemetryBoard() {
  for (auto& [id, entry] : jobs_) {
    if (entry.changed) store(entry);
  }
}

void TelemetryBoard::turn(const Retention& retention, const JobTable& jobs) {
  const Now now = clock_.now();
  if (now.boot_ms < written_ms_ + kWriteEvery_ms) return;
  written_ms_ = now.boot_ms;
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    Entry& entry = at->second;
    const bool silent = now.boot_ms - entry.heard_ms > kLinger_ms;
    const bool live = is_live(entry, jobs);
    entry.telemetry.set_live(live);
    if (live) put_batch_node_first(entry, jobs);
    // One that runs on: for the next master, and for when nobody reports on it any more.
    const bool due = now.boot_ms - entry.stored_ms >= kStoreEvery_ms;
    if (entry.changed && (!live || silent || due)) store(entry);
    at = silent ? jobs_.erase(at) : std::next(at);
  }
  if (store_ == nullptr) return;
  if (pruned_ms_ == 0 || now.boot_ms >= pruned_ms_ + kPruneEvery_ms) {
    pruned_ms_ = now.boot_ms;
    store_->prune(now.wall_ms - retention.minutes_days * kDay_ms,
                  now.wall_ms - retention.jobs_days * kDay_ms);
  }
  store_->flush();
}

std::string TelemetryBoard::silence(WallMs at_ms, WallMs period_ms,
                                    const TelemetrySettings& settings) const {
  if (!settings.enabled) return "switched off: [telemetry] enabled = false";
  const WallMs age_ms = clock_.now().wall_ms - at_ms;
  if (age_ms <= kReportsMissed * period_ms + kReportPatience_ms) return "";
  return "nothing heard for " + format_duration(age_ms / 1000);
}

void TelemetryBoard::add_decision(const pb::PolicyDecision& decision) {
  if (store_ == nullptr) return;
  store_->add_decision(decision);
  store_->flush();
}

void TelemetryBoard::add_comparison(const std::string& model, bool agreed) {
  if (store_ == nullptr) return;
  store_->add_comparison(model, agreed);
  store_->flush();
}

std::map<std::string, ModelTally> TelemetryBoard::tallies() {
  return store_ == nullptr ? std::map<std::string, ModelTally>{} : store_->tallies();
}

std::vector<pb::PolicyDecision> TelemetryBoard::decisions(int most, bool shadows) {
  if (store_ == nullptr) return {};
  return store_->decisions(most, shadows);
}

std::optional<pb::PolicyDecision> TelemetryBoard::find_decision(std::uint64_t id) {
  return store_ == nullptr ? std::nullopt : store_->find_decision(id);
}

// A node that had no jobs when it reported last takes its time until it reports again.
std::string TelemetryBoard::silence_of_node(const std::string& node,
                                            const TelemetrySettings& settings) const {
  const auto known = nodes_.find(node);
  const WallMs at_ms = known == nodes_.end() ? 0 : known->second.at_ms();
  const int stretch = busy_.contains(node) ? 1 : settings.idle_factor;
  return silence(at_ms, WallMs{settings.report_ms} * stretch, settings);
}

std::string TelemetryBoard::silence_of_job(const pb::JobTelemetry& job,
                                           const TelemetrySettings& settings) const {
  return silence(job.at_ms(), settings.report_ms, settings);
}

TelemetryBoard::State TelemetryBoard::state() const {
  if (store_ == nullptr) return {.reports = reports_};
  return {
      .stores = true, .trouble = store_->trouble(), .reports = reports_, .bytes = store_->bytes()};
}

std::optional<pb::NodeTelemetry> TelemetryBoard::find_node(const std::string& node,
                                                           WallMs since_ms) {
  const auto found = nodes_.find(node);
  pb::NodeTelemetry telemetry;
  telemetry.set_node(node);
  if (found != nodes_.end()) telemetry = found->second;
  if (since_ms != 0 && store_ != nullptr) {
    for (pb::NodeMinute& minute : store_->minutes(node, since_ms, kMinutesAtOnce)) {
      *telemetry.add_minutes() = std::move(minute);
    }
  }
  if (found == nodes_.end() && telemetry.minutes().empty()) return std::nullopt;
  return telemetry;
}

std::optional<pb::JobTelemetry> TelemetryBoard::find_job(JobId job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) {
    auto stored = store_ == nullptr ? std::nullopt : store_->find_job(job);
    if (stored) stored->set_live(false);  // nobody reports on it
    return stored;
  }
  pb::JobTelemetry telemetry = found->second.telemetry;
  sum_up(telemetry);
  return telemetry;
}

}  // namespace hyades
