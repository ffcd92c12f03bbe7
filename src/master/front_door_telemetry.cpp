// What was measured, for those who ask.
#include "master/front_door.hpp"
#include "master/telemetry_board.hpp"

namespace hyades {

namespace {

constexpr int kJobsAtOnce = 1000;
constexpr const char* kMaster = "master";

pb::LayerInfo& add_layer(pb::ClientReply& reply, const std::string& layer,
                         const std::string& component, const std::string& place) {
  pb::LayerInfo& info = *reply.add_layers();
  info.set_layer(layer);
  info.set_component(component);
  info.set_place(place);
  info.set_running(true);
  return info;
}

void add_counter(pb::LayerInfo& info, const std::string& name, const std::string& unit,
                 double value) {
  pb::Figure& figure = *info.add_counters();
  figure.set_name(name);
  figure.set_unit(unit);
  figure.set_value(value);
}

// `silent`: why nothing of it is of now; "": it is.
void add_component(const std::string& node, const pb::ComponentState& component,
                   const std::string& silent, pb::ClientReply& reply) {
  pb::LayerInfo& info = add_layer(reply, component.layer(), component.name(), node);
  info.set_running(component.running() && silent.empty());
  info.set_text(component.running() && !silent.empty() ? silent : component.text());
  if (!component.running()) return;
  if (component.period_ms() > 0) add_counter(info, "period", "ms", component.period_ms());
  if (component.period_ms() > 0 || component.samples() > 0) {  // else it does not sample at all
    add_counter(info, "samples", "count", static_cast<double>(component.samples()));
    add_counter(info, "troubles", "count", static_cast<double>(component.troubles()));
    add_counter(info, "cpu", "ms", component.cpu_ms());
  }
  info.mutable_counters()->MergeFrom(component.figures());
}

}  // namespace

// What a job does tells about its user's work as much as its files do.
void FrontDoor::show_job_telemetry(const ClientRequest& request) {
  const auto& ids = request.what.show_job_telemetry().ids();
  if (!may_see_jobs(request, ids, kJobsAtOnce, "what was measured")) return;
  pb::ClientReply reply;
  for (const std::uint64_t id : ids) {
    if (auto telemetry = telemetry_ == nullptr ? std::nullopt : telemetry_->find_job(id)) {
      *reply.add_job_telemetry() = std::move(*telemetry);
    }
  }
  server_.reply(request.id, reply);
}

void FrontDoor::show_node_telemetry(const ClientRequest& request) {
  const pb::ShowNodeTelemetry& show = request.what.show_node_telemetry();
  pb::ClientReply reply;
  const auto add = [&](const std::string& node, WallMs since_ms) {
    auto found = telemetry_ == nullptr ? std::nullopt : telemetry_->find_node(node, since_ms);
    if (found) {
      *reply.add_node_telemetry() = std::move(*found);
    } else {
      reply.add_node_telemetry()->set_node(node);
    }
  };
  if (show.queues()) {
    add(kQueuesAsNode, show.since_ms());
    reply.mutable_node_telemetry(0)->set_node("queues");
    return server_.reply(request.id, reply);
  }
  for (const std::string& node : show.nodes()) {
    if (driver_->controller().cluster().find(node) == nullptr) {
      return refuse(request.id, ErrorCode::NotFound, "there is no node '" + node + "'");
    }
    add(node, show.since_ms());
  }
  if (show.nodes().empty()) {
    for (const Node& node : driver_->controller().cluster().nodes()) add(node.name, 0);
  }
  server_.reply(request.id, reply);
}

void FrontDoor::show_layers(const ClientRequest& request) {
  pb::ClientReply reply;
  const Controller& controller = driver_->controller();
  pb::LayerInfo& queue = add_layer(reply, "scheduling", "queue", kMaster);
  add_counter(queue, "jobs", "count", static_cast<double>(controller.jobs().size()));
  add_counter(queue, "turns", "count", static_cast<double>(turns_));
  add_counter(queue, "commits", "count", static_cast<double>(commits_));
  queue.set_text(driver_->degraded());
  for (const QueueConfig& config : controller.config().queues) {
    add_layer(reply, "scheduling", "policy", kMaster)
        .set_text("queue " + config.name + ": " + std::string(to_string(config.order)) +
                  ", backfill " + std::string(to_string(config.backfill)));
  }
  if (telemetry_ != nullptr) {
    pb::LayerInfo& store = add_layer(reply, "monitoring", "store", kMaster);
    const TelemetryBoard::State state = telemetry_->state();
    store.set_running(state.stores);
    store.set_text(state.trouble);
    add_counter(store, "reports", "count", static_cast<double>(state.reports));
    add_counter(store, "size", "bytes", static_cast<double>(state.bytes));
    for (const auto& [name, node] : telemetry_->nodes()) {
      const std::string silent =
          telemetry_->silence_of_node(name, controller.config().node_settings.telemetry);
      for (const pb::ComponentState& component : node.components()) {
        add_component(name, component, silent, reply);
      }
    }
    if (!metrics_state_.empty()) {
      pb::LayerInfo& metrics = add_layer(reply, "monitoring", "metrics", kMaster);
      metrics.set_running(metrics_trouble_.empty());
      metrics.set_text(metrics_trouble_.empty() ? metrics_state_ : metrics_trouble_);
    }
  }
  server_.reply(request.id, reply);
}

}  // namespace hyades
