#include "telemetry/gpu_share.hpp"

#include <cmath>
#include <map>
#include <unordered_map>

namespace hyades {
namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

using Owners = std::unordered_map<pid_t, std::size_t>;

Owners owners_of(const std::vector<std::vector<pid_t>>& jobs) {
  Owners owners;
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    for (const pid_t pid : jobs[job]) owners.emplace(pid, job);
  }
  return owners;
}

double memory_of(const GpuProcess& process, const GpuDeviceUse& device) {
  const bool sound = process.used_mib >= 0 && !(process.used_mib > device.total_mib);
  return sound && std::isfinite(process.used_mib) ? process.used_mib : kNoReading;
}

// The memory that each party has on a device; kNoReading where it is not known of all of it.
std::map<std::size_t, double> parties_on(const GpuDeviceUse& device, const Owners& owners) {
  std::map<std::size_t, double> parties;
  for (const GpuProcess& process : *device.processes) {
    if (process.pid <= 0) continue;
    const auto owner = owners.find(process.pid);
    const auto [party, is_new] =
        parties.emplace(owner == owners.end() ? kNobody : owner->second, 0);
    party->second += memory_of(process, device);
  }
  return parties;
}

// NaN where somebody's is not known.
double sum_of(const std::map<std::size_t, double>& parties) {
  double sum = 0;
  for (const auto& [party, mib] : parties) sum += mib;
  return sum;
}

bool is_amount(double value) { return std::isfinite(value) && value >= 0; }

void add_device(const GpuDeviceUse& device, const Owners& owners, std::vector<GpuJobUse>& out) {
  const std::map<std::size_t, double> parties = parties_on(device, owners);
  const double all_mib = sum_of(parties);
  for (const auto& [party, mib] : parties) {
    if (party == kNobody) continue;
    const double part = all_mib > 0 ? mib / all_mib : 1.0 / static_cast<double>(parties.size());
    GpuJobUse& job = out[party];
    const bool first = job.devices++ == 0;
    const double percent =
        device.percent <= 100 && is_amount(device.percent) ? device.percent : kNoReading;
    job.percent = first ? percent : job.percent + percent;
    job.busy += part * percent / 100;
    job.memory_mib = first ? mib : job.memory_mib + mib;
    if (is_amount(device.joules)) job.joules += part * device.joules;
  }
}

}  // namespace

std::vector<GpuJobUse> share_gpus(const std::vector<GpuDeviceUse>& devices,
                                  const std::vector<std::vector<pid_t>>& jobs) {
  std::vector<GpuJobUse> out(jobs.size());
  const Owners owners = owners_of(jobs);
  bool all_say = !devices.empty();
  for (GpuJobUse& job : out) job.busy = 0;
  for (const GpuDeviceUse& device : devices) {
    all_say = all_say && device.processes.has_value();
    if (device.processes) add_device(device, owners, out);
  }
  for (GpuJobUse& job : out) {
    if (job.devices > 0) job.percent /= job.devices;
    if (!all_say) job.busy = kNoReading;
  }
  return out;
}

}  // namespace hyades
