// <state directory>/run: which processes make up the cluster right now, so that a supervisor that
// comes later can adopt them and `hyades status` can name them. Notes only: whether a process
// still lives is always asked of the kernel.
//
// A note that cannot be understood, or is from before the machine was started, counts as absent.
// Notes are overwritten and never removed, so that whoever has reserved them can write them on a
// full disk, too.
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

  // Makes blank notes for the world and the ranks 0..nodes where there are none. Throws
  // std::runtime_error; after success the writes of these notes need no more space.
  void reserve(int nodes) const;

  void write_rank(const RankNote& note) const;  // throws std::runtime_error; so do the others
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
  void blank(const std::string& name) const;
  std::optional<std::string> read(const std::string& name) const;
  std::vector<std::string> names() const;

  std::string directory_;
};

}  // namespace hyades
