#include "scene.hpp"

#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "census.hpp"
#include "core/hostlist.hpp"
#include "core/ids.hpp"
#include "worker/process_table.hpp"
#include "worker/record_file.hpp"

namespace hyades::test {

namespace fs = std::filesystem;

char process_state(pid_t pid) {
  const std::string text = read_whole("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t close = text.rfind(") ");
  return close == text.npos ? '\0' : text[close + 2];
}

Frozen::Frozen(pid_t pid) : pid_(pid) {
  if (pid_ > 0 && kill(pid_, SIGSTOP) != 0) pid_ = 0;
}

void Frozen::thaw() {
  if (pid_ > 0) kill(pid_, SIGCONT);
  pid_ = 0;
}

bool Frozen::stopped() const { return pid_ > 0 && process_state(pid_) == 'T'; }

Scene::Scene(Cluster& cluster) : cluster_(cluster), connection_({cluster.directory(), ""}) {}

bool SeenJob::uses(const std::string& node) const {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::optional<std::vector<SeenJob>> Scene::jobs() {
  pb::ClientRequest request;
  request.mutable_list_jobs()->set_live(true);
  pb::ClientReply reply;
  std::string error;
  if (connection_.call(request, reply, 2000, error) != CallResult::Ok) return std::nullopt;
  std::vector<SeenJob> jobs;
  for (const pb::JobInfo& job : reply.jobs()) {
    std::vector<std::string> nodes;
    std::string problem;
    if (!job.node_names().empty()) expand_hostlist(job.node_names(), nodes, problem);
    jobs.push_back({job.id(), job.state(), std::move(nodes), job.attempts()});
  }
  return jobs;
}

std::vector<SeenShepherd> Scene::shepherds() const {
  std::vector<SeenShepherd> found;
  for (const std::string& node : cluster_.nodes()) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(cluster_.spool_of(node), error)) {
      LaunchKey key;
      if (!parse_launch_key(entry.path().filename(), key)) continue;
      const RecordContent content = parse_record(read_whole(entry.path()));
      if (!content.started || content.exit) continue;
      const pid_t pid = content.started->shepherd_pid;
      const char state = process_state(pid);
      if (state == '\0' || state == 'Z') continue;
      found.push_back({pid, content.started->job_pid, key.job, node});
    }
  }
  return found;
}

pid_t Scene::launcher(const std::string& node) {
  const pid_t worker = cluster_.worker_pid(node);
  for (const Kin& kin : family()) {
    if (kin.parent == worker && kin.name == "hyades-launch") return kin.pid;
  }
  return 0;
}

std::vector<pid_t> Scene::children(pid_t parent) const {
  std::vector<pid_t> found;
  for (const Process& process : read_processes()) {
    if (process.parent == parent && !process.zombie) found.push_back(process.pid);
  }
  return found;
}

bool Scene::has_started(const std::string& node, pid_t shepherd) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(cluster_.spool_of(node), error)) {
    const RecordContent content = parse_record(read_whole(entry.path()));
    if (content.started && content.started->shepherd_pid == shepherd) return true;
  }
  return false;
}

bool Scene::is_over(const SeenShepherd& shepherd) { return process_state(shepherd.job_pid) == 'Z'; }

}  // namespace hyades::test
