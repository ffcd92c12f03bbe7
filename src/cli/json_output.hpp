// The answers of the master as JSON, for --json. docs/commands.md lists the keys; they are a
// promise: keys may be added, never renamed. Times are ISO 8601 in UTC, or null.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hyades.pb.h"

namespace hyades {

using Json = nlohmann::ordered_json;

// null: there is none.
Json text_json(const std::string& text);

Json job_json(const pb::JobInfo& job);
// {"saf": 0.1, ...}: what a model expects of each rule.
Json played_json(const pb::PlayedCosts& played);
Json rule_values_json(const google::protobuf::RepeatedPtrField<pb::RuleValue>& values);
Json event_json(const pb::EventInfo& event);
Json node_json(const pb::NodeInfo& node);
Json queue_json(const pb::QueueInfo& queue);
Json status_json(const pb::StatusInfo& status);

// What is wrong with the cluster, a sentence each.
std::vector<std::string> warnings_of(const pb::StatusInfo& status);

// Valid JSON in ASCII whatever the strings hold (bytes that are no UTF-8 become U+FFFD), one
// document, with a newline at its end.
std::string json_text(const Json& value);

// The same on one line: for streams of documents.
std::string json_line(const Json& value);

}  // namespace hyades
