// What the supervisor knows of a cluster's hosts, and when it acts on it: which of them to probe,
// which belong into a world, and when the running world is worth re-forming for those that came.
// Decides only: it starts no process, and time is a parameter. One thread.
//
// A world is re-formed for a host at most every 30 s, unless somebody has asked: each time, every
// node is silent for a second. Jobs do not notice.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "master/host_probe.hpp"
#include "master/hostfile.hpp"

namespace hyades {

class HostTable {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  struct Host {
    HostEntry entry;
    bool member = false;     // of the running world
    bool heard = false;      // the master hears it
    std::string machine;     // as in ProbeResult, of its last good answer
    bool ready = false;      // has answered its last probe and is not heard: can be started
    bool probing = false;    // an answer is due
    std::string why;         // neither heard nor ready: why
    Time next_probe;         // when it is not heard; in the past: as soon as possible
    Duration pause{0};       // between its probes
    Time served_since{};     // a silent member whose worker lives: since when that is known
    bool probed = false;     // at least once
    bool was_heard = false;  // in this world
    int in_vain = 0;         // worlds in a row in which it never was, or that failed by its fault
    Time barred_until{};     // it is left out until then
  };

  explicit HostTable(std::vector<HostEntry> entries);

  const std::vector<Host>& hosts() const { return hosts_; }
  const Host* find(const std::string& name) const;

  // ---- what has happened
  // A probe was begun, or has ended.
  void probing(const std::string& name);
  void answered(const std::string& name, const ProbeResult& result, Time now);
  // An earlier supervisor has found out that the host is this machine.
  void on_machine(const std::string& name, const std::string& machine);
  // A world of these was formed. `planned`: for the sake of hosts that came.
  void formed(const std::vector<std::string>& members, bool planned, Time now);
  void ended(Time now);
  // A world could not be formed because of this host: the next ones are tried without it, for
  // ever longer.
  void blame(const std::string& name, const std::string& why, Time now);
  // What was known of who can be started turned out wrong: all have to be asked again.
  void forget_answers(Time now);
  // The master hears exactly these.
  void heard(const std::set<std::string>& names, Time now);
  // Somebody wants these back ("": all that are missing) as soon as can be. The names that are
  // unknown are returned and ignored.
  std::vector<std::string> ask_back(const std::vector<std::string>& names, Time now);

  // ---- what to do
  std::vector<std::string> due(Time now) const;  // to be probed
  bool worth_reforming(Time now) const;
  // Nothing is to be waited for any more of what was asked for; the wish is then forgotten.
  bool wish_settled(Time now);
  // Whom a world that is formed now is made of, in the order of the host file.
  std::vector<std::string> candidates(Time now) const;
  // Hosts whose answer is still missing.
  bool any_probing() const;
  // A word for people: "in the world", ...
  static std::string state_of(const Host& host);

 private:
  Host* get(const std::string& name);
  bool wants_in(const Host& host, Time now) const;
  // One machine under two names would offer its cores twice: only one of them may be ready.
  void refuse_twins();

  std::vector<Host> hosts_;
  bool world_ = false;
  Time formed_{};
  Time planned_{};  // the last planned re-forming
  bool any_planned_ = false;
  bool asked_ = false;
};

}  // namespace hyades
