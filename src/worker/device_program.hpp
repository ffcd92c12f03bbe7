// Forbidding devices to a control group of version 2. It has no file for that: the kernel asks a
// small program (BPF) that is attached to the group, and forgets it with the group.
#pragma once

#include <string>
#include <vector>

#include "worker/device_rules.hpp"

namespace hyades {

// To the group at `path` and those below it, beside what their surroundings forbid. False: errno
// says why; mostly that the process may not (EPERM: it needs CAP_BPF and CAP_NET_ADMIN) or that the
// kernel was built without.
bool forbid_devices(const std::string& path, const std::vector<DeviceNumber>& devices);

}  // namespace hyades
