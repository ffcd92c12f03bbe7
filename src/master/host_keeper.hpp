// The hosts of a cluster of several machines, for its supervisor: probes them in the background,
// reads whom the master hears and what people ask for, leaves a note of it all for `hyades status`,
// and says when the world should be formed anew. HostTable decides, this one carries out.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "master/host_table.hpp"
#include "master/run_files.hpp"
#include "master/supervisor_options.hpp"

namespace hyades {

class HostKeeper {
 public:
  using Clock = std::chrono::steady_clock;

  // `shared_memory` as in WorldPlan.
  HostKeeper(const SupervisorOptions& options, RunFiles files, const std::string& shared_memory);

  // Asks every host of which it is not known whether it can be started, and waits for the answers;
  // `stop` ends the waiting.
  void gather(const std::atomic<bool>& stop);
  // Whom a world is to be formed of now.
  std::vector<std::string> members() const { return table_.candidates(Clock::now()); }

  // A world was started.
  void formed(const std::vector<std::string>& members, bool planned);
  // The world of an earlier supervisor, which has left this note, is ours now.
  void adopted(const HostsNote& note);
  // A world that runs does not come up: asks its members which of them is to blame.
  void find_culprits(const std::atomic<bool>& stop);
  // It has ended. `well`: its master had come up. `failures` as in RemotePlace.
  void ended(bool well, const std::string& failures);
  // How many hosts are to blame for worlds that did not come up.
  std::size_t left_out() const;

  // Call it every few hundred milliseconds while a world runs. True: form it anew, for hosts that
  // can join.
  bool tend();

 private:
  void start_probes();
  void collect_probes();
  void blame(const std::string& name, const std::string& why);
  void read_heard();
  void take_wishes();
  void answer_wish();
  void note();

  const SupervisorOptions options_;
  RunFiles files_;
  RemotePlace place_;
  HostTable table_;
  std::map<std::string, std::unique_ptr<BackgroundCommand>> probes_;
  std::set<std::string> wished_;  // requests, by id, that wait for an answer
  std::string complaint_;         // about names that nobody knows
  std::string noted_;             // what the note says
};

// Ends the worker, and its orted, on every member that the note names, and waits for that, a few
// seconds at most. Returns the hosts that could not be reached, with the reason. Jobs run on.
std::vector<std::string> end_hosts(const HostsNote& note);

}  // namespace hyades
