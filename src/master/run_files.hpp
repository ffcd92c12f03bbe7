// <state directory>/run: which processes make up the cluster right now, so that a supervisor that
// comes later can adopt them and `hyades status` can name them. Notes only: whether a process
// still lives is always asked of the kernel.
//
// A note that cannot be understood, or is from before the machine was started, counts as absent.
// Notes are overwritten and never removed, so that whoever has reserved them can write them on a
// full disk, too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "master/process_identity.hpp"
#include "master/remote_words.hpp"

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
  int nodes = 0;       // without the master
  std::string config;  // path of the configuration, or ""
  bool hosts = false;  // of `hyades up --hostfile`; else virtual nodes
};

// What the supervisor knows of the machines of `hyades up --hostfile`.
struct HostsNote {
  struct Host {
    std::string name;
    std::string address;
    std::string state;  // HostTable::state_of
    std::string why;
    bool member = false;
    std::int64_t next_probe_ms = 0;  // wall clock; 0: none is due
    std::string machine;             // as in ProbeResult
  };
  RemotePlace place;
  std::vector<Host> hosts;
};

// Somebody's wish that these nodes (none: all that are missing) come back now.
struct RejoinRequest {
  std::string id;
  std::vector<std::string> nodes;
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
  // There are notes of ranks, and the caller may not read them: they are their user's and root's.
  bool ranks_hidden() const;

  void write_world(const WorldNote& note) const;
  std::optional<WorldNote> world() const;
  void clear_world() const;

  // Why the last world gave up; "" after a master has started well.
  void write_failure(const std::string& reason) const;
  // The same, from the rank of `node` ("": the master). Nothing is written while another process
  // serves that node: then ours was an intruder, whose failure is not the cluster's.
  void write_failure_of(const std::string& node, const std::string& reason) const;
  std::string failure() const;

  void write_hosts(const HostsNote& note) const;
  std::optional<HostsNote> hosts() const;
  void clear_hosts() const;

  // Which nodes the master of the running world hears; nothing before it has said so.
  void write_heard(const std::set<std::string>& nodes) const;
  std::optional<std::set<std::string>> heard() const;
  void clear_heard() const;

  void write_rejoin(const RejoinRequest& request) const;
  std::optional<RejoinRequest> take_rejoin() const;  // and removes it
  void write_rejoin_answer(const std::string& id, const std::string& text) const;
  std::optional<std::string> rejoin_answer(const std::string& id) const;

  // The file that who supervises the directory holds locked. Throws std::runtime_error.
  UniqueFd open_lock() const;

  const std::string& directory() const { return directory_; }

 private:
  class Held;

  void write(const std::string& name, const std::string& text) const;
  void blank(const std::string& name) const;
  std::optional<std::string> read(const std::string& name) const;
  std::vector<std::string> names() const;

  std::string directory_;
};

}  // namespace hyades
