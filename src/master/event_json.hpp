// How specs, events and inventories look in the database: JSON that people can read. Fields that
// have their default are left out, so that later versions can add some. Readers throw
// std::exception on anything malformed; strings that are not UTF-8 survive.
#pragma once

#include <string>

#include "core/job_event.hpp"
#include "core/job_spec.hpp"
#include "core/resources.hpp"

namespace hyades {

std::string spec_to_json(const JobSpec& spec);
JobSpec spec_from_json(const std::string& text);

// Everything but the job, the time and the kind. "" for Submitted: its spec is stored elsewhere.
std::string detail_to_json(const JobEvent& event);

// `kind` is event_name(); for "submitted", `text` is the spec.
JobEvent event_from_json(JobId job, WallMs at_ms, const std::string& kind, const std::string& text);

// Of an `ended` event.
Usage usage_from_json(const std::string& text);

std::string inventory_to_json(const Inventory& inventory);
Inventory inventory_from_json(const std::string& text);

std::string profile_to_json(const NodeProfile& profile);
NodeProfile profile_from_json(const std::string& text);

// ["a", "b"] and [1, 2]: lists as values of a query.
std::string list_to_json(const std::vector<std::string>& words);
std::string list_to_json(const std::vector<JobId>& ids);

}  // namespace hyades
