// <state directory>/run: which processes make up the cluster right now, so that a supervisor that
// comes later can adopt them and `hyades status` can name them. Notes only: whether a process
// still lives is always asked of the kernel.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "master/process_identity.hpp"

namespace hyades {

// One rank of the MPI world.
struct RankNote {
  int rank = 0;
  std::string node;  // "" for the master
  ProcessIdentity process;
};

// What the supervisor started.
struct WorldNote {
  ProcessIdentity mpirun;
  int nodes = 0;       // virtual nodes of `hyades up --local`
  std::string config;  // path of the configuration, or ""
};

class RunFiles {
 public:
  // Creates the directory (0755) when it is missing. Throws std::runtime_error.
  explicit RunFiles(const std::string& state_directory);

  void write_rank(const RankNote& note) const;
  std::vector<RankNote> ranks() const;  // by rank; ranks of an earlier world may be among them
  void clear_ranks() const;

  void write_world(const WorldNote& note) const;
  std::optional<WorldNote> world() const;
  void clear_world() const;

  // Why the last world gave up; "" after a master has started well.
  void write_failure(const std::string& reason) const;
  // The same, from the rank of `node` ("": the master). Nothing is written while another process
  // serves that node: then ours was an intruder, whose failure is not the cluster's.
  void write_failure_of(const std::string& node, const std::string& reason) const;
  std::string failure() const;

  const std::string& directory() const { return directory_; }

 private:
  void write(const std::string& name, const std::string& text) const;
  std::optional<std::string> read(const std::string& name) const;

  std::string directory_;
};

}  // namespace hyades
