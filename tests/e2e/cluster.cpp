#include "cluster.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "census.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

// The tests must not depend on where they are started from, perhaps from inside a Hyades job.
void forget_surroundings() {
  for (const char* name : {"HYADES_DIR", "HYADES_LAUNCH", "HYADES_FAILPOINT",
                           "HYADES_FAILPOINT_LOG", "HWLOC_XMLFILE", "HWLOC_SYNTHETIC"}) {
    unsetenv(name);
  }
}

}  // namespace

std::string program_directory() { return variable("HYADES_TEST_PROGRAMS", HYADES_PROGRAMS); }
std::string program(const std::string& name) { return program_directory() + "/" + name; }

std::string make_directory() {
  std::string path = variable("TMPDIR", "/tmp") + "/hy-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    ADD_FAILURE() << "mkdtemp " << path << ": " << std::strerror(errno);
  }
  return path;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Cluster::Cluster(ClusterOptions options)
    : options_(std::move(options)),
      base_(make_directory()),
      directory_(base_ + "/state"),
      work_(base_ + "/work"),
      cookie_(base_.substr(base_.rfind('/') + 1)) {
  keep_orphans();
  forget_surroundings();
  mkdir(work_.c_str(), 0755);
  mkdir(directory_.c_str(), 0700);
  configure(options_.config);
}

Cluster::~Cluster() {
  run({"hyades", "down", "--cancel-jobs"});
  check_nothing_left();
  std::error_code error;
  if (testing::Test::HasFailure() && std::getenv("HYADES_TEST_KEEP") != nullptr) {
    std::fprintf(stderr, "kept: %s\n", base_.c_str());
  } else {
    std::filesystem::remove_all(base_, error);
  }
}

