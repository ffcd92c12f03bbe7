#include "telemetry/power_model.hpp"

#include <algorithm>

namespace hyades {

double PowerModel::watts(double busy) const {
  return idle_w + (peak_w - idle_w) * std::clamp(busy, 0.0, 100.0) / 100;
}

}  // namespace hyades
