#include "cli/step_job.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "cli/failure.hpp"
#include "core/job_spec.hpp"
#include "wire/unique_fd.hpp"

extern char** environ;

namespace hyades {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string read_file(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Failure("cannot read the job's nodes from " + path + ": " + strerror(errno));
  std::string text;
  char bytes[65536];
  while (text.size() <= step_file_bytes_max) {
    const ssize_t size = read(file.get(), bytes, sizeof bytes);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw Failure("cannot read " + path + ": " + strerror(errno));
    if (size == 0) break;
    text.append(bytes, static_cast<std::size_t>(size));
  }
  return text;
}

std::string path_beside_us(const std::string& name) {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  const std::string self(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return self.substr(0, self.rfind('/') + 1) + name;
}

int count_of(const char* name) {
  int count = 0;
  const std::string text = variable(name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good && count > 0 && count <= Limits::count_max ? count : 1;
}

// A job on one node has no step file: all there is to know is in its environment.
StepFile single_node_job(const std::string& name) {
  const std::string launch = variable("HYADES_LAUNCH");
  StepFile job;
  if (variable("HYADES_JOB_ID").empty() ||
      !parse_launch_key(launch.substr(launch.rfind(':') + 1), job.key)) {
    throw Failure("this is not inside a job; try: hsub --wrap '" + name + " COMMAND'");
  }
  if (variable("HYADES_NNODES") != "1") {
    throw Failure("on node " + variable("HYADES_NODENAME") + " of job " +
                  std::to_string(job.key.job) + " this is not possible; " + name +
                  " works on the job's first node, where its script runs");
  }
  job.nodes = {{variable("HYADES_NODENAME"), "127.0.0.1", 0, count_of("HYADES_NTASKS"),
                count_of("HYADES_CPUS_ON_NODE")}};
  return job;
}

// Different for each job and step, so that steps do not ask for the same ports.
std::uint64_t port_seed(const LaunchKey& key) {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return key.job * 1009 + key.attempt * 131 + static_cast<std::uint64_t>(getpid()) * 31 +
         static_cast<std::uint64_t>(now.tv_nsec >> 10);
}

}  // namespace

StepFile read_job(const std::string& name) {
  const char* path = std::getenv("HYADES_STEP_FILE");
  if (path == nullptr || *path == '\0') return single_node_job(name);
  StepFile job;
  std::string error;
  if (!parse_step_file(read_file(path), job, error)) {
    throw Failure(std::string(path) + " is not the list of a job's nodes: " + error);
  }
  return job;
}

StepOrder new_step_order(const std::string& name, const StepFile& job,
                         std::vector<StepShare> shares) {
  StepOrder order;
  order.name = name;
  order.shares = std::move(shares);
  order.step_key = job.step_key;
  for (char** entry = environ; *entry != nullptr; ++entry) order.environment.push_back(*entry);
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) {
    throw Failure(std::string("the current directory is gone: ") + strerror(errno));
  }
  order.directory = directory;
  order.umask = static_cast<int>(umask(0));
  umask(static_cast<mode_t>(order.umask));
  order.port_seed = port_seed(job.key);
  order.stepd = path_beside_us("hyades-stepd");
  return order;
}

void occupy_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) std::exit(kExitFailed);
  }
}

}  // namespace hyades
