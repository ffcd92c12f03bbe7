// Why a job runs where it does, in words and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "hyades.pb.h"

namespace hyades {

// Lines without newlines: the place, what first fit would have cost, the runner-up.
std::vector<std::string> placement_lines(const pb::PlacementWhy& why);
Json placement_json(const pb::PlacementWhy& why);

}  // namespace hyades
