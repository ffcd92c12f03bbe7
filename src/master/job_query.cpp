#include "master/job_query.hpp"

#include "core/words.hpp"
#include "master/event_json.hpp"

namespace hyades {
namespace {

constexpr std::size_t kDefaultLimit = 10'000;

constexpr JobPhase kPhases[] = {JobPhase::Pending, JobPhase::Launching, JobPhase::Running,
                                JobPhase::Ended};
constexpr Outcome kOutcomes[] = {Outcome::None,         Outcome::Completed,  Outcome::Failed,
                                 Outcome::Cancelled,    Outcome::TimedOut,   Outcome::NodeFailed,
                                 Outcome::LaunchFailed, Outcome::OutOfMemory};

JobPhase parse_phase(const std::string& word) {
  for (const JobPhase phase : kPhases) {
    if (word == to_string(phase)) return phase;
  }
  return JobPhase::Pending;
}

// The phases and outcomes that people mean by "COMPLETED" or "CD".
std::vector<std::string> stored_states(const std::vector<std::string>& words) {
  std::vector<std::string> stored;
  for (const std::string& word : words) {
    for (const JobPhase phase : kPhases) {
      for (const Outcome outcome : kOutcomes) {
        if ((phase == JobPhase::Ended) == (outcome == Outcome::None)) continue;
        if (word != state_name(phase, outcome) && word != state_code(phase, outcome)) continue;
        stored.emplace_back(phase == JobPhase::Ended ? to_string(outcome) : to_string(phase));
      }
    }
  }
  return stored;
}

// The text of the query is put together from constants only; what users wrote is bound.
std::string text_of(const JobQuery& query) {
  std::string sql =
      "SELECT j.id, j.spec, j.phase, j.outcome, j.held, j.reason, j.attempts, j.restarts, "
      "j.start_reason, j.submit_ms, j.start_ms, j.end_ms, j.node_names, j.node_count, j.cores, "
      "j.exit_code, j.signal, j.user_cpu_ms, j.system_cpu_ms, j.max_rss_kib, j.user, j.name, "
      "j.queue, j.uid";
  sql += query.full_usage ? ", (SELECT e.detail FROM job_event e WHERE e.job = j.id "
                            "AND e.kind = 'ended')"
                          : ", NULL";
  sql += query.details ? ", p.comment, p.working_directory, p.stdout_path, p.command_line "
                         "FROM job j LEFT JOIN job_payload p ON p.job = j.id WHERE 1"
                       : " FROM job j WHERE 1";
  const auto filter = [&](bool wanted, const char* condition) {
    if (wanted) sql += condition;
  };
  filter(!query.ids.empty(), " AND j.id IN (SELECT value FROM json_each(?1))");
  filter(!query.users.empty(), " AND j.user IN (SELECT value FROM json_each(?2))");
  filter(!query.queues.empty(), " AND j.queue IN (SELECT value FROM json_each(?3))");
  filter(!query.names.empty(), " AND j.name IN (SELECT value FROM json_each(?4))");
  filter(!query.states.empty(),
         " AND coalesce(j.outcome, j.phase) IN (SELECT value FROM json_each(?5))");
  filter(query.since_ms != 0, " AND (j.end_ms >= ?6 OR j.submit_ms >= ?6)");
  filter(query.until_ms != 0, " AND j.submit_ms < ?7");
  filter(!query.nodes.empty(),
         " AND EXISTS (SELECT 1 FROM json_each(?9) "
         "WHERE value <> '' AND instr(value, ',') = 0 "
         "AND instr(',' || j.node_names || ',', ',' || value || ',') > 0)");
  filter(query.ended_only, " AND j.phase = 'ENDED'");
  return sql + " ORDER BY j.id DESC LIMIT ?8";
}

// All that is known of it; the columns hold what lists show.
void read_usage(const std::string& ended, StoredJob& job) {
  try {
    job.usage = usage_from_json(ended);
  } catch (const std::exception&) {
    // Damaged: the columns are there.
  }
}

StoredJob read_job(const Execution& row, bool details) {
  StoredJob job;
  job.id = static_cast<JobId>(row.column_number(0));
  try {
    job.spec = spec_from_json(row.column_text(1));
  } catch (const std::exception&) {
    // One damaged record must not hide all others.
    job.spec.user = row.column_text(20);
    job.spec.name = row.column_text(21);
    job.spec.queue = row.column_text(22);
    job.spec.uid = static_cast<std::uint32_t>(row.column_number(23));
  }
  job.phase = parse_phase(row.column_text(2));
  if (!row.column_is_null(3)) parse_outcome(row.column_text(3), job.outcome);
  job.held = row.column_number(4) != 0;
  job.reason = row.column_text(5);
  job.attempts = static_cast<Attempt>(row.column_number(6));
  job.restarts = static_cast<int>(row.column_number(7));
  parse_start_reason(row.column_text(8), job.start_reason);
  job.submit_ms = row.column_number(9);
  job.start_ms = row.column_number(10);
  job.end_ms = row.column_number(11);
  job.node_names = row.column_text(12);
  job.node_count = static_cast<int>(row.column_number(13));
  job.cores = static_cast<int>(row.column_number(14));
  job.exit_code = static_cast<int>(row.column_number(15));
  job.signal = static_cast<int>(row.column_number(16));
  job.usage.user_ms = row.column_number(17);
  job.usage.system_ms = row.column_number(18);
  job.usage.max_rss_kib = row.column_number(19);
  if (!row.column_is_null(24)) read_usage(row.column_text(24), job);
  if (details) {
    job.comment = row.column_text(25);
    job.working_directory = row.column_text(26);
    job.stdout_path = row.column_text(27);
    job.command_line = row.column_text(28);
  }
  return job;
}

}  // namespace

std::vector<StoredJob> find_jobs(const Database& database, const JobQuery& query) {
  const std::string ids = list_to_json(query.ids);
  const std::string users = list_to_json(query.users);
  const std::string queues = list_to_json(query.queues);
  const std::string names = list_to_json(query.names);
  const std::string nodes = list_to_json(query.nodes);
  const std::string states = list_to_json(stored_states(query.states));
  const std::size_t limit = query.limit == 0 ? kDefaultLimit : query.limit;

  const Statement statement(database, text_of(query).c_str());
  Execution row(statement);
  row.text(ids).text(users).text(queues).text(names).text(states);
  row.number(query.since_ms).number(query.until_ms).number(static_cast<std::int64_t>(limit));
  if (!query.nodes.empty()) row.text(nodes);
  std::vector<StoredJob> jobs;
  while (row.step()) jobs.push_back(read_job(row, query.details));
  return jobs;
}

std::vector<StoredEvent> find_events(const Database& database, JobId job) {
  const Statement statement(
      database,
      "SELECT e.seq, e.at_ms, e.kind, CASE e.kind WHEN 'submitted' THEN j.spec ELSE e.detail END, "
      "e.epoch FROM job_event e JOIN job j ON j.id = e.job WHERE e.job = ?1 ORDER BY e.seq");
  Execution row(statement);
  row.number(static_cast<std::int64_t>(job));
  std::vector<StoredEvent> events;
  while (row.step()) {
    events.push_back({static_cast<std::uint64_t>(row.column_number(0)), job, row.column_number(1),
                      row.column_text(2), row.column_text(3),
                      static_cast<Epoch>(row.column_number(4))});
  }
  return events;
}

}  // namespace hyades
