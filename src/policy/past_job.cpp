#include "policy/past_job.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();
constexpr double kMibBytes = 1024.0 * 1024.0;

// Not known without something to measure it by; else not below 0 and not above `most`.
double part(double amount, double whole, double most) {
  if (!(whole > 0)) return kNotKnown;
  return std::clamp(amount / whole, 0.0, most);
}

// Whose value was extrapolated counts all the same; what is not there does not.
std::optional<double> counter(const Usage& usage, const char* name) {
  for (const JobCounter& counter : usage.counters) {
    if (counter.name == name) return static_cast<double>(counter.value);
  }
  return std::nullopt;
}

// How it ended says how long it would have run, or that it would have been ended there.
bool says_something(const JobOutcomeFacts& facts) {
  if (facts.start_ms <= 0 || facts.end_ms < facts.start_ms) return false;
  return facts.outcome != Outcome::None && facts.outcome != Outcome::NodeFailed &&
         facts.outcome != Outcome::LaunchFailed;
}

}  // namespace

std::optional<PastJob> remember(const JobOutcomeFacts& facts) {
  if (!says_something(facts)) return std::nullopt;
  const Usage& usage = facts.usage;
  const double run_s = std::min(
      (static_cast<double>(facts.end_ms) - static_cast<double>(facts.start_ms)) / 1000, 1e12);
  const double core_s = run_s * static_cast<double>(std::max<std::int64_t>(facts.cores, 1));
  // No program ever ran without memory.
  const bool measured = usage.max_rss_kib > 0;
  const double known = measured ? 1 : kNotKnown;
  const double cpu_s =
      (static_cast<double>(usage.user_ms) + static_cast<double>(usage.system_ms)) / 1000;
  const double io_mib =
      (static_cast<double>(usage.read_bytes) + static_cast<double>(usage.write_bytes)) / kMibBytes;
  const auto rate = [&](double amount) { return std::log10(1 + part(amount, core_s, 1e12)); };
  const auto instructions = counter(usage, "PAPI_TOT_INS");
  const auto cycles = counter(usage, "PAPI_TOT_CYC");
  const double ipc = instructions && cycles ? part(*instructions, *cycles, 16) : kNotKnown;

  PastJob past{.job = facts.job, .end_ms = facts.end_ms, .run_s = static_cast<float>(run_s)};
  const auto set = [&](PastFigure which, double value) {
    past.figures[static_cast<std::size_t>(which)] = static_cast<float>(value);
  };
  set(PastFigure::Ratio, part(run_s, static_cast<double>(facts.asked.time_limit_s), 2));
  set(PastFigure::CpuEfficiency, known * part(cpu_s, core_s, 2));
  set(PastFigure::MemoryShare,
      known * part(static_cast<double>(usage.max_rss_kib) / 1024,
                   static_cast<double>(facts.asked.memory_per_node_mib), 2));
  set(PastFigure::IoRate, known * rate(io_mib));
  set(PastFigure::SwitchRate, known * rate(static_cast<double>(usage.voluntary_switches)));
  const bool failed = facts.outcome == Outcome::Failed || facts.outcome == Outcome::OutOfMemory;
  set(PastFigure::Failed, failed ? 1 : 0);
  set(PastFigure::TimedOut, facts.outcome == Outcome::TimedOut ? 1 : 0);
  set(PastFigure::Measured, measured ? 1 : 0);
  set(PastFigure::Counted, std::isnan(ipc) ? 0 : 1);
  set(PastFigure::Ipc, ipc);
  return past;
}

}  // namespace hyades
