// Which kinds of devices each waiting job may start on, so that jobs leave them to others that gain
// more, or wait for better ones. Experiments beside what the master does; they know exact run
// times.
#pragma once

#include <map>
#include <vector>

#include "hsim/device_fleet.hpp"
#include "hsim/device_shares.hpp"

namespace hyades {

struct KindQueue {
  std::vector<const DeviceJob*> waiting;  // in the order of the queue
  std::vector<double>
      busy_ms;  // by the fleet's parts: until what runs there ends, over all devices
};

// By job, by the fleet's parts.
using KindChoice = std::vector<std::vector<char>>;

// So many jobs of each kind of work, on the whole fleet.
ShareProblem share_problem(const std::map<DeviceWork, double>& counts, const DeviceFleet& fleet,
                           const ThroughputTable& table);
// What time on a device of each of the fleet's parts is worth to the waiting jobs: the duals of the
// program that finishes all of them first.
std::vector<double> prices_for(const KindQueue& queue, const DeviceFleet& fleet,
                               const ThroughputTable& table);

// Each job where it ends first, behind all that run or stand before it in the queue.
KindChoice by_earliest_end(const KindQueue& queue, const DeviceFleet& fleet,
                           const ThroughputTable& table);
// Each job where its time costs least.
KindChoice by_price(const KindQueue& queue, const std::vector<double>& prices,
                    const DeviceFleet& fleet, const ThroughputTable& table);
// Likewise, or where it ends before it would there, behind all that run or want the same.
KindChoice by_price_or_patience(const KindQueue& queue, const std::vector<double>& prices,
                                const DeviceFleet& fleet, const ThroughputTable& table);

}  // namespace hyades
