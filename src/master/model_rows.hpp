// Writes and reads what is remembered about models of the learned policy. Throws SqliteError.
#pragma once

#include "master/model_registry.hpp"
#include "master/sqlite.hpp"

namespace hyades {

class ModelRows {
 public:
  // `database` must outlive this.
  explicit ModelRows(const Database& database);

  // Inside of a transaction.
  void append(const ModelChange& change);
  ModelRegistry load() const;

 private:
  Statement put_model_;
  Statement add_event_;
  Statement select_models_;
  Statement select_events_;
};

}  // namespace hyades
