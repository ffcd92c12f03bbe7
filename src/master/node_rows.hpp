// Writes and reads what is remembered about nodes. Throws SqliteError.
#pragma once

#include <vector>

#include "core/job_event.hpp"
#include "master/sqlite.hpp"

namespace hyades {

class NodeRows {
 public:
  // `database` must outlive this.
  explicit NodeRows(const Database& database);

  // Inside of a transaction.
  void append(const NodeEvent& event);

  // The last inventory, drain or resume, and proof of death of each node, nodes in the order in
  // which they were first named.
  std::vector<NodeEvent> load() const;

 private:
  Statement set_inventory_;
  Statement set_drained_;
  Statement set_dead_;
  Statement set_profile_;
  Statement select_;
};

}  // namespace hyades
