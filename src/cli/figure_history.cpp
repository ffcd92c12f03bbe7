#include "cli/figure_history.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {

bool is_total(const pb::Figure& figure) {
  static const char* const totals[] = {"job.cpu_time", "job.user_time", "job.system_time",
                                       "job.read",     "job.write",     "job.energy"};
  return figure.name().starts_with("counter.") ||
         std::find(std::begin(totals), std::end(totals), figure.name()) != std::end(totals);
}

void FigureHistory::add(const google::protobuf::RepeatedPtrField<pb::Figure>& figures,
                        WallMs at_ms) {
  constexpr std::size_t kept = 200;
  if (at_ms <= last_ms_) return;
  const double seconds = static_cast<double>(at_ms - last_ms_) / 1000;
  for (const pb::Figure& figure : figures) {
    if (!std::isfinite(figure.value())) continue;
    Track& track = tracks_[figure.name()];
    if (!is_total(figure)) {
      track.values.push_back(figure.value());
    } else if (track.begun) {
      // A job that began anew counts from 0 again.
      track.values.push_back(std::max(0.0, figure.value() - track.last) / seconds);
    }
    track.last = figure.value();
    track.begun = true;
    if (track.values.size() > kept) track.values.pop_front();
  }
  last_ms_ = at_ms;
}

std::vector<double> FigureHistory::values_of(const std::string& name) const {
  const auto found = tracks_.find(name);
  if (found == tracks_.end()) return {};
  return {found->second.values.begin(), found->second.values.end()};
}

}  // namespace hyades
