// What a client asks the controller to change, and the answers. Questions (hstat, hinfo, hacct)
// never come here: they read tables and the store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/node_profile.hpp"

namespace hyades {

enum class Role { User, Operator, Admin };

// Who asks, by the kernel's word, never by the message's.
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;
  Role role = Role::User;
};

struct SubmitRequest {
  JobSpec spec;  // user, uid, gid are overwritten with the caller's
  std::shared_ptr<const JobPayload> payload;
  std::string token;  // same caller and token: same job, however often it is sent; "": none
};
struct CancelRequest {
  JobId job = 0;
};
struct SignalRequest {
  JobId job = 0;
  int signal = 0;
  bool batch_only = false;
};
struct HoldRequest {
  JobId job = 0;
};
struct ReleaseRequest {
  JobId job = 0;
};
struct RequeueRequest {
  JobId job = 0;
};
struct DrainRequest {
  std::string node;
  std::string reason;
};
struct ResumeRequest {
  std::string node;
};
// Somebody has looked: the node is off, or nothing of its jobs runs on it.
struct ConfirmDeadRequest {
  std::string node;
};
// What a node can do. Nothing: what is known is forgotten.
struct ProfileNodeRequest {
  std::string node;
  std::optional<NodeProfile> profile;
};
struct ReloadRequest {
  std::shared_ptr<const ClusterConfig> config;  // already checked
};

// Names one open request of one connection; unique while the master lives.
using RequestId = std::uint64_t;

struct Request {
  RequestId id = 0;
  Caller caller;
  std::variant<SubmitRequest, CancelRequest, SignalRequest, HoldRequest, ReleaseRequest,
               RequeueRequest, DrainRequest, ResumeRequest, ConfirmDeadRequest, ProfileNodeRequest,
               ReloadRequest>
      what;
};

enum class ErrorCode {
  None,
  Invalid,  // the request makes no sense; `message` names field and fix
  NotFound,
  Denied,    // the caller may not do this
  Conflict,  // the job or node is not in a state that allows it
  LimitReached,
  StorageFull,  // nothing was accepted; try again when there is space
  Unavailable,
};

std::string_view to_string(ErrorCode code);

// `job` is set in answers to submissions.
struct Reply {
  RequestId id = 0;
  ErrorCode error = ErrorCode::None;
  std::string message;
  JobId job = 0;
};

}  // namespace hyades
