// What predictors and policies are told about a job, for hctl show features.
#pragma once

#include <string>

#include "cli/json_output.hpp"

namespace hyades {

Json features_json(const pb::JobFeatures& job);
// A line for each component.
std::string features_page(const pb::JobFeatures& job);

}  // namespace hyades
