#include "master/model_list.hpp"

#include "policy/learned/policy_header.hpp"

namespace hyades {
namespace {

void fill(const ModelFacts& facts, pb::ModelInfo& out) {
  for (const auto& [name, value] : facts) (*out.mutable_facts())[name] = value;
}

void fill(const ModelEvent* since, const std::string& state, pb::ModelInfo& out) {
  out.set_state(state);
  if (since == nullptr) return;
  out.set_since_ms(since->at_ms);
  out.set_by(since->by);
}

// One that the master does not keep.
void fill_file(const std::string& path, const std::string& source, ModelGlance& glance,
               pb::ModelInfo& out) {
  const ModelGlance::Seen& seen = glance.look(path);
  out.set_source(source);
  out.set_name(path);
  out.set_digest(seen.digest);
  out.set_problem(seen.problem);
  fill(seen.facts, out);
}

// "": the copy that is kept is what was promoted.
std::string trouble_with(const std::string& digest, const std::string& file, ModelGlance& glance) {
  const ModelGlance::Seen& seen = glance.look(file);
  if (!seen.problem.empty()) return seen.problem;
  return seen.digest == digest ? "" : file + ": it was changed: give the model's file again";
}

void fill_kept(const RegisteredModel& model, const ModelKeeper& keeper, ModelGlance& glance,
               pb::ModelInfo& out) {
  const ModelRegistry& registry = keeper.registry();
  out.set_source("kept");
  out.set_digest(model.digest);
  out.set_name(model.name);
  out.set_added_ms(model.added_ms);
  out.set_added_by(model.added_by);
  fill(model.facts, out);
  if (model.digest == registry.in_use()) {
    fill(registry.why_in_use(), "in use", out);
    out.set_problem(trouble_with(model.digest, keeper.file_in_use(), glance));
  } else if (model.digest == registry.shadow()) {
    fill(registry.why_shadow(), "shadow", out);
    out.set_problem(trouble_with(model.digest, keeper.shadow_file(), glance));
  } else {
    out.set_state("earlier");
  }
}

std::string why_in_use(const ModelRegistry& registry, const std::string& configured) {
  const ModelEvent* const promoted = registry.why_in_use();
  const std::string other = configured.empty() ? "the installed one" : configured;
  if (promoted == nullptr) {
    return configured.empty()
               ? "none was promoted, and [policy] model names none: the installed one"
               : "none was promoted: [policy] model, " + configured;
  }
  if (promoted->digest.empty()) {
    return "promoted by " + promoted->by +
           (configured.empty() ? ": the installed one" : ": the configured one, " + configured);
  }
  return "promoted by " + promoted->by + "; back to " + other +
         " with: hctl model promote --configured";
}

}  // namespace

std::string source_in_use(const ModelRegistry& registry, const std::string& configured) {
  if (!registry.in_use().empty()) return "promoted";
  return configured.empty() ? "installed" : "configured";
}

pb::ModelList model_list(const ModelKeeper& keeper, const std::string& configured,
                         const std::map<std::string, ModelTally>& tallies, ModelGlance& glance) {
  const ModelRegistry& registry = keeper.registry();
  pb::ModelList list;
  list.set_why(why_in_use(registry, configured));
  fill_file(learned::installed_policy_file(), "installed", glance, *list.add_models());
  if (!configured.empty()) fill_file(configured, "configured", glance, *list.add_models());
  if (registry.in_use().empty()) {
    fill(registry.why_in_use(), "in use", *list.mutable_models(list.models_size() - 1));
  }
  for (const auto& [digest, model] : registry.models()) {
    fill_kept(model, keeper, glance, *list.add_models());
  }
  for (pb::ModelInfo& model : *list.mutable_models()) {
    const auto tally = tallies.find(model.digest());
    if (tally == tallies.end()) continue;
    model.set_decisions(tally->second.decisions);
    model.set_shadow_decisions(tally->second.shadow);
    model.set_compared(tally->second.compared);
    model.set_agreed(tally->second.agreed);
  }
  for (const ModelEvent& event : registry.events()) {
    pb::ModelHistory& row = *list.add_history();
    row.set_at_ms(event.at_ms);
    row.set_by(event.by);
    row.set_what(std::string(to_string(event.act)));
    row.set_digest(event.digest);
  }
  return list;
}

}  // namespace hyades
