// --dependency as sbatch writes it: "afterok:12:13,afterany:14".
#pragma once

#include <string>
#include <vector>

#include "core/job_spec.hpp"

namespace hyades {

// "" and `out` set, or a clause that says what is wrong and what to write instead.
std::string parse_dependencies(const std::string& text, std::vector<Dependency>& out);

}  // namespace hyades
