// Runs queries over the jobs of a queue, ended or not. Only reads; throws SqliteError.
#pragma once

#include <vector>

#include "master/sqlite.hpp"
#include "master/stored_job.hpp"

namespace hyades {

// Newest first.
std::vector<StoredJob> find_jobs(const Database& database, const JobQuery& query);

// In the order of commits; empty when there is no such job.
std::vector<StoredEvent> find_events(const Database& database, JobId job);

}  // namespace hyades
