// A node without its agent: a spool in a temporary directory, a launcher and a spawner, all real.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

#include "worker/disk_spool.hpp"
#include "worker/job_environment.hpp"
#include "worker/launch_record.hpp"
#include "worker/launcher_spawner.hpp"
#include "worker/record_file.hpp"

namespace hyades {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "hyades-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + path);
    path_ = path;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  const std::string& path() const { return path_; }
  // "test-Ab3xYz": nobody else has had it lately.
  std::string unique_name() const { return "test-" + path_.substr(path_.rfind('-') + 1); }

 private:
  std::string path_;
};

inline std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline bool wait_until(const std::function<bool()>& condition, int seconds = 30) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll(nullptr, 0, 2);
  }
  return true;
}

// While it lives, this process can open nothing (but `spare` more at once).
class NoDescriptors {
 public:
  explicit NoDescriptors(rlim_t spare = 0) {
    getrlimit(RLIMIT_NOFILE, &usual_);
    const int lowest = dup(STDIN_FILENO);
    close(lowest);
    const rlimit limit = {static_cast<rlim_t>(lowest) + spare, usual_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &usual_); }

 private:
  rlimit usual_ = {};
};

inline bool is_alive(pid_t pid) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  return !stat.empty() && stat.find(") Z ") == std::string::npos;
}

// Another program of this build.
inline std::string program_beside_me(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

// A job on one core of its node, which runs in `directory` and prints into its file "out".
inline LaunchOrder plain_order(JobId job, const std::string& directory, const std::string& script) {
  LaunchOrder order;
  order.key = {job, 1, job + 100};
  order.cluster = "testcluster";
  order.kill_grace_s = 1;
  order.spec.name = "a job";
  order.spec.queue = "batch";
  order.spec.user = "somebody";
  order.spec.uid = getuid();
  order.spec.gid = getgid();
  order.payload.script = script;
  order.payload.environment = {"PATH=/usr/bin:/bin"};
  order.payload.working_directory = directory;
  order.payload.stdout_path = "out";
  order.placement.shares = {
      {.node = "vn1", .tasks = 1, .cores = IdSet::first(1), .memory_mib = 100}};
  return order;
}

class NodeBox {
 public:
  // `failpoints`: as HYADES_FAILPOINT, for launcher and shepherds.
  explicit NodeBox(const std::string& failpoints = "") : spool_path_(root / "spool") {
    setenv("HYADES_FAILPOINT", failpoints.c_str(), 1);
    start_launcher();
    unsetenv("HYADES_FAILPOINT");
    start_worker();
  }
  ~NodeBox() {
    if (spool == nullptr) return;
    for (const SpoolRecord& record : spool->records()) {  // leave nothing behind
      if (!record.held || record.started_ms == 0) continue;
      const RecordContent content = this->content(record.key);
      if (content.started) kill(content.started->shepherd_pid, SIGKILL);
      spawner->sweep(record.key);
    }
  }

  void start_launcher() {
    launcher = std::make_unique<LauncherHandle>(
        LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"), spool_path_));
  }

  void start_worker() {
    spool = std::make_unique<DiskSpool>(spool_path_);
    spawner = std::make_unique<LauncherSpawner>(
        SpawnerConfig{cluster_id, root / "state", nullptr, preparation_limit_s}, *spool, *launcher);
  }

  LaunchOrder order(const std::string& script) { return plain_order(++jobs, root.path(), script); }

  void start(const LaunchOrder& order) {
    ASSERT_EQ(spool->claim(order.key), ClaimResult::Claimed) << spool->last_error();
    ASSERT_TRUE(spawner->start(order)) << spawner->last_error();
  }

  // Past the spawner, for what an order cannot say.
  void start(LaunchRecord record) {
    ASSERT_EQ(spool->claim(record.key), ClaimResult::Claimed) << spool->last_error();
    const std::string encoded = encode(record);
    ASSERT_TRUE(launcher->send(StartLaunch{record.key, encoded}, spool->take_claim(record.key)));
  }
  LaunchRecord plain_record(const std::string& script) {
    LaunchRecord record;
    record.key = {++jobs, 1, jobs + 100};
    record.uid = getuid();
    record.gid = getgid();
    record.user = "somebody";
    record.script = script;
    record.environment = {"PATH=/usr/bin:/bin", launch_mark(cluster_id, record.key)};
    record.working_directory = root.path();
    record.stdout_path = "out";
    record.kill_grace_s = 1;
    return record;
  }

  // Watches the spool as a worker does, until the record is as wanted.
  SpoolRecord wait_for(const LaunchKey& key,
                       const std::function<bool(const SpoolRecord&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (true) {
      const auto record = spool->look(key);
      if (record && wanted(*record)) return *record;
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "the record did not become as wanted: "
                      << read_text(spool->record_path(key));
        return record.value_or(SpoolRecord{});
      }
      launcher->flush();
      pollfd wait = {spool->watch_fd(), POLLIN, 0};
      poll(&wait, 1, launcher->wants_write() ? 1 : 100);
      spool->drain_watch();
    }
  }

  // Until the shepherd has gone, whatever it wrote.
  SpoolRecord wait_for_end(const LaunchKey& key) {
    return wait_for(key, [](const SpoolRecord& record) { return !record.held; });
  }
  SpoolRecord wait_for_start(const LaunchKey& key) {
    return wait_for(key, [](const SpoolRecord& record) { return record.started_ms != 0; });
  }
  // Until the job itself says that it has come so far.
  void wait_for_file(const std::string& name) {
    EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(root / name); })) << name;
  }

  ExitRecord run(const LaunchOrder& order) {
    start(order);
    const SpoolRecord record = wait_for_end(order.key);
    EXPECT_TRUE(record.exit.has_value()) << read_text(spool->record_path(order.key));
    return record.exit.value_or(ExitRecord{});
  }
  ExitRecord run_script(const std::string& script) { return run(order(script)); }

  std::string output(const std::string& name = "out") const { return read_text(root / name); }
  RecordContent content(const LaunchKey& key) const {
    return parse_record(read_text(spool_path_ + '/' + to_string(key)));
  }

  TemporaryDirectory root;
  std::string cluster_id = root.unique_name();  // a process id comes again, with what its test left
  int preparation_limit_s = 60;
  std::unique_ptr<LauncherHandle> launcher;
  std::unique_ptr<DiskSpool> spool;
  std::unique_ptr<LauncherSpawner> spawner;
  JobId jobs = 0;

 private:
  std::string spool_path_;
};

}  // namespace hyades
