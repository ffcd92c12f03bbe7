// The last jobs of one kind, and what they have in common as it could be known at some time.
//
// More jobs are kept than are used: a question about a time that has passed a little is answered
// from the same jobs as it would have been then. One about a time before most of what is kept
// finds fewer jobs, or none; never one that had not ended.
#pragma once

#include <vector>

#include "policy/past_job.hpp"

namespace hyades {

struct RecentSummary {
  int jobs = 0;  // that were used; 0: all else means nothing
  WallMs last_end_ms = 0;
  PastJob last;
  PastJob before;                            // the one that ended before it; else the same again
  std::array<double, past_figures> means{};  // newest first at 1, 0.7, 0.49, ...; NaN: not known
  double ratio_spread = 0;                   // standard deviation, of the same weights

  double mean(PastFigure which) const { return means[static_cast<std::size_t>(which)]; }
};

class RecentJobs {
 public:
  static constexpr std::size_t kept = 16;
  static constexpr int used = 8;
  static constexpr double fading = 0.7;

  // In any order; the same job twice is one. The one that ended first goes when there are too many.
  void add(const PastJob& job);
  // Of the jobs that ended before `now_ms`.
  RecentSummary look(WallMs now_ms) const;
  // Of the last that ended; call it only after add().
  WallMs last_end_ms() const { return jobs_.back().end_ms; }

 private:
  std::vector<PastJob> jobs_;  // by end, then by id
};

}  // namespace hyades
