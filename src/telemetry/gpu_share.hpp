// Which of a node's GPUs jobs use, by the processes that the driver sees on each device, and how
// much of what the devices did was theirs.
//
// A device on which processes of one job are is that job's. One that several share is divided by
// the memory that each has there where the driver tells it of all, and equally otherwise, for
// nobody says whose kernels keep it busy. Processes that belong to no job (somebody's session, a
// display) have a part like a job, which is nobody's; so has a device without a process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "telemetry/nvml.hpp"

namespace hyades {

// In a stretch of time.
struct GpuDeviceUse {
  double percent = kNoReading;    // how busy it was
  double joules = kNoReading;     // it took
  double total_mib = kNoReading;  // memory that it has
  // On it now, in any order. Nothing: the driver does not say.
  std::optional<std::vector<GpuProcess>> processes;
};

struct GpuJobUse {
  int devices = 0;              // on which it has processes
  double percent = kNoReading;  // mean of those devices, whoever keeps them busy
  // Of the devices' work, as if that were whole devices: 0.5 is half of one. 0: it is on none.
  double busy = kNoReading;
  double memory_mib = kNoReading;  // that its processes have there
  double joules = 0;               // of what the devices took

  friend bool operator==(const GpuJobUse&, const GpuJobUse&) = default;
};

// `jobs`: the processes of each, in any order. What cannot be (a process without an id, one with
// more memory than there is) is left out. Where one device does not say what is on it, nobody knows
// how busy a job keeps all of them.
std::vector<GpuJobUse> share_gpus(const std::vector<GpuDeviceUse>& devices,
                                  const std::vector<std::vector<pid_t>>& jobs);

}  // namespace hyades
