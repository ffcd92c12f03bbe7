#include "cli/model_page.hpp"

#include <charconv>
#include <optional>

#include "cli/printable.hpp"
#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"

namespace hyades {
namespace {

constexpr double kNeverDeparts = 1e9;  // as a margin; see policy/global_action.hpp
constexpr int kLogsNarrowest = 12;

std::string short_digest(const std::string& digest) { return digest.substr(0, 12); }

std::string fact(const pb::ModelInfo& model, const std::string& name) {
  const auto found = model.facts().find(name);
  return found == model.facts().end() ? "" : found->second;
}

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string margin_text(const pb::ModelInfo& model) {
  const auto margin = number_in(fact(model, "margin"));
  if (!margin) return "";
  return *margin >= kNeverDeparts ? "never" : format_number(*margin);
}

std::string ratio_text(const pb::ModelInfo& model) {
  const auto ratio = number_in(fact(model, "ratio"));
  return ratio ? printed("%.3f", *ratio) : "";
}

std::optional<double> agreement(const pb::ModelInfo& model) {
  if (model.compared() == 0) return std::nullopt;
  return static_cast<double>(model.agreed()) / static_cast<double>(model.compared());
}

Json number_json(const std::string& text) {
  const auto value = number_in(text);
  return value ? Json(*value) : Json(nullptr);
}

Json summary_json(const pb::ModelInfo& model) {
  const auto agreed = agreement(model);
  return {{"digest", text_json(model.digest())},
          {"name", model.name()},
          {"source", model.source()},
          {"state", text_json(model.state())},
          {"since", text_json(utc_time(model.since_ms()))},
          {"by", text_json(model.by())},
          {"added", text_json(utc_time(model.added_ms()))},
          {"added_by", text_json(model.added_by())},
          {"logs", text_json(fact(model, "logs"))},
          {"margin", number_json(fact(model, "margin"))},
          {"ratio", number_json(fact(model, "ratio"))},
          {"decisions", model.decisions()},
          {"shadow_decisions", model.shadow_decisions()},
          {"compared", model.compared()},
          {"agreed", model.agreed()},
          {"agreement", agreed ? Json(*agreed) : Json(nullptr)},
          {"problem", text_json(model.problem())}};
}

bool is_about(const pb::ModelHistory& row, const pb::ModelInfo& model) {
  return model.source() == "kept" ? row.digest() == model.digest() : row.digest().empty();
}

std::string line(const std::string& key, const std::string& value) {
  return escape_text(key) + std::string(key.size() < 18 ? 18 - key.size() : 1, ' ') +
         escape_text(value) + "\n";
}

std::string agreed_text(const pb::ModelInfo& model) {
  if (model.compared() == 0) return "";
  return format_share(agreement(model)) + " of " + std::to_string(model.compared());
}

}  // namespace

Json model_list_json(const pb::ModelList& list) {
  Json models = Json::array();
  Json in_use = nullptr;
  for (const pb::ModelInfo& model : list.models()) {
    models.push_back(summary_json(model));
    if (model.state() == "in use") in_use = text_json(model.digest());
  }
  return {{"in_use", in_use}, {"why", list.why()}, {"models", models}};
}

std::string model_list_page(const pb::ModelList& list, const Terminal& terminal) {
  Table table({{"MODEL"},
               {"STATE"},
               {"SOURCE"},
               {"SINCE", false, 0, 3},
               {"BY", false, 0, 4},
               {"MARGIN", true, 0, 1},
               {"RATIO", true, 0, 2},
               {"DECISIONS", true},
               {"AS SHADOW", true},
               {"AGREED", true},
               {"LOGS", false, kLogsNarrowest, 5}});
  std::string problems;
  for (const pb::ModelInfo& model : list.models()) {
    table.add({model.digest().empty() ? "?" : short_digest(model.digest()), model.state(),
               model.source(), local_time(model.since_ms(), ""), model.by(), margin_text(model),
               ratio_text(model), std::to_string(model.decisions()),
               std::to_string(model.shadow_decisions()), agreed_text(model), fact(model, "logs")});
    if (!model.problem().empty()) problems += escape_text(model.problem()) + "\n";
  }
  return table.render(terminal) + problems + "in use: " + escape_text(list.why()) + "\n";
}

Json model_json(const pb::ModelInfo& model, const pb::ModelList& list) {
  Json out = summary_json(model);
  out["facts"] = Json::object();
  for (const auto& [name, value] : model.facts()) out["facts"][name] = value;
  out["history"] = Json::array();
  for (const pb::ModelHistory& row : list.history()) {
    if (!is_about(row, model)) continue;
    out["history"].push_back(
        {{"time", utc_time(row.at_ms())}, {"by", row.by()}, {"what", row.what()}});
  }
  return out;
}

std::string model_page(const pb::ModelInfo& model, const pb::ModelList& list,
                       const Terminal& terminal) {
  std::string text = line("model", model.digest().empty() ? "?" : model.digest());
  text += line("file", model.name() + " (" + model.source() + ")");
  if (!model.problem().empty()) text += line("problem", model.problem());
  if (!model.state().empty()) text += line("state", model.state());
  if (model.state() == "in use") text += line("", list.why());
  if (!model.added_by().empty()) {
    text += line("given", local_time(model.added_ms()) + " by " + model.added_by());
  }
  text += line("decisions", std::to_string(model.decisions()));
  text += line("as a shadow", std::to_string(model.shadow_decisions()));
  if (model.compared() > 0) {
    text += line("agreed", agreed_text(model) + " with the rule of the one in use");
  }
  std::map<std::string, std::string> facts(model.facts().begin(), model.facts().end());
  for (const auto& [name, value] : facts) text += line(name, value);
  Table table({{"TIME"}, {"BY"}, {"WHAT"}});
  for (const pb::ModelHistory& row : list.history()) {
    if (is_about(row, model)) table.add({local_time(row.at_ms()), row.by(), row.what()});
  }
  return table.empty() ? text : text + "\n" + table.render(terminal);
}

}  // namespace hyades
