// What runs on this machine by the spools of its nodes, for whoever finds no daemon to ask.
#pragma once

#include <set>
#include <string>

#include "core/ids.hpp"

namespace hyades {

// The jobs of which something runs, by the locks on their records: `root` has a spool for each
// node. Of what the caller may not read nothing is said. Any thread; changes nothing.
std::set<JobId> living_jobs(const std::string& root);

}  // namespace hyades
