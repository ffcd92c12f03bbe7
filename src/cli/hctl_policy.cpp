#include "cli/hctl_policy.hpp"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <iostream>

#include "cli/explanation_page.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"
#include "core/units.hpp"
#include "hsim/replay_advisor.hpp"
#include "master/kept_model.hpp"
#include "policy/adviser_bytes.hpp"

namespace hyades {
namespace {

std::string number(double value) { return printed("%.3f", value); }

std::string after(const pb::PolicyDecision& decision) {
  return format_duration(static_cast<std::int64_t>(std::lround(decision.reserve_after_s())));
}

Json decision_json(const pb::PolicyDecision& decision) {
  return {{"id", decision.id()},
          {"time", utc_time(decision.at_ms())},
          {"queue", decision.queue()},
          {"model", decision.model()},
          {"policy", decision.rule()},
          {"reserve", decision.reserve()},
          {"reserve_after", decision.reserve_after_s()},
          {"ageing", decision.ageing()},
          {"shadow", decision.shadow()},
          {"choice", text_json(decision.choice())},
          {"values", rule_values_json(decision.values())},
          {"played", decision.has_played() ? played_json(decision.played()) : Json(nullptr)}};
}

std::string chooser(const pb::PolicyDecision& decision) {
  return decision.model().empty() ? "lookahead" : decision.model().substr(0, 12);
}

// The copy of the decision's model that a master on this host keeps; "": there is none to be read.
std::string kept_file(const Command& command, const std::string& model) {
  const bool is_digest =
      model.size() == 64 && model.find_first_not_of("0123456789abcdef") == model.npos;
  const MasterAddress master = command.master();
  if (!is_digest || master.state_directory.empty()) return "";
  const std::string path = kept_model_file(master.state_directory, model);
  return access(path.c_str(), R_OK) == 0 ? path : "";
}

AdviserReply asked_again(const Command& command, const pb::PolicyDecision& decision) {
  const auto question = question_from(decision.question());
  if (!question) throw Failure("the decision was made by another version of Hyades");
  ClusterConfig config;
  config.queues.front().order = QueueOrder::Learned;
  if (command.has("model")) {
    config.policy_model = std::filesystem::absolute(command.value_of("model"));
  } else {
    config.policy_model = kept_file(command, decision.model());
  }
  const std::unique_ptr<Adviser> adviser = replay_advisor(config);
  adviser->ask(question->question);
  return adviser->answer().value_or(AdviserReply{std::nullopt, "no answer"});
}

}  // namespace

pb::PolicyDecision ask_decision(MasterClient& client, std::uint64_t id) {
  pb::ClientRequest request;
  request.mutable_show_decisions()->set_id(id);
  const pb::ClientReply reply = client.get(request);
  if (reply.decisions().empty()) throw Failure("there is no decision " + std::to_string(id));
  return reply.decisions(0);
}

void print_decisions(const Command& command, const pb::ClientReply& reply) {
  if (command.json()) {
    Json list = Json::array();
    for (const pb::PolicyDecision& decision : reply.decisions()) {
      list.push_back(decision_json(decision));
    }
    std::cout << json_text({{"decisions", list}});
    return;
  }
  std::vector<Column> columns = {{"ID", true},      {"TIME"},        {"QUEUE"},        {"POLICY"},
                                 {"RESERVE", true}, {"AFTER", true}, {"AGEING", true}, {"BY"}};
  const bool shadows = command.has("shadow");
  if (shadows) columns.push_back({"SHADOW"});
  Table table(std::move(columns));
  for (const pb::PolicyDecision& decision : reply.decisions()) {
    std::vector<Cell> row = {std::to_string(decision.id()),
                             local_time(decision.at_ms()),
                             decision.queue(),
                             decision.rule(),
                             number(decision.reserve()),
                             after(decision),
                             number(decision.ageing()),
                             chooser(decision)};
    if (shadows) row.push_back(decision.shadow() ? "yes" : "");
    table.add(std::move(row));
  }
  std::cout << table.render(command.terminal());
}

void print_decision(const Command& command, const pb::PolicyDecision& decision) {
  if (command.json()) {
    std::cout << json_text(decision_json(decision));
    return;
  }
  std::cout << "decision " << decision.id() << " for queue " << decision.queue() << ", "
            << local_time(decision.at_ms()) << ", by "
            << (decision.model().empty()
                    ? "looking ahead"
                    : (decision.shadow() ? "the shadow " : "model ") + chooser(decision))
            << ": " << decision.rule() << ", reserve " << number(decision.reserve()) << " after "
            << after(decision) << ", ageing " << number(decision.ageing()) << "\n";
  if (decision.has_played()) std::cout << "played: " << played_text(decision.played()) << "\n";
  if (decision.values().empty()) return;
  if (!decision.choice().empty() && decision.choice() != decision.rule()) {
    std::cout << "chosen: " << decision.choice() << "\n";
  }
  Table table({{"CHOICE"}, {"EXPECTED", true}});
  for (const pb::RuleValue& value : decision.values()) {
    table.add({value.rule(), number(value.value())});
  }
  std::cout << table.render(command.terminal());
}

std::string action_text(const std::string& rule, const GlobalAction& action) {
  const auto after_s = static_cast<std::int64_t>(std::lround(action.reserve_after_s));
  return rule + ", reserve " + number(action.reserve) + " after " + format_duration(after_s) +
         ", ageing " + number(action.ageing);
}

int replay_decision(const Command& command, const pb::PolicyDecision& decision) {
  const AdviserReply reply = asked_again(command, decision);
  if (!reply.advice) throw Failure(reply.failure);
  const GlobalAdvice& advice = *reply.advice;
  const bool same_model = advice.model == decision.model();
  const std::string rule(legal(advice.action) ? global_rules()[advice.action.rule].name : "?");
  const bool same = rule == decision.rule() && advice.action.reserve == decision.reserve() &&
                    advice.action.reserve_after_s == decision.reserve_after_s() &&
                    advice.action.ageing == decision.ageing();
  if (command.json()) {
    std::cout << json_text({{"decision", decision_json(decision)},
                            {"same_model", same_model},
                            {"same_answer", same},
                            {"policy", rule},
                            {"reserve", advice.action.reserve},
                            {"reserve_after", advice.action.reserve_after_s},
                            {"ageing", advice.action.ageing}});
  } else {
    std::cout << "decision " << decision.id() << ": "
              << (same ? "the same answer" : "another answer: " + action_text(rule, advice.action))
              << (same_model ? "" : ", by another model than " + decision.model().substr(0, 12))
              << "\n";
  }
  return same && same_model ? kExitGood : kExitFailed;
}

}  // namespace hyades
