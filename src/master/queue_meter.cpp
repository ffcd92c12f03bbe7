#include "master/queue_meter.hpp"

#include <time.h>

#include <algorithm>
#include <cctype>

namespace hyades {

namespace {

constexpr double kShareMax = 0.002;  // of the master's time
constexpr BootMs kRateOver_ms = 5000;
constexpr WallMs kMinute_ms = 60'000;

double thread_cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

void add(const Job& job, WallMs now_ms, QueueUse& use) {
  if (job.placed()) {
    ++use.running;
    use.running_cores += job.placement.cores();
    return;
  }
  ++use.pending;
  if (!job.eligible(now_ms)) return;
  use.highest_priority =
      use.eligible == 0 ? job.spec.priority : std::max(use.highest_priority, job.spec.priority);
  ++use.eligible;
  use.eligible_cores += std::int64_t{job.spec.tasks} * job.spec.cpus_per_task;
  if (use.oldest_ms == 0 || job.submitted_ms < use.oldest_ms) use.oldest_ms = job.submitted_ms;
}

// "TIMEOUT" -> "timeout": figures have plain names.
std::string figure_word(Outcome outcome) {
  std::string word(to_string(outcome));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

}  // namespace

std::map<std::string, QueueUse> queue_use(const Controller& controller, WallMs now_ms) {
  std::map<std::string, QueueUse> queues;
  for (const QueueConfig& queue : controller.config().queues) queues[queue.name];
  for (const auto& [id, job] : controller.jobs().all()) {
    if (job.phase != JobPhase::Ended) add(job, now_ms, queues[job.spec.queue]);
  }
  return queues;
}

void JobCounts::note(const Batch& batch) {
  for (const JobEvent& event : batch.job_events) {
    if (std::holds_alternative<Submitted>(event.what)) ++submitted;
    if (std::holds_alternative<Started>(event.what)) ++started;
    if (std::holds_alternative<Requeued>(event.what)) ++requeued;
    if (const auto* end = std::get_if<Ended>(&event.what)) ++ended[end->outcome];
  }
}

void QueueMeter::turn(const Controller& controller, const JobCounts& counts, const Now& now,
                      TelemetrySink& sink) {
  const TelemetrySettings& settings = controller.config().node_settings.telemetry;
  if (!settings.enabled || now.boot_ms < due_ms_) return;
  const double begin_ms = thread_cpu_ms();
  const std::vector<Figure> figures = look(controller, counts, now);
  keep(figures, now, sink);
  const int stretch = controller.jobs().size() == 0 ? settings.idle_factor : 1;
  if (told_ms_ == 0 || now.boot_ms >= told_ms_ + settings.report_ms) {
    told_ms_ = now.boot_ms;
    sink.take(kQueuesAsNode, {.from_ms = now.wall_ms, .until_ms = now.wall_ms, .node = figures});
  }
  const double cost_ms = thread_cpu_ms() - begin_ms;
  const auto period_ms = std::max<BootMs>(BootMs{settings.period_ms.back()} * stretch,
                                          static_cast<BootMs>(cost_ms / kShareMax));
  due_ms_ = now.boot_ms + period_ms;
}

std::vector<Figure> QueueMeter::look(const Controller& controller, const JobCounts& counts,
                                     const Now& now) {
  std::vector<Figure> figures;
  for (const auto& [name, use] : queue_use(controller, now.wall_ms)) {
    const auto add = [&, &queue = name](const char* what, const char* unit, double value) {
      figures.push_back({"queue." + queue + '.' + what, unit, value});
    };
    add("pending", "count", use.pending);
    add("eligible", "count", use.eligible);
    add("running", "count", use.running);
    add("eligible_cores", "count", static_cast<double>(use.eligible_cores));
    add("running_cores", "count", static_cast<double>(use.running_cores));
    if (use.eligible == 0) continue;  // nobody waits: neither has a value
    add("oldest_wait", "s",
        static_cast<double>(std::max<WallMs>(0, now.wall_ms - use.oldest_ms)) / 1e3);
    add("highest_priority", "", use.highest_priority);
  }
  add_rates(counts, now, figures);
  return figures;
}

void QueueMeter::add_rates(const JobCounts& counts, const Now& now, std::vector<Figure>& out) {
  if (mark_ms_ == 0) {
    mark_ms_ = now.boot_ms;
    mark_ = counts;
  }
  if (now.boot_ms >= mark_ms_ + kRateOver_ms) {
    const double seconds = static_cast<double>(now.boot_ms - mark_ms_) / 1e3;
    rates_.clear();
    const auto add = [&](const std::string& name, std::uint64_t count, std::uint64_t before) {
      rates_.push_back({"jobs." + name, "1/s", static_cast<double>(count - before) / seconds});
    };
    add("submitted", counts.submitted, mark_.submitted);
    add("started", counts.started, mark_.started);
    add("requeued", counts.requeued, mark_.requeued);
    for (const auto& [outcome, count] : counts.ended) {
      add(figure_word(outcome), count, mark_.ended[outcome]);
    }
    mark_ms_ = now.boot_ms;
    mark_ = counts;
  }
  out.insert(out.end(), rates_.begin(), rates_.end());
}

// Minutes of the wall clock, as nodes have them: the mean, and of counts the highest as well.
void QueueMeter::keep(const std::vector<Figure>& figures, const Now& now, TelemetrySink& sink) {
  const WallMs minute_ms = now.wall_ms - now.wall_ms % kMinute_ms;
  if (minute_ms != minute_ms_) {
    TelemetryReport row{
        .from_ms = minute_ms_, .until_ms = minute_ms_ + kMinute_ms, .whole_minute = true};
    for (const auto& [name, course] : minute_) {
      row.node.push_back({name, course.unit, course.sum / course.readings});
      if (course.unit == "count") row.node.push_back({name + ".max", course.unit, course.most});
    }
    if (!row.node.empty()) sink.take(kQueuesAsNode, row);
    minute_ms_ = minute_ms;
    minute_.clear();
  }
  for (const Figure& figure : figures) {
    Course& course = minute_[figure.name];
    course.unit = figure.unit;
    course.sum += figure.value;
    course.most = course.readings == 0 ? figure.value : std::max(course.most, figure.value);
    ++course.readings;
  }
}

}  // namespace hyades
