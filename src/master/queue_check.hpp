// Is this file a queue, is it whole, and is it ours to use? Every answer is "" or a sentence for
// people that names the file and the way out. Only reads.
#pragma once

#include <cstdint>
#include <string>

#include "master/queue_note.hpp"
#include "master/sqlite.hpp"

namespace hyades {

// Looks at the first bytes, before SQLite does.
std::string check_header(const std::string& path, int newest_version);

// Application, schema version, SQLite's own check (all of a file up to `small_bytes`, the tables
// without payloads of a larger one), checksums of what the master will replay. May throw
// SqliteError.
std::string check_queue(Database& database, int newest_version, std::int64_t small_bytes);

// `found` is what the queue says about itself, `note` what was noted outside.
std::string check_against_note(Database& database, const QueueNote::Content& found,
                               const QueueNote::Content& note);

// ": the newest backup is ..., see ..." for messages about queues that cannot be used.
std::string way_out(const std::string& path);

// What an error at the start means for people.
std::string explain(const SqliteError& error, const std::string& path);

}  // namespace hyades
