// Who asks, and what they may see. What they may change is the controller's to decide.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "core/controller.hpp"
#include "master/front_door.hpp"
#include "wire/codec.hpp"

namespace hyades {

namespace {

bool holds(const std::vector<std::uint32_t>& uids, std::uint32_t uid) {
  return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

}  // namespace

// "" is not remembered: the account may be made, or its directory answer again, any time.
std::string FrontDoor::account_of(std::uint32_t uid) {
  if (const auto known = user_names_.find(uid); known != user_names_.end()) return known->second;
  passwd record{};
  passwd* found = nullptr;
  std::vector<char> buffer(16'384);
  getpwuid_r(uid, &record, buffer.data(), buffer.size(), &found);
  if (found == nullptr || !is_printable_utf8(found->pw_name)) return "";
  return user_names_[uid] = found->pw_name;
}

std::string FrontDoor::user_name(std::uint32_t uid) {
  const std::string account = account_of(uid);
  return account.empty() ? std::to_string(uid) : account;
}

// Who asks is the kernel's word; what they may do is decided anew for each request, because the
// configuration can change.
Caller FrontDoor::caller_of(const ClientRequest& request) {
  const ClusterConfig& config = driver_->controller().config();
  Caller caller{.uid = request.uid, .gid = request.gid, .user = user_name(request.uid)};
  if (request.uid == 0 || request.uid == geteuid() || holds(config.admin_uids, request.uid)) {
    caller.role = Role::Admin;
  } else if (holds(config.operator_uids, request.uid)) {
    caller.role = Role::Operator;
  }
  return caller;
}

// Whether it is something that only operators or admins can do, asked by one of them: such is
// always in the log.
bool FrontDoor::uses_a_role(const ClientRequest& request) {
  if (caller_of(request).role == Role::User) return false;
  const pb::ClientRequest& what = request.what;
  const auto is_anothers = [&](JobId id) {
    const Job* const job = driver_->controller().jobs().find(id);
    return job == nullptr || job->spec.uid != request.uid;
  };
  switch (what.what_case()) {
    case pb::ClientRequest::kActOnNode:
    case pb::ClientRequest::kReload:
    case pb::ClientRequest::kActOnModel:
      return true;
    case pb::ClientRequest::kActOnJob:
      return is_anothers(what.act_on_job().job());
    case pb::ClientRequest::kShowScript:
      return is_anothers(what.show_script().job());
    case pb::ClientRequest::kSubmit:
      return what.submit().spec().priority() > 0;
    default:
      return false;
  }
}

bool FrontDoor::may_see_details(const ClientRequest& request, std::uint32_t owner) {
  return request.uid == owner || caller_of(request).role == Role::Admin;
}

// Whether the one who asks may see `what` of all these jobs; refuses the request otherwise.
bool FrontDoor::may_see_jobs(const ClientRequest& request, const JobIds& ids, int most,
                             const std::string& what) {
  if (ids.size() > most) {
    refuse(request.id, ErrorCode::Invalid,
           "at most " + std::to_string(most) + " jobs can be asked for at once");
    return false;
  }
  const Caller caller = caller_of(request);
  for (const std::uint64_t id : ids) {
    const auto owner = store_.owner(id);
    if (!owner) {
      refuse(request.id, ErrorCode::NotFound, "there is no job " + std::to_string(id));
      return false;
    }
    if (caller.role == Role::User && caller.uid != *owner) {
      refuse(request.id, ErrorCode::Denied,
             "only its owner and operators may see " + what + " of job " + std::to_string(id));
      return false;
    }
  }
  return true;
}

// Why a job could not be launched names the paths that its user has chosen.
bool FrontDoor::may_see_reasons(const Caller& caller, std::uint32_t owner) {
  return caller.uid == owner || caller.role != Role::User;
}

void FrontDoor::hide_reason(const Caller& caller, pb::JobInfo& info) {
  if (may_see_reasons(caller, info.uid())) return;
  const char* const secret = "only its owner may see why";
  if (info.state() == state_name(JobPhase::Ended, Outcome::LaunchFailed)) info.set_reason(secret);
  if (!info.last_reason().empty()) info.set_last_reason(secret);
  info.mutable_usage()->clear_reported();
  info.mutable_usage()->clear_refused_reports();
}

}  // namespace hyades
