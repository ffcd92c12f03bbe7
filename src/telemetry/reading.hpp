// One reading of one metric.
#pragma once

#include "core/time.hpp"
#include "telemetry/metric.hpp"

namespace hyades {

struct Reading {
  WallMs at_ms = 0;
  double value = kNoReading;  // kNoReading: a gap, there was none to take
};

}  // namespace hyades
