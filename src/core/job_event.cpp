#include "core/job_event.hpp"

namespace hyades {

namespace {

struct JobEventName {
  const char* operator()(const Submitted&) const { return "submitted"; }
  const char* operator()(const DependencySettled&) const { return "dependency-settled"; }
  const char* operator()(const HoldChanged&) const { return "hold-changed"; }
  const char* operator()(const Assigned&) const { return "assigned"; }
  const char* operator()(const Started&) const { return "started"; }
  const char* operator()(const ScriptEnded&) const { return "script-ended"; }
  const char* operator()(const CoresLent&) const { return "cores-lent"; }
  const char* operator()(const PowerCapped&) const { return "power-capped"; }
  const char* operator()(const CancelRequested&) const { return "cancel-requested"; }
  const char* operator()(const RequeueRequested&) const { return "requeue-requested"; }
  const char* operator()(const Requeued&) const { return "requeued"; }
  const char* operator()(const Ended&) const { return "ended"; }
};

struct NodeEventName {
  const char* operator()(const NodeDefined&) const { return "node-defined"; }
  const char* operator()(const NodeDrained&) const { return "node-drained"; }
  const char* operator()(const NodeProfiled&) const { return "node-profiled"; }
  const char* operator()(const NodeResumed&) const { return "node-resumed"; }
  const char* operator()(const NodeDeclaredDead&) const { return "node-declared-dead"; }
};

}  // namespace

const char* event_name(const JobEvent& event) { return std::visit(JobEventName{}, event.what); }
const char* event_name(const NodeEvent& event) { return std::visit(NodeEventName{}, event.what); }

}  // namespace hyades
