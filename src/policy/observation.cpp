#include "policy/observation.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();
constexpr double kDayMs = 86'400'000;
constexpr double kTurn = 6.283185307179586;

struct Scene {
  const ObservedJob& job;
  const QueueFacts& queue;
  WallMs now_ms;
};

double number(std::int64_t value) { return static_cast<double>(value); }
// Not known where there is nothing to measure by.
double share(double part, double whole) { return whole > 0 ? part / whole : kNotKnown; }
double log_of(double value) { return std::log10(std::max(value, 1.0)); }
double log_count(std::int64_t count) { return std::log10(1 + std::max(number(count), 0.0)); }
double seconds(WallMs from_ms, WallMs until_ms) {
  return std::max((number(until_ms) - number(from_ms)) / 1000, 0.0);
}
double log_age(WallMs from_ms, WallMs until_ms) {
  return std::log10(1 + seconds(from_ms, until_ms));
}

bool runs(const Scene& s) { return s.job.start_ms > 0 && s.job.start_ms <= s.now_ms; }
double elapsed_s(const Scene& s) { return runs(s) ? seconds(s.job.start_ms, s.now_ms) : 0; }
bool live(const Scene& s) { return runs(s) && s.job.live.has_value(); }

double memory_per_core(const Scene& s) {
  const AskedFacts& asked = s.job.asked;
  const double nodes = std::max(number(asked.nodes), 1.0);
  const double mine = share(number(asked.memory_per_node_mib) * nodes, number(asked.cores));
  const double usual = share(number(s.queue.memory_mib), number(s.queue.cores));
  const double ratio = share(mine, usual);
  return ratio > 0 ? std::log10(ratio) : kNotKnown;
}

// Of the day or week that began at the epoch plus `shift`, in turns.
double phase(const Scene& s, double days, double shift) {
  return kTurn * std::fmod(number(s.now_ms) / (days * kDayMs) + shift, 1.0);
}
constexpr double kMondayShift = 3.0 / 7;  // the epoch was a Thursday

bool known(const QueueFacts& queue) { return queue.cores > 0; }
double if_known(const Scene& s, double value) { return known(s.queue) ? value : kNotKnown; }

struct SceneField {
  const char* name;
  const char* unit;
  const char* meaning;
  double least, most, neutral;
  double (*value)(const Scene&);
};

