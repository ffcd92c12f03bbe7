// A real cluster for a test: `hyades up --local N` with the built programs in a directory of its
// own, and everything ended again afterwards, whatever the test did to it.
//
// Whatever starts with "must_" fails the test when it does not work.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "command.hpp"

namespace hyades::test {

using JobId = std::uint64_t;

struct ClusterOptions {
  int nodes = 2;
  int cores = 4;                 // of each node, whatever the machine has
  std::string config;            // more TOML, after the [cluster] and [[node]] sections
  std::string cluster_config;    // more lines of the [cluster] section
  bool with_failpoints = false;  // the daemons built for tests
  std::map<std::string, std::string> environment;  // of everything it starts
  std::string node_names;                          // in the configuration; "": vn[1-nodes]
};

class Cluster {
 public:
  explicit Cluster(ClusterOptions options = {});
  // Takes the cluster down, ends what is left and removes the directory; fails the test when jobs
  // or daemons were still there that should not have been.
  virtual ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // ---- its life
  void must_up();
  virtual CommandResult up();
  void must_down();
  Json status();                         // hyades status --json
  pid_t pid_of(const std::string& key);  // "supervisor_pid", ...: 0 when it does not run
  pid_t worker_pid(const std::string& node);
  bool is_up();

  // ---- commands
  // One of ours ("hsub", ...), in the work directory with HYADES_DIR set.
  CommandResult run(std::vector<std::string> words, CommandOptions options = {});
  std::unique_ptr<RunningCommand> start(std::vector<std::string> words,
                                        CommandOptions options = {});
  JobId must_submit(std::vector<std::string> hsub_arguments, CommandOptions options = {});
  // The same for `--wrap COMMAND`, behind other options.
  JobId must_wrap(const std::string& command, std::vector<std::string> options = {});
  // The job as `hacct --json` has it.
  Json job(JobId id);
  std::string state_of(JobId id);
  // Waits for its end with hwait and returns it.
  Json must_wait(JobId id);
  bool wait_for_state(JobId id, const std::string& state);
  bool wait_for_output(const std::string& file, const std::string& text);

  // ---- places
  virtual std::vector<std::string> nodes() const;  // their names
  // Where the node with this name has its spool, seen from the test.
  virtual std::string spool_of(const std::string& node) const;
  const std::string& directory() const { return directory_; }  // the state directory
  const std::string& work() const { return work_; }            // where commands run
  std::string path(const std::string& name) const { return work_ + "/" + name; }
  std::string write_file(const std::string& name, const std::string& text, int mode = 0644);
  std::string write_script(const std::string& name, const std::string& text);
  std::string read_file(const std::string& name) const;  // "" when it is not there
  std::string log() const;                               // of the daemons

  // The base configuration with `more` behind it; the next up or reload reads it.
  void configure(const std::string& more);
  const ClusterOptions& options() const { return options_; }

 protected:
  // The command as it is to be executed: ours with their path.
  virtual std::vector<std::string> with_path(std::vector<std::string> words) const;
  CommandOptions complete(CommandOptions options) const;
  const std::string& base() const { return base_; }

 private:
  void check_nothing_left();

  ClusterOptions options_;
  std::string base_;  // holds all the others
  std::string directory_;
  std::string work_;
  std::string cookie_;  // in the environment of everything
};

// Where the built programs are: $HYADES_TEST_PROGRAMS, else as compiled in.
std::string program_directory();
std::string program(const std::string& name);

// A new directory below $TMPDIR or /tmp; short, because sockets are put there.
std::string make_directory();

std::string read_whole(const std::string& path);

}  // namespace hyades::test
