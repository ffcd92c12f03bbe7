#include "cli/job_columns.hpp"

#include <algorithm>
#include <functional>

#include "cli/command.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/printable.hpp"
#include "cli/times.hpp"
#include "core/hostlist.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

// The reason, and where it is but a word, what the word stands for.
std::string full_reason(const pb::JobInfo& job) {
  if (job.reason().empty() || job.last_reason().empty()) return job.reason() + job.last_reason();
  return job.reason() + ": " + job.last_reason();
}

std::string where_or_why(const pb::JobInfo& job, bool in_full) {
  // Where it did not even start is worth less than why.
  const bool why = job.state() == "LAUNCH_FAILED" && !job.reason().empty();
  if (!job.node_names().empty() && !why) return short_nodes(job.node_names());
  const std::string reason = in_full ? full_reason(job) : job.reason();
  return reason.empty() ? "" : "(" + reason + ")";
}

// "12M"; "" when it is not known.
std::string rss_text(const pb::JobInfo& job) {
  const std::int64_t kib = job.usage().max_rss_kib();
  return kib <= 0 ? "" : std::to_string((kib + 1023) / 1024) + "M";
}

std::string limit_text(const pb::JobInfo& job) {
  return job.time_limit_s() > 0 ? format_duration(job.time_limit_s()) : "UNLIMITED";
}

std::string node_count_text(const pb::JobInfo& job) {
  return std::to_string(std::max(1, job.node_count()));
}

WallMs start_of(const pb::JobInfo& job) {
  const bool waits = job.state() == "PENDING" || job.start_ms() <= 0;
  return waits ? job.expected_start_ms() : job.start_ms();
}

std::vector<Column> queue_columns(QueueColumns view) {
  const Column id{"JOBID", true}, queue{"QUEUE", false, 6}, name{"NAME", false, 8},
      user{"USER", false, 6}, code{"ST"}, state{"STATE"}, time{"TIME", true},
      limit{"TIME_LIMIT", true}, start{"START"}, nodes{"NODES", true},
      where{"NODELIST(REASON)", false, 12};
  switch (view) {
    case QueueColumns::Long:
      return {id, queue, name, user, state, time, limit, start, nodes, where};
    case QueueColumns::Starts:
      return {id, queue, name, user, code, start, nodes, where};
    case QueueColumns::Normal:
      break;
  }
  return {id, queue, name, user, code, time, nodes, where};
}

// "vn1:0-3 vn2:0-1", node and cores, of what an assignment says about each of its nodes. "" when
// the text is something else.
std::string shares_text(const std::string& shares) {
  const Json list = Json::parse(shares, nullptr, false);
  if (!list.is_array()) return "";
  std::string text;
  for (const Json& share : list) {
    if (!share.is_object() || !share.contains("node") || !share["node"].is_string()) return "";
    const Json cores = share.value("cores", Json());
    text += (text.empty() ? "" : " ") + share["node"].get<std::string>();
    if (cores.is_string()) text += ":" + cores.get<std::string>();
  }
  return text;
}

// A flat JSON object as "key=value key=value"; anything else as it is.
std::string detail_text(const std::string& detail) {
  const Json object = Json::parse(detail, nullptr, false);
  if (object.is_discarded() || !object.is_object()) return detail;
  std::string text;
  for (const auto& [key, value] : object.items()) {
    std::string shown = value.is_string()
                            ? value.get<std::string>()
                            : value.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (shown.empty()) continue;
    if (key == "shares" && !shares_text(shown).empty()) shown = shares_text(shown);
    text += (text.empty() ? "" : " ") + key + "=" + shell_quote(shown);
  }
  return text;
}

using Order = std::function<int(const pb::JobInfo&, const pb::JobInfo&)>;

