// hctl: control of jobs, nodes and the master.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/feature_page.hpp"
#include "cli/hctl_model.hpp"
#include "cli/hctl_policy.hpp"
#include "cli/hctl_profile.hpp"
#include "cli/hctl_what_if.hpp"
#include "cli/job_filters.hpp"
#include "cli/job_page.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/master_client.hpp"
#include "cli/printable.hpp"
#include "core/hostlist.hpp"
#include "core/nearest_word.hpp"
#include "master/config_file.hpp"
#include "master/run_files.hpp"

namespace hyades {
namespace {

constexpr const char* kUsage =
    "hctl [OPTION...] COMMAND [ARGUMENT...]\n"
    "  hold JOB...                      keep jobs from starting\n"
    "  release JOB...                   let held jobs start\n"
    "  requeue JOB...                   stop running jobs and queue them again\n"
    "  drain NODE... --reason TEXT      start no more jobs on nodes\n"
    "  resume NODE...                   undo drain\n"
    "  node rejoin [NODE...]            bring nodes that are missing back now (all of them)\n"
    "  node confirm-dead NODE...        nothing runs on these silent nodes: somebody has looked\n"
    "  node profile [NODE...]           measure what nodes (all) can do; or --from FILE,\n"
    "                                   --show, --forget\n"
    "  show job|script JOB              all about a job; its script\n"
    "  show features JOB...             what predictors and policies are told about jobs\n"
    "  show node|queue [NAME]           all about nodes or queues\n"
    "  show config                      the configuration in effect\n"
    "  reload                           read the configuration file again\n"
    "  policy list                      what the learned policy decided last\n"
    "  policy show DECISION             what it expected of each choice\n"
    "  policy replay DECISION           ask its model again; exit code 1 if it says another thing\n"
    "  model list                       models of the learned policy, and which is in use\n"
    "  model show DIGEST|FILE           how a model was made, and what was done with it\n"
    "  model shadow DIGEST|FILE|--off   ask it beside the one in use; it decides nothing\n"
    "  model promote [DIGEST|FILE]      put it in use (the shadow); --configured: [policy]'s\n"
    "  model rollback                   put the one before in use again\n"
    "  config check FILE                look for mistakes in a configuration file\n";

constexpr const char* kNotes =
    "Examples\n"
    "  hctl drain n[3-5] --reason 'bad memory'\n"
    "  hctl node profile n[1-4]; hctl node profile --show\n"
    "  hctl node profile --from site.json\n"
    "  hctl show job 42\n"
    "  hctl config check cluster.toml && hctl reload\n"
    "  hctl config check new.toml --against=history\n"
    "  hctl model shadow mine.safetensors; hctl model list; hctl model promote\n"
    "\nExit codes\n"
    "  0  done      1  something was refused, or no master      2  wrong options\n";

struct Result {
  std::string what;  // "job 42"
  std::string error;
  std::string message;
};

class Hctl {
 public:
  explicit Hctl(Command& command) : command_(command), arguments_(command.words()) {
    if (arguments_.empty()) command_.usage_error("a command is missing");
    verb_ = arguments_.front();
    arguments_.erase(arguments_.begin());
  }

