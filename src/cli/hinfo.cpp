// hinfo: nodes, queues and the health of the master.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <iterator>
#include <sstream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/node_columns.hpp"
#include "cli/node_telemetry_columns.hpp"
#include "cli/printable.hpp"
#include "cli/times.hpp"
#include "core/hostlist.hpp"
#include "core/nearest_word.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "Node states: idle mixed allocated draining drained down; '*': does not respond.\n"
    "\nExamples\n"
    "  hinfo                    nodes by queue and state\n"
    "  hinfo -N                 what each node has and what is free\n"
    "  hinfo -R                 which nodes are drained or down, and why\n"
    "  hinfo --health           how the master is, and what is wrong\n"
    "  hinfo --telemetry        how busy nodes are, their traffic, power and GPUs\n"
    "  hinfo --telemetry n2     every figure of n2, and how it was in the last hour\n"
    "  hinfo --telemetry --queues\n"
    "                           how long queues are, and were in the last hour\n"
    "  hinfo --layers           every part of Hyades, whether it runs, and what it counts\n"
    "  hinfo --layers n2        those on n2, with a line for each counter; also: master\n"
    "\nExit codes\n"
    "  0  good      1  no master, no such node or queue, or --health: something is wrong\n"
    "  2  wrong options\n";

// What was asked for by name and does not exist; one that another filter leaves out does.
int complain_of_unknown(const std::string& kind, const std::vector<std::string>& asked,
                        const std::vector<std::string>& known) {
  int exit_code = kExitGood;
  for (const std::string& name : asked) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_word(name, known);
    complain("hinfo", kind + " " + name + ": no such " + kind +
                          (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    exit_code = kExitFailed;
  }
  return exit_code;
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
}

NodeList ask_nodes(const Command& command, MasterClient& master, int& exit_code) {
  std::vector<std::string> names;
  std::string error;
  for (const std::string& text : command.words()) {
    if (!expand_hostlist(text, names, error)) command.usage_error(error);
  }
  const std::vector<std::string> queues = command.list_of("queue");
  pb::ClientRequest request;
  request.mutable_list_nodes();
  NodeList nodes;
  const pb::ClientReply reply = master.get(request);
  std::vector<std::string> known;
  for (const pb::NodeInfo& node : reply.nodes()) {
    known.push_back(node.name());
    const bool in_queue =
        queues.empty() || std::any_of(node.queues().begin(), node.queues().end(),
                                      [&](const auto& name) { return contains(queues, name); });
    if (in_queue && contains(names, node.name())) nodes.push_back(node);
  }
  exit_code = std::max(exit_code, complain_of_unknown("node", names, known));
  return nodes;
}

QueueList ask_queues(const Command& command, MasterClient& master, int& exit_code) {
  const std::vector<std::string> names = command.list_of("queue");
  pb::ClientRequest request;
  request.mutable_list_queues();
  QueueList queues;
  const pb::ClientReply reply = master.get(request);
  std::vector<std::string> known;
  for (const pb::QueueInfo& queue : reply.queues()) {
    known.push_back(queue.name());
    if (contains(names, queue.name())) queues.push_back(queue);
  }
  exit_code = std::max(exit_code, complain_of_unknown("queue", names, known));
  return queues;
}

std::string shadow_line(const pb::ShadowModel& shadow) {
  std::string text = "shadow: model " + shadow.model().substr(0, 12) +
                     ", answers: " + std::to_string(shadow.answers());
  if (shadow.failures() == 0) return text;
  return text + ", failures: " + std::to_string(shadow.failures()) +
         ", the last: " + shadow.failure();
}

bool some_queue(const pb::LearnedPolicy& learned, bool (*is_so)(const pb::QueueAction&)) {
  return std::any_of(learned.queues().begin(), learned.queues().end(), is_so);
}

// By its configuration, or because its model chose that.
bool looks_ahead(const pb::QueueAction& queue) {
  return queue.looks_ahead() || queue.choice().starts_with("lookahead-");
}
bool has_model(const pb::QueueAction& queue) { return !queue.looks_ahead(); }

// Of those who answer: pb::LearnedPolicy, pb::LookaheadHealth.
template <typename Health>
std::string answers_text(const Health& health) {
  std::string text = ", answers: " + std::to_string(health.answers());
  if (health.failures() == 0) return text;
  return text + ", failures: " + std::to_string(health.failures()) +
         ", the last: " + health.failure();
}
template <typename Health>
std::string use_text(const Health& health) {
  return health.off() ? "off" : health.answers() == 0 ? "no answer yet" : "in use";
}

std::string queue_line(const pb::QueueAction& queue) {
  std::ostringstream text;
  text << queue.queue() << ": " << queue.rule();
  if (queue.reserve() > 0) {
    text << ", reserve " << std::lround(queue.reserve() * 1000) / 10.0 << " % after "
         << format_duration(queue.reserve_after_s());
  }
  if (queue.ageing() > 0) text << ", ageing " << std::lround(queue.ageing() * 1000) / 1000.0;
  text << (queue.by_model() ? " (by " : " (without ")
       << (queue.looks_ahead() ? "looking ahead" : "the model");
  if (!queue.choice().empty() && queue.choice() != queue.rule()) text << ": " << queue.choice();
  text << ")";
  return text.str();
}

using HealthLine = std::function<void(const std::string& key, const std::string& value)>;

// What the model of the global policy, and looking ahead, do, queue by queue.
void say_advised(const pb::LearnedPolicy& learned, const HealthLine& line) {
  if (some_queue(learned, has_model)) {
    std::string model = use_text(learned);
    if (!learned.model().empty()) model += ", model " + learned.model().substr(0, 12);
    line("learned policy", model + " (" + learned.source() + ")" + answers_text(learned));
    if (learned.has_shadow()) line("learned policy", shadow_line(learned.shadow()));
  }
  if (some_queue(learned, looks_ahead)) {
    const pb::LookaheadHealth& ahead = learned.looking_ahead();
    line("looking ahead", use_text(ahead) + answers_text(ahead));
  }
  for (const pb::QueueAction& queue : learned.queues()) {
    line(queue.looks_ahead() ? "looking ahead" : "learned policy", queue_line(queue));
  }
}

int show_health(const Command& command, MasterClient& master) {
  pb::ClientRequest request;
  request.mutable_show_status();
  const pb::StatusInfo status = master.get(request).status();
  const std::vector<std::string> warnings = warnings_of(status);
  if (command.json()) {
    std::cout << json_text(status_json(status));
  } else {
    const auto line = [](const std::string& key, const std::string& value) {
      std::cout << key << std::string(18 - key.size(), ' ') << escape_text(value) << "\n";
    };
    line("cluster", status.cluster());
    if (warnings.empty()) line("health", "good");
    for (const std::string& warning : warnings) line("health", warning);
    line("version", status.version());
    line("state directory", status.state_directory());
    line("master", "pid " + std::to_string(status.master_pid()) + ", epoch " +
                       std::to_string(status.epoch()) + ", since " +
                       local_time(status.started_ms()));
    line("nodes", std::to_string(status.nodes_responding()) + " of " +
                      std::to_string(status.nodes()) + " respond");
    line("jobs", std::to_string(status.pending()) + " pending, " +
                     std::to_string(status.running()) + " running");
    if (status.has_learned()) say_advised(status.learned(), line);
  }
  return warnings.empty() ? kExitGood : kExitFailed;
}

constexpr WallMs kHour_ms = 3'600'000;

// Their names are "queue.NAME.what".
void keep_queues(const QueueList& wanted, pb::NodeTelemetry& telemetry) {
  const auto is_another = [&](const pb::Figure& figure) {
    return std::none_of(wanted.begin(), wanted.end(), [&](const pb::QueueInfo& queue) {
      const std::string begin = "queue." + queue.name() + ".";
      return figure.name().starts_with(begin) &&
             figure.name().find('.', begin.size()) == std::string::npos;
    });
  };
  const auto keep = [&](auto& figures) {
    figures.erase(std::remove_if(figures.begin(), figures.end(), is_another), figures.end());
  };
  keep(*telemetry.mutable_figures());
  for (pb::NodeMinute& minute : *telemetry.mutable_minutes()) keep(*minute.mutable_figures());
}

int show_queue_telemetry(const Command& command, MasterClient& master) {
  if (!command.words().empty()) {
    command.usage_error("'" + command.words()[0] +
                        "': --telemetry --queues is about queues; -p NAMES narrows it");
  }
  int exit_code = kExitGood;
  const QueueList wanted = ask_queues(command, master, exit_code);
  if (wanted.empty() && exit_code != kExitGood) return exit_code;
  const WallMs now_ms = wall_now_ms();
  pb::ClientRequest request;
  pb::ShowNodeTelemetry& show = *request.mutable_show_node_telemetry();
  show.set_queues(true);
  show.set_since_ms(now_ms - kHour_ms);
  const pb::ClientReply reply = master.get(request);
  if (reply.node_telemetry().empty()) return exit_code;
  pb::NodeTelemetry queues = reply.node_telemetry(0);
  if (command.has("queue")) keep_queues(wanted, queues);
  if (command.json()) {
    Json out = node_telemetry_json(queues);
    std::cout << json_text(
        {{"time", out["time"]}, {"figures", out["figures"]}, {"minutes", out["minutes"]}});
  } else {
    std::cout << node_telemetry_page(queues, now_ms, command.terminal());
  }
  return exit_code;
}

// One node that is named: all its figures. Otherwise a line for each.
int show_telemetry(const Command& command, MasterClient& master) {
  if (command.has("queues")) return show_queue_telemetry(command, master);
  int exit_code = kExitGood;
  const NodeList nodes = ask_nodes(command, master, exit_code);
  const bool named = !command.words().empty() || command.has("queue");
  if (nodes.empty() && named) {
    if (command.has("queue")) ask_queues(command, master, exit_code);
    if (exit_code == kExitGood) complain("hinfo", "none of these nodes is in such a queue");
    return kExitFailed;
  }
  const WallMs now_ms = wall_now_ms();
  const bool one = !command.words().empty() && nodes.size() == 1;
  pb::ClientRequest request;
  pb::ShowNodeTelemetry& show = *request.mutable_show_node_telemetry();
  for (const pb::NodeInfo& node : nodes) {
    if (named) show.add_nodes(node.name());
  }
  if (one) show.set_since_ms(now_ms - kHour_ms);
  const pb::ClientReply reply = master.get(request);
  const NodeTelemetryList list(reply.node_telemetry().begin(), reply.node_telemetry().end());
  if (command.json()) {
    Json out = Json::array();
    for (const pb::NodeTelemetry& node : list) out.push_back(node_telemetry_json(node));
    std::cout << json_text({{"nodes", out}});
  } else if (one && list.size() == 1) {
    std::cout << node_telemetry_page(list[0], now_ms, command.terminal());
  } else {
    const Table table = node_telemetry_table(list, now_ms);
    std::cout << table.render(command.terminal(), !command.has("no-header"));
  }
  return exit_code;
}

constexpr const char* kMasterPlace = "master";

// Where the parts are that are asked for: nodes, "master"; none: everywhere.
std::vector<std::string> ask_places(const Command& command, MasterClient& master, int& exit_code) {
  std::vector<std::string> places;
  std::string error;
  for (const std::string& text : command.words()) {
    if (!expand_hostlist(text, places, error)) command.usage_error(error);
  }
  if (places.empty()) return places;
  pb::ClientRequest request;
  request.mutable_list_nodes();
  std::vector<std::string> known{kMasterPlace};
  const pb::ClientReply reply = master.get(request);
  for (const pb::NodeInfo& node : reply.nodes()) known.push_back(node.name());
  exit_code = std::max(exit_code, complain_of_unknown("node", places, known));
  return places;
}

int show_layers(const Command& command, MasterClient& master) {
  if (command.has("queue")) command.usage_error("--layers is narrowed by nodes, not by --queue");
  int exit_code = kExitGood;
  const std::vector<std::string> places = ask_places(command, master, exit_code);
  pb::ClientRequest request;
  request.mutable_show_layers();
  const pb::ClientReply reply = master.get(request);
  std::vector<pb::LayerInfo> layers;
  std::copy_if(reply.layers().begin(), reply.layers().end(), std::back_inserter(layers),
               [&](const pb::LayerInfo& layer) { return contains(places, layer.place()); });
  if (command.json()) {
    Json out = Json::array();
    for (const pb::LayerInfo& layer : layers) out.push_back(layer_json(layer));
    std::cout << json_text({{"layers", out}});
  } else if (places.size() == 1 && layers.empty()) {
    if (exit_code == kExitGood) std::cout << places[0] << ": has not reported anything yet\n";
  } else if (places.size() == 1) {
    std::cout << layer_page(layers, command.terminal());
  } else if (!layers.empty()) {
    std::cout << layer_table(layers).render(command.terminal(), !command.has("no-header"));
  }
  return exit_code;
}

void show_json(const NodeList& nodes, const QueueList& queues) {
  Json node_list = Json::array();
  for (const pb::NodeInfo& node : nodes) node_list.push_back(node_json(node));
  Json queue_list = Json::array();
  for (const pb::QueueInfo& queue : queues) queue_list.push_back(queue_json(queue));
  std::cout << json_text({{"nodes", node_list}, {"queues", queue_list}});
}

// Each of these is a page of its own.
void refuse_two_pages(const Command& command) {
  const std::vector<std::vector<const char*>> alternatives = {
      {"health", "telemetry", "layers"}, {"health", "queues"}, {"layers", "queues"}};
  for (const std::vector<const char*>& pages : alternatives) {
    std::string given;
    for (const char* page : pages) {
      if (!command.has(page)) continue;
      if (!given.empty()) {
        command.usage_error("--" + given + " and --" + page + " do not go together");
      }
      given = page;
    }
  }
}

int run(int argc, char** argv) {
  Command command("hinfo", "hinfo [OPTION...] [NODE...]", "Show nodes and queues.", kNotes);
  command.value("queue,partition,p", "NAMES", "only these queues and their nodes");
  command.flag("nodes,Node,N", "one line for each node");
  command.flag("list-reasons,reasons,R", "why nodes are drained or down");
  command.flag("queues", "one line for each queue, with its limits");
  command.flag("health", "the health of master and cluster");
  command.flag("telemetry", "what nodes measure of themselves; of one NODE all of it");
  command.flag("layers", "every part of Hyades, and what it counts; of NODE, or master");
  command.flag("no-header,noheader", "no column titles");
  command.parse(argc, argv);
  refuse_two_pages(command);
  MasterClient master(command.name(), command.master(), command.retry_ms(2000));
  if (command.has("health")) return show_health(command, master);
  if (command.has("telemetry")) return show_telemetry(command, master);
  if (command.has("layers")) return show_layers(command, master);
  int exit_code = kExitGood;
  const NodeList nodes = ask_nodes(command, master, exit_code);
  const QueueList queues = ask_queues(command, master, exit_code);
  if (command.json()) {
    show_json(nodes, queues);
    return exit_code;
  }
  // What was named does not exist, which has been said.
  const bool about_queues = command.has("queues");
  if (exit_code != kExitGood && (about_queues ? queues.empty() : nodes.empty())) return exit_code;
  const Table table = about_queues                  ? queue_limits(queues)
                      : command.has("list-reasons") ? drain_table(nodes)
                      : command.has("nodes")        ? node_table(nodes)
                                                    : queue_summary(queues, nodes);
  std::cout << table.render(command.terminal(), !command.has("no-header"));
  return exit_code;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hinfo", [&] { return hyades::run(argc, argv); });
}
