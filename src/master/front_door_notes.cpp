// What is said when a change was made, beyond that it was.
#include <algorithm>

#include "core/controller.hpp"
#include "master/front_door.hpp"

namespace hyades {

namespace {

constexpr std::size_t kJobsNamed = 20;

bool same_nodes(const std::vector<NodeConfig>& a, const std::vector<NodeConfig>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.inventory == y.inventory && x.group == y.group;
  });
}

std::string counted_jobs(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " job" : " jobs");
}

// Which of the job's nodes do not respond: "n3,n4".
std::string silent_nodes(const Cluster& cluster, const Job& job) {
  std::string names;
  for (const NodeShare& share : job.placement.shares) {
    const Node* const node = cluster.find(share.node);
    if (node != nullptr && node->responding) continue;
    names += (names.empty() ? "" : ",") + share.node;
  }
  return names;
}

}  // namespace

std::string FrontDoor::about_cancel(JobId id) const {
  const Controller& controller = driver_->controller();
  const Job* const job = controller.jobs().find(id);
  if (job == nullptr || job->phase == JobPhase::Ended || !controller.fate_unknown(*job)) return "";
  const std::string silent = silent_nodes(controller.cluster(), *job);
  return "it will be cancelled when " + silent +
         (silent.find(',') == silent.npos ? " is" : " are") + " back, fenced, or confirmed dead";
}

std::string FrontDoor::about_node(const pb::ActOnNode& act) const {
  const Controller& controller = driver_->controller();
  const Node* const node = controller.cluster().find(act.node());
  if (node == nullptr) return "";
  if (act.action() == pb::NODE_CONFIRM_DEAD) return about_death(*node);
  if (act.action() == pb::NODE_DRAIN) {
    return node->jobs == 0 ? "drained"
                           : "draining; " + counted_jobs(node->jobs) + " there will end first";
  }
  if (act.action() == pb::NODE_PROFILE) return "profiled";
  if (act.action() == pb::NODE_FORGET_PROFILE) {
    return node->profile ? "its profile is forgotten" : "there was no profile";
  }
  if (!node->drained) return "it was not drained";
  return node->responding ? "resumed" : "resumed, but it does not respond";
}

std::string FrontDoor::about_death(const Node& node) const {
  const Controller& controller = driver_->controller();
  std::string names;
  std::size_t count = 0;
  for (const auto& [id, job] : controller.jobs().all()) {
    if (!job.placed() || !controller.fate_unknown(job)) continue;
    const auto& shares = job.placement.shares;
    const bool there = std::any_of(shares.begin(), shares.end(),
                                   [&](const NodeShare& share) { return share.node == node.name; });
    if (!there) continue;
    if (++count <= kJobsNamed) names += (names.empty() ? "" : ", ") + std::to_string(id);
  }
  if (count == 0) return "dead; no job waited for it";
  return "dead; " + counted_jobs(count) + " that waited for it: " + names +
         (count > kJobsNamed ? ", ..." : "");
}

void FrontDoor::reload(const ClientRequest& request, std::vector<Request>& out) {
  const Caller caller = caller_of(request);
  if (caller.role != Role::Admin) {
    out.push_back({request.id, caller, ReloadRequest{nullptr}});  // the controller refuses
    return;
  }
  std::string errors;
  const std::shared_ptr<const ClusterConfig> loaded = load_config_(errors);
  if (loaded == nullptr) {
    return refuse(request.id, ErrorCode::Invalid, errors + "\nthe configuration in effect is kept");
  }
  const ClusterConfig& running = driver_->controller().config();
  ClusterConfig next = *loaded;
  Note note{.message = "the new configuration is in effect",
            .next_start = keep_running_settings(running, next)};
  if (!note.next_start->empty()) note.message += "; " + late_sentence(*note.next_start);
  if (!same_nodes(running.nodes, next.nodes)) {
    note.message += "; what [[node]] says of a node counts when its worker next starts";
  }
  note.message += model_trouble(next);
  notes_[request.id] = std::move(note);
  out.push_back(
      {request.id, caller, ReloadRequest{std::make_shared<ClusterConfig>(std::move(next))}});
}

void FrontDoor::add_note(RequestId id, ErrorCode error, pb::ClientReply& reply) {
  const auto found = notes_.find(id);
  if (found == notes_.end()) return;
  Note note = std::move(found->second);
  notes_.erase(found);
  if (error != ErrorCode::None) return;
  if (reply.message().empty()) reply.set_message(note.message);
  if (note.next_start) facts_.next_start = std::move(*note.next_start);
}

}  // namespace hyades
