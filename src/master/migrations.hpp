// Brings the queue's schema up to the version of this program. The SQL is schema/NNNN_name.sql,
// embedded at build time; its last statement sets user_version to NNNN.
#pragma once

#include <string>
#include <vector>

#include "master/sqlite.hpp"

namespace hyades {

struct Migration {
  int version = 0;
  const char* name = "";  // "0001_queue"
  const char* sql = "";
};

// In order of version, 1..n without gaps.
const std::vector<Migration>& embedded_migrations();

// Says "HYAD" in the header of every queue file, so that no other SQLite file is taken for one.
inline constexpr std::int64_t kQueueApplicationId = 0x48594144;

std::int64_t schema_version(Database& database);
int newest_version(const std::vector<Migration>& migrations);

// Applies what is missing, each step in one transaction together with its version number: a death
// at any point leaves the old or the new version. Throws SqliteError; nothing of the step that
// failed is kept.
void migrate(Database& database, const std::vector<Migration>& migrations);

}  // namespace hyades
