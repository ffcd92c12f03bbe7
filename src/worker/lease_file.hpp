// How a launch's shepherd learns that the master still counts on it: the worker writes down, for
// each launch that has a lease, when it was renewed last, and the shepherd reads it when the lease
// would end. Times are those of the boot clock, which nobody sets. Nothing is synced: after a power
// cut there is no shepherd left to read it.
#pragma once

#include <string>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace hyades {

std::string lease_path(const std::string& spool_directory, const LaunchKey& key);

// Never lowers it. False: it could not be written; errno says why.
bool write_lease(const std::string& spool_directory, const LaunchKey& key, BootMs from_ms);

// When it was renewed last; 0 when it never was, cannot be told, or lies in the future.
BootMs read_lease(const std::string& spool_directory, const LaunchKey& key);

// True, and the launch, for the name of such a file.
bool parse_lease_name(const std::string& name, LaunchKey& key);

}  // namespace hyades
