// Core values <-> schema/hyades.proto. Decoding trusts nothing: it never throws and never crashes,
// counts and lengths are checked before anything is allocated for them (wire_guard.hpp), unknown
// or repeated fields, trailing bytes, enumerators out of range and senseless negative numbers are
// refused, and `error` then names the field. On failure the output is unspecified.
#pragma once

#include <string>
#include <string_view>

#include "core/exit_record.hpp"
#include "core/job_spec.hpp"
#include "core/messages.hpp"
#include "core/node_profile.hpp"
#include "core/resources.hpp"
#include "hyades.pb.h"
#include "wire/utf8.hpp"

namespace hyades {

// A longer node message is never sent and never accepted.
constexpr std::size_t kNodeMessageBytesMax = 16u << 20;

// ---- node messages ---------------------------------------------------------------------------

std::string encode(const Message& message);
bool decode(std::string_view bytes, Message& out, std::string& error);

// ---- client requests -------------------------------------------------------------------------

// The body of a request frame. Says nothing about what the request means: a Submit's spec and
// payload still have to pass from_pb, check_spec and check_payload.
bool parse_request(std::string_view body, pb::ClientRequest& out, std::string& error);

// ---- values ----------------------------------------------------------------------------------

void to_pb(const LaunchKey& value, pb::LaunchKey& out);
void to_pb(const Inventory& value, pb::Inventory& out);
void to_pb(const NodeShare& value, pb::NodeShare& out);
void to_pb(const Dependency& value, pb::Dependency& out);
void to_pb(const JobSpec& value, pb::JobSpec& out);
void to_pb(const NodeProfile& value, pb::NodeProfile& out);
void to_pb(const JobPayload& value, pb::JobPayload& out);
void to_pb(const Usage& value, pb::Usage& out);
void to_pb(const ExitRecord& value, pb::ExitRecord& out);
void to_pb(const LaunchReport& value, pb::LaunchReport& out);

bool from_pb(const pb::LaunchKey& in, LaunchKey& out, std::string& error);
bool from_pb(const pb::Inventory& in, Inventory& out, std::string& error);
bool from_pb(const pb::NodeShare& in, NodeShare& out, std::string& error);
bool from_pb(const pb::Dependency& in, Dependency& out, std::string& error);
bool from_pb(const pb::JobSpec& in, JobSpec& out, std::string& error);
bool from_pb(const pb::NodeProfile& in, NodeProfile& out, std::string& error);
bool from_pb(const pb::JobPayload& in, JobPayload& out, std::string& error);
bool from_pb(const pb::Usage& in, Usage& out, std::string& error);
bool from_pb(const pb::ExitRecord& in, ExitRecord& out, std::string& error);
bool from_pb(const pb::LaunchReport& in, LaunchReport& out, std::string& error);

// ---- words -----------------------------------------------------------------------------------

}  // namespace hyades
