// Why a job waits, in words and as JSON.
#pragma once

#include <string>

#include "cli/json_output.hpp"
#include "hyades.pb.h"

namespace hyades {

// A few lines, each with a newline; escaped. `now_ms`: wall clock.
std::string explanation_page(const pb::JobInfo& job, const pb::JobExplanation& why,
                             std::int64_t now_ms);
// What playing the near future said when the order was chosen.
std::string played_text(const pb::PlayedCosts& played);
Json explanation_json(const pb::JobInfo& job, const pb::JobExplanation& why);

}  // namespace hyades
