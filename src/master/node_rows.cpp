#include "master/node_rows.hpp"

#include "master/event_json.hpp"

namespace hyades {

NodeRows::NodeRows(const Database& database)
    : set_inventory_(database,
                     "INSERT INTO node (name, inventory, inventory_ms, boot_id) "
                     "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET inventory = ?2, "
                     "inventory_ms = ?3, boot_id = ?4"),
      set_drained_(database,
                   "INSERT INTO node (name, drained, reason, changed_by, changed_ms) "
                   "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET drained = ?2, "
                   "reason = ?3, changed_by = ?4, changed_ms = ?5"),
      set_dead_(
          database,
          "INSERT INTO node (name, dead_below, death_proof, death_ms) VALUES (?1, ?2, ?3, ?4) "
          "ON CONFLICT (name) DO UPDATE SET dead_below = ?2, death_proof = ?3, death_ms = ?4"),
      set_profile_(
          database,
          "INSERT INTO node (name, profile, profiled_by, profiled_ms) VALUES (?1, ?2, ?3, ?4) "
          "ON CONFLICT (name) DO UPDATE SET profile = ?2, profiled_by = ?3, profiled_ms = ?4"),
      select_(database,
              "SELECT name, inventory, inventory_ms, drained, reason, changed_by, changed_ms, "
              "boot_id, dead_below, death_proof, death_ms, profile, profiled_by, profiled_ms "
              "FROM node ORDER BY id") {}

void NodeRows::append(const NodeEvent& event) {
  if (const auto* defined = std::get_if<NodeDefined>(&event.what)) {
    const std::string inventory = inventory_to_json(defined->inventory);
    Execution(set_inventory_)
        .text(event.node)
        .text(inventory)
        .number(event.at_ms)
        .text(defined->boot_id)
        .run();
    return;
  }
  if (const auto* dead = std::get_if<NodeDeclaredDead>(&event.what)) {
    Execution row(set_dead_);
    row.text(event.node).number(static_cast<std::int64_t>(dead->below)).text(dead->proof);
    row.number(event.at_ms).run();
    return;
  }
  if (const auto* profiled = std::get_if<NodeProfiled>(&event.what)) {
    const std::string profile = profiled->profile ? profile_to_json(*profiled->profile) : "";
    Execution(set_profile_)
        .text(event.node)
        .text(profile)
        .text(profiled->by)
        .number(event.at_ms)
        .run();
    return;
  }
  const auto* drained = std::get_if<NodeDrained>(&event.what);
  const std::string reason = drained != nullptr ? drained->reason : "";
  const std::string& by = drained != nullptr ? drained->by : std::get<NodeResumed>(event.what).by;
  Execution(set_drained_)
      .text(event.node)
      .number(drained != nullptr ? 1 : 0)
      .text(reason)
      .text(by)
      .number(event.at_ms)
      .run();
}

std::vector<NodeEvent> NodeRows::load() const {
  std::vector<NodeEvent> events;
  Execution row(select_);
  while (row.step()) {
    const std::string name = row.column_text(0);
    if (!row.column_is_null(1)) {
      events.push_back({name, row.column_number(2),
                        NodeDefined{inventory_from_json(row.column_text(1)), row.column_text(7)}});
    }
    if (row.column_number(8) != 0) {
      const auto below = static_cast<LaunchSequence>(row.column_number(8));
      events.push_back({name, row.column_number(10), NodeDeclaredDead{below, row.column_text(9)}});
    }
    if (const std::string profile = row.column_text(11); !profile.empty()) {
      events.push_back({name, row.column_number(13),
                        NodeProfiled{profile_from_json(profile), row.column_text(12)}});
    }
    if (row.column_is_null(3)) continue;
    NodeEvent admin{name, row.column_number(6), NodeResumed{row.column_text(5)}};
    if (row.column_number(3) != 0) {
      admin.what = NodeDrained{row.column_text(4), row.column_text(5)};
    }
    events.push_back(std::move(admin));
  }
  return events;
}

}  // namespace hyades
