#include "master/job_rows.hpp"

#include <charconv>

#include "core/checksum.hpp"
#include "master/event_json.hpp"

namespace hyades {
namespace {

std::int64_t signed_id(JobId id) { return static_cast<std::int64_t>(id); }

void expect_one(int changed, JobId job) {
  if (changed == 1) return;
  throw SqliteError(SQLITE_CONSTRAINT, 0,
                    "job " + std::to_string(job) + " does not exist or has ended");
}

// "3:abc,2:de,": keeps every byte, and people can still read it.
std::string to_netstrings(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += std::to_string(word.size()) + ":" + word + ",";
  return out;
}

std::vector<std::string> from_netstrings(const std::string& text) {
  std::vector<std::string> words;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    std::size_t size = 0;
    const auto [colon, error] = std::from_chars(at, end, size);
    if (error != std::errc() || colon == end || *colon != ':' ||
        size >= static_cast<std::size_t>(end - colon - 1) || colon[1 + size] != ',') {
      throw std::runtime_error("malformed list of strings");
    }
    words.emplace_back(colon + 1, size);
    at = colon + size + 2;
  }
  return words;
}

struct StoredPayload {
  std::string script, arguments, environment, working_directory;
  std::string stdin_path, stdout_path, stderr_path;
  std::int64_t append_output = 0;
  std::int64_t umask = 0;
  std::string comment, command_line;

  std::int64_t checksum(JobId job) const {
    Checksum sum;
    sum.add(signed_id(job)).add(script).add(arguments).add(environment).add(working_directory);
    sum.add(stdin_path).add(stdout_path).add(stderr_path).add(append_output).add(umask);
    return sum.add(comment).add(command_line).value();
  }
};

}  // namespace

