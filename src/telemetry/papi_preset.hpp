// One of PAPI's presets as PAPI describes it, and what it is to the kernel.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "telemetry/counter_catalogue.hpp"

namespace hyades {

struct PapiPreset {
  std::string name;                  // "PAPI_TOT_INS"
  std::string derived;               // "NOT_DERIVED", "DERIVED_ADD", ...
  std::string postfix;               // of DERIVED_POSTFIX: "N0|N1|+|"
  std::vector<std::string> natives;  // the processor's own events
};

// What the kernel has to be asked for to get a native event. False: nobody knows.
using EncodeNative = std::function<bool(const std::string& native, PerfTerm& term)>;

// A counter when it is a plain sum or difference of events that can be had; else a missing one that
// says why.
void add_preset(const PapiPreset& preset, const EncodeNative& encode, CounterCatalogue& catalogue);

}  // namespace hyades
