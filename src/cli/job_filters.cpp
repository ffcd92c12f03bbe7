#include "cli/job_filters.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "cli/failure.hpp"
#include "cli/job_words.hpp"
#include "core/hostlist.hpp"
#include "core/nearest_word.hpp"

namespace hyades {

void add_job_filters(Command& command) {
  command.value("user,u", "NAMES", "jobs of these users");
  command.flag("me", "jobs of mine");
  command.value("queue,partition,p", "NAMES", "jobs in these queues");
  command.value("states,state,t", "STATES", "jobs in these states: PD, R, CD, FAILED, ..., all");
  command.value("name,n", "NAMES", "jobs with these names");
  command.value("nodelist,w", "NODES", "jobs that are, or were last, on one of these nodes");
}

void read_job_filters(const Command& command, pb::ListJobs& out) {
  for (const std::uint64_t id : read_job_ids(command, command.words())) out.add_ids(id);
  for (const std::string& user : command.list_of("user")) out.add_users(user);
  if (command.has("me")) out.add_users(current_user());
  for (const std::string& queue : command.list_of("queue")) out.add_queues(queue);
  for (const std::string& name : command.list_of("name")) out.add_names(name);
  std::vector<std::string> nodes;
  std::string error;
  const std::string list = command.value_of("nodelist");
  if (!list.empty() && !expand_hostlist(list, nodes, error)) command.usage_error(error);
  for (const std::string& node : nodes) out.add_nodes(node);
  for (const std::string& text : command.list_of("states")) {
    if (text == "all" || text == "ALL") {
      for (const std::string& state : state_words()) out.add_states(state);
      continue;
    }
    const std::string state = state_word(text);
    if (state.empty()) {
      const std::string nearest = nearest_word(text, state_words());
      command.usage_error("--states=" + text + ": no such state" +
                          (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    }
    out.add_states(state);
  }
}

std::vector<std::uint64_t> read_job_ids(const Command& command,
                                        const std::vector<std::string>& words) {
  std::vector<std::uint64_t> ids;
  for (const std::string& word : words) {
    if (!parse_job_ids(word, ids)) command.usage_error("'" + word + "' is not a job id");
  }
  return ids;
}

int complain_of_missing(const Command& command, const pb::ListJobs& filters,
                        const pb::ClientReply& reply) {
  const bool only_ids = filters.states_size() == 0 && filters.users_size() == 0 &&
                        filters.queues_size() == 0 && filters.names_size() == 0 &&
                        filters.nodes_size() == 0 && filters.since_ms() == 0 &&
                        filters.until_ms() == 0 && !reply.truncated();
  int exit_code = kExitGood;
  if (!only_ids) return exit_code;
  for (const std::uint64_t id : filters.ids()) {
    const bool found = std::any_of(reply.jobs().begin(), reply.jobs().end(),
                                   [&](const pb::JobInfo& job) { return job.id() == id; });
    if (found) continue;
    complain(command.name(), "job " + std::to_string(id) + ": no such job");
    exit_code = kExitFailed;
  }
  return exit_code;
}

int complain_of_unknown(const Command& command, MasterClient& master, const pb::ListJobs& filters,
                        const pb::ClientReply& reply) {
  for (const std::string& user : filters.users()) {
    if (getpwnam(user.c_str()) != nullptr || user == std::to_string(geteuid())) continue;
    const bool seen = std::any_of(reply.jobs().begin(), reply.jobs().end(),
                                  [&](const pb::JobInfo& job) { return job.user() == user; });
    if (!seen) complain(command.name(), "user " + user + ": this host knows no such user");
  }
  const auto has_jobs = [&](const std::string& queue) {
    return std::any_of(reply.jobs().begin(), reply.jobs().end(),
                       [&](const pb::JobInfo& job) { return job.queue() == queue; });
  };
  if (std::all_of(filters.queues().begin(), filters.queues().end(), has_jobs)) return kExitGood;
  pb::ClientRequest request;
  request.mutable_list_queues();
  std::vector<std::string> known;
  const pb::ClientReply queues = master.get(request);
  for (const pb::QueueInfo& queue : queues.queues()) known.push_back(queue.name());
  int exit_code = kExitGood;
  for (const std::string& name : filters.queues()) {
    if (has_jobs(name) || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_word(name, known);
    complain(command.name(), "queue " + name + ": no such queue" +
                                 (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    exit_code = kExitFailed;
  }
  return exit_code;
}

std::string current_user() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

bool names_final_state(const pb::ListJobs& filters) {
  return std::any_of(filters.states().begin(), filters.states().end(), is_final_state);
}

bool names_live_state(const pb::ListJobs& filters) {
  return !std::all_of(filters.states().begin(), filters.states().end(), is_final_state);
}

}  // namespace hyades
