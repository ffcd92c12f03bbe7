// What runs on this machine by the spools of its nodes, for whoever finds no daemon to ask.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "core/ids.hpp"

namespace hyades {

// The jobs of which something runs, by the locks on their records: `root` has a spool for each
// node. None: that cannot be told, as something is not there or not the caller's to read. Any
// thread; changes nothing.
std::optional<std::set<JobId>> living_jobs(const std::string& root);

}  // namespace hyades