JobRows::JobRows(const Database& database)
    : insert_job_(database,
                  "INSERT INTO job (id, uid, token, user, name, queue, spec, submit_ms, checksum, "
                  "held) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      insert_payload_(database,
                      "INSERT INTO job_payload (job, script, arguments, environment, "
                      "working_directory, stdin_path, stdout_path, stderr_path, append_output, "
                      "umask, comment, command_line, checksum) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
      insert_event_(database,
                    "INSERT INTO job_event (job, at_ms, kind, detail, epoch, checksum) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
      find_live_(database, "SELECT 1 FROM job WHERE id = ?1 AND phase <> 'ENDED'"),
      set_held_(database,
                "UPDATE job SET held = ?2, reason = ?3 WHERE id = ?1 AND phase <> 'ENDED'"),
      set_assigned_(database,
                    "UPDATE job SET phase = 'LAUNCHING', attempts = ?2, start_ms = 0, reason = '', "
                    "start_reason = ?3, node_names = ?4, node_count = ?5, cores = ?6 "
                    "WHERE id = ?1 AND phase <> 'ENDED'"),
      set_started_(database,
                   "UPDATE job SET phase = 'RUNNING', start_ms = ?2, started = 1 "
                   "WHERE id = ?1 AND phase <> 'ENDED'"),
      set_reason_(database, "UPDATE job SET reason = ?2 WHERE id = ?1 AND phase <> 'ENDED'"),
      set_requeued_(database,
                    "UPDATE job SET phase = 'PENDING', reason = ?2, restarts = restarts + ?3, "
                    "started = max(started, ?3), start_ms = 0 WHERE id = ?1 AND phase <> 'ENDED'"),
      set_ended_(database,
                 "UPDATE job SET phase = 'ENDED', outcome = ?2, exit_code = ?3, signal = ?4, "
                 "start_ms = ?5, end_ms = ?6, user_cpu_ms = ?7, system_cpu_ms = ?8, "
                 "max_rss_kib = ?9, reason = ?10, started = max(started, ?5 <> 0) "
                 "WHERE id = ?1 AND phase <> 'ENDED'"),
      select_payload_(database,
                      "SELECT script, arguments, environment, working_directory, stdin_path, "
                      "stdout_path, stderr_path, append_output, umask, comment, command_line, "
                      "checksum FROM job_payload WHERE job = ?1") {}

void JobRows::append(const JobEvent& event, const NewJob* origin, Epoch epoch) {
  if (const auto* submitted = std::get_if<Submitted>(&event.what)) {
    insert(event, *submitted, origin);
  }
  const std::string kind = event_name(event);
  const std::string detail = detail_to_json(event);
  const std::int64_t sum =
      Checksum().add(signed_id(event.job)).add(event.at_ms).add(kind).add(detail).value();
  std::visit([&](const auto& what) { update(event, what); }, event.what);
  Execution(insert_event_)
      .number(signed_id(event.job))
      .number(event.at_ms)
      .text(kind)
      .text(detail)
      .number(static_cast<std::int64_t>(epoch))
      .number(sum)
      .run();
}

void JobRows::insert(const JobEvent& event, const Submitted& submitted, const NewJob* origin) {
  const JobSpec& spec = submitted.spec;
  const std::string json = spec_to_json(spec);
  const std::string token = origin == nullptr ? "" : origin->token;
  const std::int64_t uid = origin == nullptr ? spec.uid : origin->uid;
  Checksum sum;
  sum.add(signed_id(event.job)).add(uid).add(token).add(spec.user).add(spec.name).add(spec.queue);
  sum.add(json).add(event.at_ms);

  Execution execution(insert_job_);
  execution.number(signed_id(event.job)).number(uid);
  token.empty() ? execution.null() : execution.text(token);
  execution.text(spec.user).text(spec.name).text(spec.queue).text(json).number(event.at_ms);
  execution.number(sum.value()).number(spec.hold ? 1 : 0).run();
  if (origin != nullptr && origin->payload) insert_payload(event.job, *origin->payload);
}

void JobRows::insert_payload(JobId job, const JobPayload& payload) {
  StoredPayload stored{payload.script,
                       to_netstrings(payload.arguments),
                       to_netstrings(payload.environment),
                       payload.working_directory,
                       payload.stdin_path,
                       payload.stdout_path,
                       payload.stderr_path,
                       payload.append_output ? 1 : 0,
                       payload.umask,
                       payload.comment,
                       payload.command_line};
  Execution(insert_payload_)
      .number(signed_id(job))
      .blob(stored.script)
      .blob(stored.arguments)
      .blob(stored.environment)
      .blob(stored.working_directory)
      .blob(stored.stdin_path)
      .blob(stored.stdout_path)
      .blob(stored.stderr_path)
      .number(stored.append_output)
      .number(stored.umask)
      .blob(stored.comment)
      .blob(stored.command_line)
      .number(stored.checksum(job))
      .run();
}

std::optional<JobPayload> JobRows::payload(JobId job) const {
  Execution row(select_payload_);
  row.number(signed_id(job));
  if (!row.step()) return std::nullopt;
  const StoredPayload stored{row.column_text(0), row.column_text(1),   row.column_text(2),
                             row.column_text(3), row.column_text(4),   row.column_text(5),
                             row.column_text(6), row.column_number(7), row.column_number(8),
                             row.column_text(9), row.column_text(10)};
  if (stored.checksum(job) != row.column_number(11)) throw std::runtime_error("wrong checksum");
  JobPayload payload;
  payload.script = stored.script;
  payload.arguments = from_netstrings(stored.arguments);
  payload.environment = from_netstrings(stored.environment);
  payload.working_directory = stored.working_directory;
  payload.stdin_path = stored.stdin_path;
  payload.stdout_path = stored.stdout_path;
  payload.stderr_path = stored.stderr_path;
  payload.append_output = stored.append_output != 0;
  payload.umask = static_cast<std::uint32_t>(stored.umask);
  payload.comment = stored.comment;
  payload.command_line = stored.command_line;
  return payload;
}

// ---- the row follows the event, as JobTable does ---------------------------------------------

void JobRows::expect_live(JobId job) {
  Execution row(find_live_);
  expect_one(row.number(signed_id(job)).step() ? 1 : 0, job);
}

void JobRows::update(const JobEvent& event, const DependencySettled&) { expect_live(event.job); }

void JobRows::update(const JobEvent& event, const HoldChanged& e) {
  const std::string reason = e.held && !e.by.empty() ? "held by " + e.by : "";
  Execution row(set_held_);
  expect_one(row.number(signed_id(event.job)).number(e.held ? 1 : 0).text(reason).run(), event.job);
}

void JobRows::update(const JobEvent& event, const Assigned& e) {
  const std::string names = e.placement.node_names();
  Execution row(set_assigned_);
  row.number(signed_id(event.job)).number(e.key.attempt).text(to_string(e.why)).text(names);
  row.number(static_cast<std::int64_t>(e.placement.shares.size())).number(e.placement.cores());
  expect_one(row.run(), event.job);
}

void JobRows::update(const JobEvent& event, const Started& e) {
  Execution row(set_started_);
  expect_one(row.number(signed_id(event.job)).number(e.started_ms).run(), event.job);
}

// The row shows the result when the job has ended.
void JobRows::update(const JobEvent& event, const ScriptEnded&) { expect_live(event.job); }

void JobRows::update(const JobEvent& event, const CoresLent&) { expect_live(event.job); }

void JobRows::update(const JobEvent& event, const PowerCapped&) { expect_live(event.job); }

void JobRows::update(const JobEvent& event, const CancelRequested& e) {
  set_reason(event.job, "cancelled by " + e.by);
}

void JobRows::update(const JobEvent& event, const RequeueRequested& e) {
  set_reason(event.job, "requeue asked for by " + e.by);
}

void JobRows::set_reason(JobId job, const std::string& reason) {
  Execution row(set_reason_);
  expect_one(row.number(signed_id(job)).text(reason).run(), job);
}

void JobRows::update(const JobEvent& event, const Requeued& e) {
  Execution row(set_requeued_);
  row.number(signed_id(event.job)).text(e.reason).number(e.had_started ? 1 : 0);
  expect_one(row.run(), event.job);
}

void JobRows::update(const JobEvent& event, const Ended& e) {
  Execution row(set_ended_);
  row.number(signed_id(event.job)).text(to_string(e.outcome)).number(e.exit_code);
  row.number(e.signal).number(e.started_ms).number(e.ended_ms).number(e.usage.user_ms);
  row.number(e.usage.system_ms).number(e.usage.max_rss_kib).text(e.reason);
  expect_one(row.run(), event.job);
}

}  // namespace hyades