  int run() {
    if (verb_ == "hold") return act_on_jobs(pb::JOB_HOLD);
    if (verb_ == "release") return act_on_jobs(pb::JOB_RELEASE);
    if (verb_ == "requeue") return act_on_jobs(pb::JOB_REQUEUE);
    if (verb_ == "drain" || verb_ == "resume") return act_on_nodes();
    if (verb_ == "node") return node();
    if (verb_ == "show") return show();
    if (verb_ == "reload") return reload();
    if (verb_ == "config") return config();
    if (verb_ == "policy") return policy();
    if (verb_ == "model") return run_model_command(command_, arguments_);
    const std::string nearest =
        nearest_word(verb_, {"hold", "release", "requeue", "drain", "resume", "node", "show",
                             "reload", "config", "policy", "model"});
    command_.usage_error("'" + verb_ + "': no such command" +
                         (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }

 private:
  // How long a restarting master is waited for.
  static constexpr int kPatienceToAct = 10'000;
  static constexpr int kPatienceToAsk = 2'000;
  static constexpr int kPatienceToRejoin = 90'000;

  MasterClient connect(int patience_ms) const {
    return MasterClient(command_.name(), command_.master(), command_.retry_ms(patience_ms));
  }

  int report(const std::vector<Result>& results) {
    int exit_code = kExitGood;
    Json list = Json::array();
    for (const Result& result : results) {
      list.push_back({{"what", result.what},
                      {"ok", result.error.empty()},
                      {"error", result.error},
                      {"message", result.message}});
      if (!result.error.empty()) {
        exit_code = kExitFailed;
        complain(command_.name(), with_subject(result.what, result.message));
      } else if (!command_.json() && !result.message.empty()) {
        std::cout << escape_text(result.what + ": " + result.message) << "\n";
      }
    }
    if (command_.json()) std::cout << json_text({{"results", list}});
    return exit_code;
  }

  int act_on_jobs(pb::JobAction action) {
    const std::vector<std::uint64_t> ids = read_job_ids(command_, arguments_);
    if (ids.empty()) command_.usage_error(verb_ + ": name the jobs");
    MasterClient client = connect(kPatienceToAct);
    std::vector<Result> results;
    for (const std::uint64_t id : ids) {
      pb::ClientRequest request;
      request.mutable_act_on_job()->set_job(id);
      request.mutable_act_on_job()->set_action(action);
      // A second requeue would stop the job that the first one had started again.
      const Retry retry = action == pb::JOB_REQUEUE ? Retry::UntilSent : Retry::Always;
      const pb::ClientReply reply = client.ask(request, retry);
      results.push_back({"job " + std::to_string(id), reply.error(), reply.message()});
    }
    return report(results);
  }

  int act_on_nodes() {
    const bool drain = verb_ == "drain";
    const std::vector<std::string> nodes = node_names(arguments_.begin());
    if (nodes.empty()) command_.usage_error(verb_ + ": name the nodes");
    if (drain && command_.value_of("reason").empty()) {
      command_.usage_error("drain: say why, with --reason TEXT; others will want to know");
    }
    MasterClient client = connect(kPatienceToAct);
    std::vector<Result> results;
    for (const std::string& node : nodes) {
      pb::ClientRequest request;
      pb::ActOnNode& act = *request.mutable_act_on_node();
      act.set_node(node);
      act.set_action(drain                     ? pb::NODE_DRAIN
                     : verb_ == "confirm-dead" ? pb::NODE_CONFIRM_DEAD
                                               : pb::NODE_RESUME);
      act.set_reason(command_.value_of("reason"));
      const pb::ClientReply reply = client.ask(request, Retry::Always);
      results.push_back({"node " + node, reply.error(), reply.message()});
    }
    return report(results);
  }

  std::vector<std::string> node_names(std::vector<std::string>::const_iterator from) const {
    std::vector<std::string> nodes;
    std::string error;
    for (; from != arguments_.end(); ++from) {
      if (!expand_hostlist(*from, nodes, error)) command_.usage_error(error);
    }
    return nodes;
  }

  int node() {
    const std::string what = arguments_.empty() ? "" : arguments_.front();
    if (what == "profile") {
      return run_profile_command(command_, {arguments_.begin() + 1, arguments_.end()});
    }
    if (what == "rejoin") return rejoin(node_names(arguments_.begin() + 1));
    if (what == "confirm-dead") {
      arguments_.erase(arguments_.begin());
      verb_ = what;
      return act_on_nodes();
    }
    command_.usage_error(
        "node: use 'hctl node profile [NODE...]', 'hctl node rejoin [NODE...]' or 'hctl node "
        "confirm-dead NODE...'");
  }

  // The supervisor, not the master, starts nodes; it looks into the state directory.
  int rejoin(const std::vector<std::string>& nodes) {
    const std::string directory = command_.directory();
    if (access((directory + "/run/hosts").c_str(), F_OK) != 0) {
      throw Failure("no cluster of several machines is supervised in " + directory +
                    "; ask on the master's host, after `hyades up --hostfile`");
    }
    const RunFiles files(directory);
    const std::string id = std::to_string(getpid()) + "." + std::to_string(time(nullptr));
    try {
      files.write_rejoin({id, nodes});
    } catch (const std::exception& error) {
      throw Failure(std::string(error.what()) + "; the owner of the cluster may ask for this");
    }
    for (int waited = 0; waited < kPatienceToRejoin; waited += 50) {
      if (const auto answer = files.rejoin_answer(id)) return report_rejoin(*answer);
      usleep(50'000);
    }
    throw Failure("the supervisor does not answer; `hyades status` says how the cluster is");
  }

  // The supervisor's lines: who is still missing and why, and how many are there.
  int report_rejoin(std::string answer) {
    const bool complete = std::count(answer.begin(), answer.end(), '\n') == 1;
    while (answer.ends_with('\n')) answer.pop_back();
    if (command_.json()) {
      std::cout << json_text({{"ok", complete}, {"message", answer}});
    } else {
      std::istringstream lines(answer);
      for (std::string line; std::getline(lines, line);) std::cout << escape_text(line) << "\n";
    }
    return complete ? kExitGood : kExitFailed;
  }

  int reload() {
    if (!arguments_.empty()) {
      command_.usage_error("reload: takes no file; the master reads its own again");
    }
    MasterClient client = connect(kPatienceToAct);
    pb::ClientRequest request;
    request.mutable_reload();
    const pb::ClientReply reply = client.get(request);
    if (command_.json()) {
      std::cout << json_text({{"ok", true}, {"message", reply.message()}});
    } else if (!reply.message().empty()) {
      std::cout << escape_text("reload: " + reply.message()) << "\n";
    }
    return kExitGood;
  }

  int config() {
    if (arguments_ == std::vector<std::string>{"show"}) return show_config();
    if (arguments_.size() != 2 || arguments_[0] != "check") {
      command_.usage_error("config: use 'hctl config check FILE' or 'hctl config show'");
    }
    const ConfigResult result = load_config(arguments_[1], true);
    const bool tried = result.config && command_.has("against");
    const std::string warning = result.config ? model_warning(result.config->policy_model) : "";
    if (!warning.empty()) complain(command_.name(), warning);
    if (command_.json() && !tried) {
      std::cout << json_text({{"ok", result.config.has_value()},
                              {"errors", result.errors},
                              {"warning", text_json(warning)}});
    } else if (result.config && !command_.json()) {
      std::cout << escape_text(arguments_[1]) << ": good\n";
    }
    for (const std::string& error : result.errors) complain(command_.name(), error);
    if (tried) {
      try_config(command_, arguments_[1], *result.config, command_.value_of("against"),
                 command_.value_of("picture"));
    }
    return result.config ? kExitGood : kExitFailed;
  }

  int show() {
    const std::string what = arguments_.empty() ? "" : arguments_.front();
    const std::vector<std::string> names(arguments_.begin() + (arguments_.empty() ? 0 : 1),
                                         arguments_.end());
    if (what == "job" || what == "jobs") return show_jobs(names);
    if (what == "script") return show_script(names);
    if (what == "features") return show_features(names);
    if (what == "node" || what == "nodes") return show_nodes(names);
    if (what == "queue" || what == "queues" || what == "partition") return show_queues(names);
    if (what == "config") return show_config();
    command_.usage_error("show: use job, script, features, node, queue or config");
  }

  int show_jobs(const std::vector<std::string>& names) {
    pb::ClientRequest request;
    pb::ListJobs& filters = *request.mutable_list_jobs();
    for (const std::uint64_t id : read_job_ids(command_, names)) filters.add_ids(id);
    if (filters.ids_size() == 0) command_.usage_error("show job: name the jobs");
    filters.set_live(true);
    filters.set_ended(true);
    MasterClient client = connect(kPatienceToAsk);
    const pb::ClientReply reply = client.get(request);
    print(reply.jobs(), "jobs", job_json, job_page);
    if (reply.jobs_size() == filters.ids_size()) return kExitGood;
    for (const std::uint64_t id : filters.ids()) {
      const bool found = std::any_of(reply.jobs().begin(), reply.jobs().end(),
                                     [&](const pb::JobInfo& job) { return job.id() == id; });
      if (!found) complain(command_.name(), "job " + std::to_string(id) + ": no such job");
    }
    return kExitFailed;
  }

  int show_nodes(const std::vector<std::string>& names) {
    std::vector<std::string> wanted;
    std::string error;
    for (const std::string& text : names) {
      if (!expand_hostlist(text, wanted, error)) command_.usage_error(error);
    }
    pb::ClientRequest request;
    request.mutable_list_nodes();
    MasterClient client = connect(kPatienceToAsk);
    const pb::ClientReply reply = client.get(request);
    return print_named(reply.nodes(), "node", wanted, node_json, node_page);
  }

  int show_queues(const std::vector<std::string>& names) {
    pb::ClientRequest request;
    request.mutable_list_queues();
    MasterClient client = connect(kPatienceToAsk);
    const pb::ClientReply reply = client.get(request);
    return print_named(reply.queues(), "queue", names, queue_json, queue_page);
  }

  template <typename List, typename ToJson, typename ToPage>
  void print(const List& list, const std::string& key, ToJson to_json, ToPage to_page) {
    Json array = Json::array();
    std::string text;
    for (const auto& item : list) {
      if (command_.json()) {
        array.push_back(to_json(item));
      } else {
        text += (text.empty() ? "" : "\n") + to_page(item);
      }
    }
    std::cout << (command_.json() ? json_text({{key, array}}) : text) << std::flush;
  }

  template <typename List, typename ToJson, typename ToPage>
  int print_named(const List& list, const std::string& kind, const std::vector<std::string>& wanted,
                  ToJson to_json, ToPage to_page) {
    std::vector<std::string> known;
    for (const auto& item : list) known.push_back(item.name());
    std::vector<typename List::value_type> chosen;
    for (const auto& item : list) {
      const bool named = std::find(wanted.begin(), wanted.end(), item.name()) != wanted.end();
      if (wanted.empty() || named) chosen.push_back(item);
    }
    print(chosen, kind + "s", to_json, to_page);
    int exit_code = kExitGood;
    for (const std::string& name : wanted) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string nearest = nearest_word(name, known);
      complain(command_.name(), kind + " " + name + ": no such " + kind +
                                    (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
      exit_code = kExitFailed;
    }
    return exit_code;
  }

  int show_script(const std::vector<std::string>& names) {
    const std::vector<std::uint64_t> ids = read_job_ids(command_, names);
    if (ids.size() != 1) command_.usage_error("show script: name one job");
    pb::ClientRequest request;
    request.mutable_show_script()->set_job(ids[0]);
    MasterClient client = connect(kPatienceToAsk);
    const pb::ClientReply reply = client.get(request);
    if (command_.json()) {
      std::cout << json_text({{"job", ids[0]}, {"script", reply.script()}});
    } else if (isatty(STDOUT_FILENO) == 1) {
      // Somebody else's bytes do not go to a terminal as they are.
      std::istringstream lines(reply.script());
      for (std::string line; std::getline(lines, line);) std::cout << escape_text(line) << "\n";
    } else {
      std::cout << reply.script();
    }
    return kExitGood;
  }

  int show_features(const std::vector<std::string>& names) {
    pb::ClientRequest request;
    pb::ShowFeatures& show = *request.mutable_show_features();
    for (const std::uint64_t id : read_job_ids(command_, names)) show.add_ids(id);
    if (show.ids().empty()) command_.usage_error("show features: name the jobs");
    MasterClient client = connect(kPatienceToAsk);
    print(client.get(request).job_features(), "jobs", features_json, features_page);
    return kExitGood;
  }

  // What the learned policy decided, and whether its model says so again.
  int policy() {
    const std::string what = arguments_.empty() ? "" : arguments_.front();
    if (what == "list" && arguments_.size() == 1) return list_decisions();
    if ((what == "show" || what == "replay") && arguments_.size() == 2) {
      std::vector<std::uint64_t> ids;
      if (!parse_job_ids(arguments_[1], ids) || ids.size() != 1) {
        command_.usage_error("policy " + what + ": '" + arguments_[1] +
                             "' is not the number of a decision, which 'hctl policy list' prints");
      }
      MasterClient client = connect(kPatienceToAsk);
      const pb::PolicyDecision decision = ask_decision(client, ids.front());
      if (what == "show") {
        print_decision(command_, decision);
        return kExitGood;
      }
      return replay_decision(command_, decision);
    }
    command_.usage_error("policy: use list, show DECISION or replay DECISION");
  }

  int list_decisions() {
    MasterClient client = connect(kPatienceToAsk);
    pb::ClientRequest request;
    request.mutable_show_decisions()->set_most(100);
    request.mutable_show_decisions()->set_shadow(command_.has("shadow"));
    print_decisions(command_, client.get(request));
    return kExitGood;
  }

  int show_config() {
    pb::ClientRequest request;
    request.mutable_show_config();
    MasterClient client = connect(kPatienceToAsk);
    const pb::ClientReply reply = client.get(request);
    std::cout << (command_.json() ? json_text({{"config", reply.config()}}) : reply.config());
    return kExitGood;
  }

  Command& command_;
  std::string verb_;
  std::vector<std::string> arguments_;
};

int run(int argc, char** argv) {
  Command command("hctl", kUsage, "Control jobs, nodes and the master.", kNotes);
  command.value("reason,r", "TEXT", "why a node is drained");
  command.value("model", "FILE",
                "policy replay: of the learned policy (the decision's, if this host has it)");
  command.flag("shadow", "policy list: with the answers of shadows, which held nowhere");
  command.flag("off", "model shadow: ask none beside the one in use");
  command.flag("configured", "model promote: the configuration's model, or the installed one");
  command.value("against", "LOG",
                "config check: who would wait longer or shorter; 'history', or "
                "a log in the Standard Workload Format");
  command.value("picture", "FILE.svg", "with --against: draw the queue and the utilization");
  add_profile_options(command);
  command.parse(argc, argv);
  const auto& words = command.words();
  const bool checks = words.size() > 1 && words[0] == "config" && words[1] == "check";
  const bool lists = words.size() > 1 && words[0] == "policy" && words[1] == "list";
  if (command.has("shadow") && !lists) {
    command.usage_error("--shadow: only with 'hctl policy list'");
  }
  const bool profiles = words.size() > 1 && words[0] == "node" && words[1] == "profile";
  if (!profiles) refuse_profile_options(command);
  for (const char* option : {"off", "configured"}) {
    if (command.has(option) && (words.empty() || words[0] != "model")) {
      command.usage_error(std::string("--") + option + ": only with 'hctl model'");
    }
  }
  if (command.has("against") && !checks) {
    command.usage_error("--against: only with 'hctl config check FILE'");
  }
  if (command.has("picture") && !command.has("against")) {
    command.usage_error("--picture: only with --against");
  }
  return Hctl(command).run();
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("hctl", [&] { return hyades::run(argc, argv); });
}
