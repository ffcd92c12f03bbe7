// A Gavel-like scheduler, as a bound: at each arrival and end the shares of all jobs anew, and each
// runs at the speed that its shares give. So it preempts and moves jobs at any time and for
// nothing, never rounds shares, and never finds devices scattered over servers. Hyades never
// preempts.
#pragma once

#include "hsim/device_replay.hpp"

namespace hyades {

enum class SharePolicy { MostThroughput, MaxMinFair };
const char* name_of(SharePolicy policy);

// Throws Failure when a job never gets any share.
DeviceOutcome replay_shares(const DeviceTrace& trace, const DeviceFleet& fleet,
                            const ThroughputTable& table, SharePolicy policy);

}  // namespace hyades
