#include "worker/health_watch.hpp"

#include <utility>

#include "worker/health.hpp"

namespace hyades {

HealthWatch::HealthWatch(std::string node, std::string spool_directory)
    : spool_directory_(std::move(spool_directory)), program_(std::move(node)) {}

std::optional<std::string> HealthWatch::turn(const NodeSettings& settings, WallMs clock_off_ms,
                                             BootMs now_ms) {
  // Who changes what is checked wants to see what comes of it.
  const bool changed = settings != settings_;
  settings_ = settings;
  if (changed) program_.stop();
  const bool due =
      changed || !checked_ms_ || now_ms - *checked_ms_ >= BootMs{settings.health_every_s} * 1000;
  if (settings.health_every_s == 0) {
    const bool first = changed || !checked_ms_;
    checked_ms_ = now_ms;
    return first ? std::optional<std::string>("") : std::nullopt;
  }
  if (program_.running()) {
    const std::optional<std::string> verdict = program_.poll(now_ms);
    if (!verdict) return std::nullopt;
    return complaint_ + (complaint_.empty() || verdict->empty() ? "" : "; ") + *verdict;
  }
  if (!due) return std::nullopt;
  checked_ms_ = now_ms;
  HealthFacts facts = measure_health({spool_directory_, "/tmp"});
  facts.clock_off_ms = clock_off_ms;
  complaint_ = judge_health(facts, settings);
  if (settings.health_program.empty()) return complaint_;
  program_.start(settings.health_program, settings.health_timeout_s, now_ms);
  return std::nullopt;
}

}  // namespace hyades
