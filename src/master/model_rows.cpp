#include "master/model_rows.hpp"

#include <nlohmann/json.hpp>

namespace hyades {
namespace {

using Json = nlohmann::json;

std::string facts_to_json(const ModelFacts& facts) {
  return Json(facts).dump(-1, ' ', true, Json::error_handler_t::replace);
}

// They are for people: what cannot be read must not keep the master from starting.
ModelFacts facts_from_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  ModelFacts facts;
  if (!json.is_object()) return facts;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) facts[key] = value.get<std::string>();
  }
  return facts;
}

}  // namespace

ModelRows::ModelRows(const Database& database)
    : put_model_(database,
                 "INSERT INTO model (digest, name, facts, added_ms, added_by) "
                 "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (digest) DO NOTHING"),
      add_event_(database,
                 "INSERT INTO model_event (at_ms, by, kind, digest) VALUES (?1, ?2, ?3, ?4)"),
      select_models_(database, "SELECT digest, name, facts, added_ms, added_by FROM model"),
      select_events_(database, "SELECT at_ms, by, kind, digest FROM model_event ORDER BY seq") {}

void ModelRows::append(const ModelChange& change) {
  if (change.added) {
    const std::string facts = facts_to_json(change.added->facts);
    Execution row(put_model_);
    row.text(change.added->digest).text(change.added->name).text(facts);
    row.number(change.added->added_ms).text(change.added->added_by).run();
  }
  const ModelEvent& event = change.event;
  Execution row(add_event_);
  row.number(event.at_ms).text(event.by).text(to_string(event.act)).text(event.digest).run();
}

ModelRegistry ModelRows::load() const {
  ModelRegistry registry;
  for (Execution row(select_models_); row.step();) {
    registry.apply(RegisteredModel{row.column_text(0), row.column_text(1),
                                   facts_from_json(row.column_text(2)), row.column_number(3),
                                   row.column_text(4)});
  }
  for (Execution row(select_events_); row.step();) {
    ModelEvent event{{}, row.column_text(3), row.column_number(0), row.column_text(1)};
    if (!parse_model_act(row.column_text(2), event.act)) {
      throw SqliteError(SQLITE_CORRUPT, 0, "unknown event of a model: " + row.column_text(2));
    }
    registry.apply(event);
  }
  return registry;
}

}  // namespace hyades
