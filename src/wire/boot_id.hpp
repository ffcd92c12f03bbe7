// Names the time since the machine was started.
#pragma once

#include <string>

namespace hyades {

// Differs after each reboot, and from that of every other machine. "" when the kernel does not
// tell. Read once.
const std::string& current_boot_id();

}  // namespace hyades