// Launchers see the end of their worker, and the last shepherds that of their job, a moment later.
void Cluster::check_nothing_left() {
  const std::string mark = "HYADES_TEST_CLUSTER=" + cookie_;
  const auto left = [&] {
    reap_orphans();
    std::vector<Kin> all = bearing(mark);
    for (const Kin& kin : family()) {
      const bool hidden = kin.name.starts_with("hyades-") || kin.name.starts_with("hyades:");
      if (hidden) all.push_back(kin);
    }
    return all;
  };
  if (wait_until([&] { return left().empty(); }, 10'000)) return;
  const std::vector<Kin> rest = left();
  ADD_FAILURE() << "still there after `hyades down`:\n" << to_text(rest);
  end_all(rest);
}

// ---- its life ---------------------------------------------------------------------------------

CommandResult Cluster::up() {
  const std::string name = options_.with_failpoints ? "hyades_test" : "hyades";
  return run({name, "up", "--local", std::to_string(options_.nodes)}, {.timeout_ms = 90'000});
}

void Cluster::must_up() {
  const CommandResult result = up();
  ASSERT_EQ(result.exit_code, 0) << result.text() << log();
}

void Cluster::must_down() {
  const CommandResult result = run({"hyades", "down"});
  ASSERT_EQ(result.exit_code, 0) << result.text();
}

Json Cluster::status() { return run({"hyades", "status", "--json"}).json(); }

pid_t Cluster::pid_of(const std::string& key) {
  const Json value = status().value(key, Json());
  return value.is_number() ? value.get<pid_t>() : 0;
}

pid_t Cluster::worker_pid(const std::string& node) {
  const Json now = status();
  for (const Json& worker : now["workers"]) {
    if (worker["node"] == node && worker["pid"].is_number()) return worker["pid"].get<pid_t>();
  }
  return 0;
}

bool Cluster::is_up() { return status().value("state", "") == "up"; }

// ---- commands ---------------------------------------------------------------------------------

std::vector<std::string> Cluster::with_path(std::vector<std::string> words) const {
  if (words.front().find('/') == std::string::npos) words.front() = program(words.front());
  return words;
}

CommandOptions Cluster::complete(CommandOptions options) const {
  options.environment.insert({"HYADES_DIR", directory_});
  options.environment.insert({"HYADES_TEST_CLUSTER", cookie_});
  options.environment.insert(options_.environment.begin(), options_.environment.end());
  if (options.directory.empty()) options.directory = work_;
  return options;
}

CommandResult Cluster::run(std::vector<std::string> words, CommandOptions options) {
  return run_command(with_path(std::move(words)), complete(std::move(options)));
}

std::unique_ptr<RunningCommand> Cluster::start(std::vector<std::string> words,
                                               CommandOptions options) {
  return std::make_unique<RunningCommand>(with_path(std::move(words)),
                                          complete(std::move(options)));
}

JobId Cluster::must_submit(std::vector<std::string> hsub_arguments, CommandOptions options) {
  std::vector<std::string> words{"hsub", "--parsable"};
  words.insert(words.end(), hsub_arguments.begin(), hsub_arguments.end());
  const CommandResult result = run(words, std::move(options));
  EXPECT_EQ(result.exit_code, 0) << result.text();
  const JobId id = std::strtoull(result.out.c_str(), nullptr, 10);
  EXPECT_NE(id, 0u) << result.text();
  return id;
}

JobId Cluster::must_wrap(const std::string& command, std::vector<std::string> options) {
  options.insert(options.end(), {"--wrap", command});
  return must_submit(std::move(options));
}

Json Cluster::job(JobId id) {
  const Json jobs = run({"hacct", "--json", "-j", std::to_string(id)}).json();
  if (jobs.is_object() && jobs["jobs"].size() == 1) return jobs["jobs"][0];
  ADD_FAILURE() << "job " << id << ": hacct shows " << jobs.dump();
  return Json::object();
}

std::string Cluster::state_of(JobId id) { return job(id).value("state", "?"); }

Json Cluster::must_wait(JobId id) {
  const CommandResult result =
      run({"hwait", "--quiet", "--timeout", "60", std::to_string(id)}, {.timeout_ms = 90'000});
  EXPECT_NE(result.exit_code, 124) << "job " << id << " does not end: " << job(id).dump(2);
  return job(id);
}

bool Cluster::wait_for_state(JobId id, const std::string& state) {
  return wait_until([&] { return state_of(id) == state; }, kPatience_ms, 20);
}

bool Cluster::wait_for_output(const std::string& file, const std::string& text) {
  return wait_until([&] { return read_file(file).find(text) != std::string::npos; });
}

// ---- places -----------------------------------------------------------------------------------

std::vector<std::string> Cluster::nodes() const {
  std::vector<std::string> names;
  for (int i = 1; i <= options_.nodes; ++i) names.push_back("vn" + std::to_string(i));
  return names;
}

std::string Cluster::spool_of(const std::string& node) const {
  return directory_ + "/spool/" + node;
}

std::string Cluster::write_file(const std::string& name, const std::string& text, int mode) {
  const std::string where = name.front() == '/' ? name : path(name);
  std::ofstream(where, std::ios::binary | std::ios::trunc) << text;
  chmod(where.c_str(), static_cast<mode_t>(mode));
  return where;
}

std::string Cluster::write_script(const std::string& name, const std::string& text) {
  return write_file(name, "#!/bin/bash\n" + text + "\n", 0755);
}

std::string Cluster::read_file(const std::string& name) const {
  return read_whole(name.front() == '/' ? name : path(name));
}

std::string Cluster::log() const {
  return "\n--- cluster.log\n" + read_whole(directory_ + "/log/cluster.log") +
         "\n--- supervisor.log\n" + read_whole(directory_ + "/log/supervisor.log");
}

void Cluster::configure(const std::string& more) {
  const std::string names = options_.node_names.empty()
                                ? "vn[1-" + std::to_string(options_.nodes) + "]"
                                : options_.node_names;
  const std::string text = "[cluster]\nname = \"test\"\nkill_grace_s = 2\n" +
                           options_.cluster_config + "\n[[node]]\nname = \"" + names +
                           "\"\ncores = " + std::to_string(options_.cores) + "\n\n" + more;
  write_file(directory_ + "/hyades.toml", text, 0600);
}

}  // namespace hyades::test