constexpr SceneField kSceneFields[] = {
    {"job.limit", "log10 s", "time asked for", 0, 8, 0,
     [](const Scene& s) { return log_of(number(s.job.asked.time_limit_s)); }},
    {"job.cores", "log10", "cores asked for, all nodes together", 0, 7, 0,
     [](const Scene& s) { return log_of(number(s.job.asked.cores)); }},
    {"job.cores_share", "share", "of the cores of its queue's nodes", 0, 1, 0,
     [](const Scene& s) { return share(number(s.job.asked.cores), number(s.queue.cores)); }},
    {"job.nodes", "log10", "nodes asked for; 0 also: as few as it takes", 0, 6, 0,
     [](const Scene& s) { return log_of(number(s.job.asked.nodes)); }},
    {"job.memory_asked", "flag", "it asked for memory", 0, 1, 0,
     [](const Scene& s) { return s.job.asked.memory_per_node_mib > 0 ? 1.0 : 0.0; }},
    {"job.memory", "log10 ratio", "memory a core it asked for / memory a core of the nodes", -4, 4,
     0, memory_per_core},
    {"job.devices", "log10(1+n)", "devices asked for, a node", 0, 3, 0,
     [](const Scene& s) { return log_count(s.job.asked.devices_per_node); }},
    {"job.exclusive", "flag", "it wants whole nodes", 0, 1, 0,
     [](const Scene& s) { return s.job.asked.exclusive ? 1.0 : 0.0; }},
    {"job.wait", "log10(1+s)", "from its submission until now, or until it started", 0, 9, 0,
     [](const Scene& s) { return log_age(s.job.submit_ms, runs(s) ? s.job.start_ms : s.now_ms); }},
    {"job.running", "flag", "it runs", 0, 1, 0, [](const Scene& s) { return runs(s) ? 1.0 : 0.0; }},
    {"job.elapsed", "share", "of the time asked for, how long it has run", 0, 2, 0,
     [](const Scene& s) { return share(elapsed_s(s), number(s.job.asked.time_limit_s)); }},
    {"job.live_known", "flag", "what it has used until now is known", 0, 1, 0,
     [](const Scene& s) { return live(s) ? 1.0 : 0.0; }},
    {"job.live_cpu_efficiency", "share", "CPU time until now / (cores x time it has run)", 0, 2, 1,
     [](const Scene& s) {
       if (!live(s)) return kNotKnown;
       return share(s.job.live->cpu_s, number(s.job.asked.cores) * elapsed_s(s));
     }},
    {"job.live_memory_share", "share", "peak of memory until now / asked for, a node", 0, 2, 1,
     [](const Scene& s) {
       if (!live(s)) return kNotKnown;
       return share(s.job.live->peak_mib, number(s.job.asked.memory_per_node_mib));
     }},
    {"time.day_sin", "sin", "time of the day (UTC), midnight at 0", -1, 1, 0,
     [](const Scene& s) { return std::sin(phase(s, 1, 0)); }},
    {"time.day_cos", "cos", "likewise", -1, 1, 0,
     [](const Scene& s) { return std::cos(phase(s, 1, 0)); }},
    {"time.week_sin", "sin", "time of the week (UTC), Monday's midnight at 0", -1, 1, 0,
     [](const Scene& s) { return std::sin(phase(s, 7, kMondayShift)); }},
    {"time.week_cos", "cos", "likewise", -1, 1, 0,
     [](const Scene& s) { return std::cos(phase(s, 7, kMondayShift)); }},
    {"queue.known", "flag", "the state of the queue is known: all `queue.` and `own.`", 0, 1, 0,
     [](const Scene& s) { return known(s.queue) ? 1.0 : 0.0; }},
    {"queue.free_share", "share", "of the cores of the queue's nodes, those that are free", 0, 1, 0,
     [](const Scene& s) { return share(number(s.queue.free_cores), number(s.queue.cores)); }},
    {"queue.pending_load", "log10(1+ratio)", "cores that waiting jobs ask for / cores there are", 0,
     6, 0,
     [](const Scene& s) {
       const double load = share(number(s.queue.pending_cores), number(s.queue.cores));
       return std::log10(1 + std::max(load, 0.0));
     }},
    {"queue.pending", "log10(1+n)", "other jobs that wait", 0, 7, 0,
     [](const Scene& s) { return if_known(s, log_count(s.queue.pending_jobs)); }},
    {"queue.running", "log10(1+n)", "other jobs that run", 0, 7, 0,
     [](const Scene& s) { return if_known(s, log_count(s.queue.running_jobs)); }},
    {"own.pending", "log10(1+n)", "other jobs of its user that wait, in any queue", 0, 7, 0,
     [](const Scene& s) { return if_known(s, log_count(s.queue.own_pending_jobs)); }},
    {"own.running", "log10(1+n)", "other jobs of its user that run", 0, 7, 0,
     [](const Scene& s) { return if_known(s, log_count(s.queue.own_running_jobs)); }},
    {"own.running_share", "share", "their cores / cores of the queue's nodes", 0, 1, 0,
     [](const Scene& s) {
       return share(number(s.queue.own_running_cores), number(s.queue.cores));
     }},
    {"own.longest_run", "log10(1+s)", "how long the oldest of them has run", 0, 9, 0,
     [](const Scene& s) {
       const WallMs start_ms = s.queue.own_oldest_start_ms;
       return if_known(s, start_ms > 0 ? log_age(start_ms, s.now_ms) : 0);
     }},
    {"own.since_submit", "log10(1+s)",
     "since its user's submission before this one, of jobs that have not ended", 0, 9, 9,
     [](const Scene& s) {
       const WallMs at_ms = s.queue.own_last_submit_ms;
       return if_known(s, at_ms > 0 ? log_age(at_ms, s.now_ms) : kNotKnown);
     }},
};

// ---- the past: the same fields for each group of jobs
// --------------------------------------------

struct PastField {
  const char* name;
  const char* unit;
  const char* meaning;
  double least, most, neutral;
  double (*value)(const RecentSummary&, const Scene&);
};

template <PastFigure which>
double mean(const RecentSummary& past, const Scene&) {
  return past.mean(which);
}

// Against what this job asks for: the mean of two of them is Tsafrir's prediction.
double against_limit(const PastJob& past, const Scene& s) {
  const double ratio = share(past.run_s, number(s.job.asked.time_limit_s));
  return ratio > 0 ? std::log10(ratio) : (ratio == 0 ? -6 : kNotKnown);
}

