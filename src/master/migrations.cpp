#include "master/migrations.hpp"

#include "core/failpoint.hpp"

namespace hyades {

std::int64_t schema_version(Database& database) { return database.number("PRAGMA user_version"); }

int newest_version(const std::vector<Migration>& migrations) {
  return migrations.empty() ? 0 : migrations.back().version;
}

void migrate(Database& database, const std::vector<Migration>& migrations) {
  for (const Migration& migration : migrations) {
    if (migration.version <= schema_version(database)) continue;
    Transaction transaction(database);
    database.run(migration.sql);
    if (schema_version(database) != migration.version) {
      throw SqliteError(SQLITE_ERROR, 0,
                        std::string("schema/") + migration.name + ".sql does not set its version");
    }
    HYADES_FAILPOINT("migration_before_commit");
    transaction.commit();
    HYADES_FAILPOINT("migration_after_commit");
  }
}

}  // namespace hyades
