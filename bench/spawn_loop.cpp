#include "spawn_loop.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>

#include "submit_swarm.hpp"

namespace hyades {

namespace {

// In a session of its own and with /dev/null for its files, like a job.
class Spawner {
 public:
  Spawner(const std::string& path, const std::vector<std::string>& environment) : path_(path) {
    for (const std::string& text : environment) {
      environment_.push_back(const_cast<char*>(text.c_str()));
    }
    environment_.push_back(nullptr);
    posix_spawn_file_actions_init(&files_);
    for (int fd = 0; fd < 3; ++fd) {
      posix_spawn_file_actions_addopen(&files_, fd, "/dev/null", O_RDWR, 0);
    }
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID);
  }
  ~Spawner() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  bool run_once() {
    char* arguments[] = {const_cast<char*>(path_.c_str()), nullptr};
    pid_t pid = 0;
    if (posix_spawn(&pid, path_.c_str(), &files_, &attributes_, arguments, environment_.data())) {
      return false;
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return status == 0;
  }

 private:
  std::string path_;
  std::vector<char*> environment_;
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

}  // namespace

double spawn_rate(const std::string& path, const std::vector<std::string>& environment, int ways,
                  double seconds) {
  std::atomic<long> done{0};
  std::atomic<bool> failed{false};
  const double begin_s = now_s();
  std::vector<std::thread> threads;
  for (int i = 0; i < ways; ++i) {
    threads.emplace_back([&] {
      Spawner spawner(path, environment);
      while (!failed && now_s() - begin_s < seconds) {
        if (!spawner.run_once()) failed = true;
        ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed) throw std::runtime_error("cannot run " + path);
  return static_cast<double>(done) / (now_s() - begin_s);
}

}  // namespace hyades