template <typename T>
int compare(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

Order order_by(const std::string& key, WallMs now_ms) {
  if (key == "id") return [](auto& a, auto& b) { return compare(a.id(), b.id()); };
  if (key == "name") return [](auto& a, auto& b) { return compare(a.name(), b.name()); };
  if (key == "user") return [](auto& a, auto& b) { return compare(a.user(), b.user()); };
  if (key == "queue") return [](auto& a, auto& b) { return compare(a.queue(), b.queue()); };
  if (key == "state") return [](auto& a, auto& b) { return compare(a.state(), b.state()); };
  if (key == "start") return [](auto& a, auto& b) { return compare(start_of(a), start_of(b)); };
  if (key == "priority") {
    return [](auto& a, auto& b) { return compare(a.priority(), b.priority()); };
  }
  if (key == "nodes") {
    return [](auto& a, auto& b) { return compare(a.node_count(), b.node_count()); };
  }
  if (key == "time") {
    return
        [now_ms](auto& a, auto& b) { return compare(elapsed_s(a, now_ms), elapsed_s(b, now_ms)); };
  }
  return nullptr;
}

std::vector<Cell> history_row(const pb::JobInfo& job, WallMs now_ms) {
  return {std::to_string(job.id()),
          job.name(),
          job.queue(),
          job.user(),
          std::to_string(job.cores()),
          {job.state(), state_colour(job.state())},
          exit_text(job),
          format_duration(elapsed_s(job, now_ms)),
          local_time(job.start_ms(), "Unknown"),
          local_time(has_ended(job) ? job.end_ms() : 0, "Unknown"),
          rss_text(job),
          short_nodes(job.node_names()),
          full_reason(job)};
}

const std::vector<Column>& history_columns() {
  // 80 columns hold those that are never spare, 120 most.
  static const std::vector<Column> columns = {{"JobID", true},           {"JobName", false, 6},
                                              {"Queue", false, 6, 4},    {"User", false, 6},
                                              {"AllocCPUS", true, 0, 6}, {"State", false, 9},
                                              {"ExitCode", true},        {"Elapsed", true, 0, 2},
                                              {"Start", false, 0, 5},    {"End"},
                                              {"MaxRSS", true, 0, 3},    {"NodeList", false, 8},
                                              {"Reason", false, 10}};
  return columns;
}

}  // namespace

Table queue_table(const JobList& jobs, QueueColumns view, WallMs now_ms, bool in_full) {
  Table table(queue_columns(view));
  for (const pb::JobInfo& job : jobs) {
    const Cell id = std::to_string(job.id());
    const Cell code(job.state_code(), state_colour(job.state()));
    const Cell state(job.state(), state_colour(job.state()));
    const Cell time = format_duration(elapsed_s(job, now_ms));
    const Cell start = local_time(start_of(job));
    const Cell nodes = node_count_text(job);
    const Cell where = where_or_why(job, in_full || view == QueueColumns::Long);
    switch (view) {
      case QueueColumns::Normal:
        table.add({id, job.queue(), job.name(), job.user(), code, time, nodes, where});
        break;
      case QueueColumns::Long:
        table.add({id, job.queue(), job.name(), job.user(), state, time, limit_text(job), start,
                   nodes, where});
        break;
      case QueueColumns::Starts:
        table.add({id, job.queue(), job.name(), job.user(), code, start, nodes, where});
        break;
    }
  }
  return table;
}

Table history_table(const JobList& jobs, WallMs now_ms) {
  Table table(history_columns());
  for (const pb::JobInfo& job : jobs) table.add(history_row(job, now_ms));
  return table;
}

std::string history_lines(const JobList& jobs, WallMs now_ms, bool header) {
  return history_table(jobs, now_ms).lines(header);
}

Table event_table(const std::vector<pb::EventInfo>& events) {
  Table table({{"TIME"}, {"EVENT"}, {"DETAIL", false, 20}});
  for (const pb::EventInfo& event : events) {
    table.add({local_time(event.at_ms()), event.kind(), detail_text(event.detail())});
  }
  return table;
}

bool sort_jobs(JobList& jobs, const std::string& keys, WallMs now_ms) {
  std::vector<std::pair<Order, bool>> orders;
  for (const std::string& key : split_list(keys)) {
    const bool descending = key[0] == '-';
    const Order order = order_by(key.substr(descending || key[0] == '+' ? 1 : 0), now_ms);
    if (order == nullptr) return false;
    orders.emplace_back(order, descending);
  }
  std::stable_sort(jobs.begin(), jobs.end(), [&](const auto& a, const auto& b) {
    for (const auto& [order, descending] : orders) {
      const int result = order(a, b);
      if (result != 0) return descending ? result > 0 : result < 0;
    }
    return false;
  });
  return true;
}

std::int64_t elapsed_s(const pb::JobInfo& job, WallMs now_ms) {
  if (job.start_ms() <= 0 || job.state() == "PENDING") return 0;
  const WallMs until = has_ended(job) ? job.end_ms() : now_ms;
  return std::max<std::int64_t>(0, (until - job.start_ms()) / 1000);
}

Colour state_colour(const std::string& state) {
  if (state == "RUNNING") return Colour::Green;
  if (state == "PENDING") return Colour::Yellow;
  if (state == "LAUNCHING") return Colour::Blue;
  if (state == "COMPLETED") return Colour::None;
  if (state == "CANCELLED") return Colour::Grey;
  return Colour::Red;
}

std::string short_nodes(const std::string& node_names) {
  return compress_hostlist(split_list(node_names));
}

}  // namespace hyades