constexpr PastField kPastFields[] = {
    {"known", "flag", "there is such a job that has ended", 0, 1, 0,
     [](const RecentSummary& past, const Scene&) { return past.jobs > 0 ? 1.0 : 0.0; }},
    {"jobs", "share", "how many of the 8 that are used there are", 0, 1, 0,
     [](const RecentSummary& past, const Scene&) { return share(past.jobs, RecentJobs::used); }},
    {"ratio_mean", "share", "time they ran / time they asked for", 0, 2, 1,
     mean<PastFigure::Ratio>},
    {"ratio_spread", "share", "standard deviation of that", 0, 2, 0,
     [](const RecentSummary& past, const Scene&) { return past.ratio_spread; }},
    {"ratio_last", "share", "the same of the last one", 0, 2, 1,
     [](const RecentSummary& past, const Scene&) -> double {
       return past.last.figure(PastFigure::Ratio);
     }},
    {"ratio_before", "share", "of the one before it; of one job only: the same again", 0, 2, 1,
     [](const RecentSummary& past, const Scene&) -> double {
       return past.before.figure(PastFigure::Ratio);
     }},
    {"run_last", "log10 ratio", "time the last one ran / time that this job asks for", -6, 3, 0,
     [](const RecentSummary& past, const Scene& s) { return against_limit(past.last, s); }},
    {"run_before", "log10 ratio", "of the one before it; of one job only: the same again", -6, 3, 0,
     [](const RecentSummary& past, const Scene& s) { return against_limit(past.before, s); }},
    {"measured", "share", "of whose use something is known", 0, 1, 0, mean<PastFigure::Measured>},
    {"cpu_efficiency", "share", "CPU time / (cores x time)", 0, 2, 1,
     mean<PastFigure::CpuEfficiency>},
    {"memory_share", "share", "peak of memory / asked for, a node", 0, 2, 1,
     mean<PastFigure::MemoryShare>},
    {"io_rate", "log10(1+MiB/s)", "from and to devices, a core", 0, 6, 0, mean<PastFigure::IoRate>},
    {"switch_rate", "log10(1+1/s)", "times that they waited for something, a core", 0, 7, 0,
     mean<PastFigure::SwitchRate>},
    {"failed", "share", "failed, or ran out of memory", 0, 1, 0, mean<PastFigure::Failed>},
    {"timed_out", "share", "stopped at their time limit", 0, 1, 0, mean<PastFigure::TimedOut>},
    {"counted", "share", "whose instructions and cycles were counted", 0, 1, 0,
     mean<PastFigure::Counted>},
    {"ipc", "ratio", "instructions a cycle", 0, 16, 1, mean<PastFigure::Ipc>},
    {"age", "log10(1+s)", "since the last one ended", 0, 9, 9,
     [](const RecentSummary& past, const Scene& s) { return log_age(past.last_end_ms, s.now_ms); }},
};

struct Group {
  const char* name;
  const char* of;
  RecentSummary (UsageHistory::*look)(const AskedFacts&, WallMs) const;
};

constexpr Group kGroups[] = {
    {"user", "its user's jobs", &UsageHistory::by_user},
    {"name", "its user's jobs of its name", &UsageHistory::by_name},
    {"request", "its user's jobs of as many cores and as much time", &UsageHistory::by_request},
    {"size", "its user's jobs of as many cores", &UsageHistory::by_size},
    {"limit", "its user's jobs that asked for as much time", &UsageHistory::by_limit},
};

static_assert(std::size(kSceneFields) == observation_scene_size);
static_assert(std::size(kSceneFields) + std::size(kGroups) * std::size(kPastFields) ==
              observation_size);

double bounded(double value, const auto& field) {
  return std::isnan(value) ? field.neutral : std::clamp(value, field.least, field.most);
}

std::array<ObservationField, observation_size> make_fields() {
  std::array<ObservationField, observation_size> fields;
  std::size_t i = 0;
  for (const SceneField& f : kSceneFields) {
    fields[i++] = {f.name, f.unit, f.meaning, f.least, f.most, f.neutral};
  }
  for (const Group& group : kGroups) {
    for (const PastField& f : kPastFields) {
      fields[i++] = {std::string(group.name) + "." + f.name,
                     f.unit,
                     std::string(group.of) + ": " + f.meaning,
                     f.least,
                     f.most,
                     f.neutral};
    }
  }
  return fields;
}

}  // namespace

Observation observe(const ObservedJob& job, WallMs now_ms, const UsageHistory& history,
                    const QueueFacts& queue) {
  const Scene scene{job, queue, now_ms};
  Observation row;
  std::size_t i = 0;
  for (const SceneField& field : kSceneFields) row[i++] = bounded(field.value(scene), field);
  observe_past(job, now_ms, history, row);
  return row;
}

void observe_past(const ObservedJob& job, WallMs now_ms, const UsageHistory& history,
                  Observation& row) {
  static const QueueFacts no_queue;
  const Scene scene{job, no_queue, now_ms};
  std::size_t i = observation_scene_size;
  for (const Group& group : kGroups) {
    const RecentSummary past = (history.*group.look)(job.asked, now_ms);
    const bool is_any = past.jobs > 0;
    for (const PastField& field : kPastFields) {
      row[i++] = is_any ? bounded(field.value(past, scene), field) : field.neutral;
    }
  }
}

std::span<const ObservationField, observation_size> observation_fields() {
  static const std::array<ObservationField, observation_size> fields = make_fields();
  return fields;
}

}  // namespace hyades
