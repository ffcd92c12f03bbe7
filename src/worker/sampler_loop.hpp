// The process around a Sampler: orders in, reports out, and the waiting between.
#pragma once

#include <functional>
#include <string>

namespace hyades {

struct SamplerPlace {
  int channel = 0;  // SOCK_SEQPACKET; the worker's end is SamplerHandle
  std::string spool_directory;
};

// A longer report is split, or not sent.
constexpr std::size_t kSamplerDatagramMax = 128u << 10;

// Until the channel is closed. `found`: called once, when the sources have been looked for.
// Returns the exit code.
int run_sampler(const SamplerPlace& place, const std::function<void()>& found);

}  // namespace hyades
