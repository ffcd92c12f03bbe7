// Models of the learned policy, for people and for programs.
#pragma once

#include <string>

#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "hyades.pb.h"

namespace hyades {

Json model_list_json(const pb::ModelList& list);
std::string model_list_page(const pb::ModelList& list, const Terminal& terminal);

// With all that its file says of it, and what was done with it.
Json model_json(const pb::ModelInfo& model, const pb::ModelList& list);
std::string model_page(const pb::ModelInfo& model, const pb::ModelList& list,
                       const Terminal& terminal);

}  // namespace hyades
