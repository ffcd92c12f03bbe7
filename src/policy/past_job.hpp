// A job that has ended, as far as it is remembered: a few bounded numbers.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>

#include "policy/job_outcome_facts.hpp"

namespace hyades {

enum class PastFigure {
  Ratio,          // time it ran / time it asked for
  CpuEfficiency,  // CPU time / (cores x time)
  MemoryShare,    // peak / asked for, on its fullest node
  IoRate,         // log10(1 + MiB/s from and to devices, a core)
  SwitchRate,     // log10(1 + voluntary switches a second, a core)
  Failed,         // 1: by its own doing, its time limit aside
  TimedOut,       // 1: stopped at its limit
  Measured,       // 1: its use is known
  Counted,        // 1: instructions and cycles were counted
  Ipc,            // instructions a cycle
};
constexpr std::size_t past_figures = 10;

struct PastJob {
  JobId job = 0;
  WallMs end_ms = 0;
  float run_s = 0;
  std::array<float, past_figures> figures{};  // NaN: not known; else finite

  float figure(PastFigure which) const { return figures[static_cast<std::size_t>(which)]; }
};

// Nothing when the job says nothing about others: it never ran, or its node ended it.
std::optional<PastJob> remember(const JobOutcomeFacts& facts);

}  // namespace hyades
