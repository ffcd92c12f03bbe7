#include "scene.hpp"

#include <signal.h>

#include <filesystem>

#include "census.hpp"
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

std::vector<std::string> Scene::nodes() const {
  std::vector<std::string> names;
  for (int i = 1; i <= cluster_.options().nodes; ++i) names.push_back("vn" + std::to_string(i));
  return names;
}

std::optional<std::vector<SeenJob>> Scene::jobs() {
  pb::ClientRequest request;
  request.mutable_list_jobs()->set_live(true);
  pb::ClientReply reply;
  std::string error;
  if (connection_.call(request, reply, 2000, error) != CallResult::Ok) return std::nullopt;
  std::vector<SeenJob> jobs;
  for (const pb::JobInfo& job : reply.jobs()) {
    jobs.push_back({job.id(), job.state(), job.node_names(), job.attempts()});
  }
  return jobs;
}

std::vector<SeenShepherd> Scene::shepherds() const {
  std::vector<SeenShepherd> found;
  for (const std::string& node : nodes()) {
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator(cluster_.directory() + "/spool/" + node, error)) {
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
  for (const auto& entry : fs::directory_iterator(cluster_.directory() + "/spool/" + node, error)) {
    const RecordContent content = parse_record(read_whole(entry.path()));
    if (content.started && content.started->shepherd_pid == shepherd) return true;
  }
  return false;
}

bool Scene::is_over(const SeenShepherd& shepherd) { return process_state(shepherd.job_pid) == 'Z'; }

}  // namespace hyades::test
