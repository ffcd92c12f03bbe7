// A random name for a spool, made once. It is part of the mark that every process of a job
// carries, so that two clusters of one user on one machine never take each other's processes for
// their own.
#pragma once

#include <string>

namespace hyades {

// Reads `<spool_directory>/identity`, or creates it. Throws SpoolError.
std::string spool_identity(const std::string& spool_directory);

}  // namespace hyades
