// A node's side of the launch protocol, and its recovery table. Decides; the spool remembers and
// the spawner acts. Knows no clock, socket, file or process.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/core_lender.hpp"
#include "core/messages.hpp"
#include "core/ports.hpp"
#include "core/power_capper.hpp"

namespace hyades {

class Agent {
 public:
  struct Identity {
    std::string node;
    std::string boot_id;
    Inventory inventory;
    std::int64_t pid = 0;
    std::string address;  // where the other nodes reach it
  };

  // All of them must outlive the agent. Without `power` no cap is ever set.
  Agent(Identity identity, Spool& spool, Spawner& spawner, PowerCaps* power = nullptr);

  // A message from the master arrived.
  void receive(const Message& message, const Now& now);

  // The record of this launch changed or its lock was let go: look again.
  void record_changed(const LaunchKey& key, const Now& now);

  // Call at least every few hundred milliseconds: greetings, heartbeats, repeats.
  void tick(const Now& now);

  // For the master, unless it does not know this node at the moment. What it says of jobs is what
  // cores are lent by and power is capped by.
  void pass_on(TelemetryReport report, const Now& now);

  // What has to go to the master, in order. The caller sends all of it.
  std::vector<Message> take_outbox();

  bool welcomed() const { return welcomed_; }
  // Not "" after the master refused this worker: why. The worker should exit.
  const std::string& refusal() const { return refusal_; }
  // As the master's configuration has them, and the defaults before its welcome.
  const NodeSettings& settings() const { return settings_; }
  // Why nothing new should be started here, for the next heartbeats; "": no reason. Until it is
  // called the master goes on believing what it believed.
  void set_health(std::string health) {
    health_ = std::move(health);
    health_known_ = true;
  }
  // How far this node's clock is ahead of the master's (behind: negative), at the least: what the
  // time that messages take can explain is not counted. 0 before the first answer to a heartbeat.
  WallMs clock_off_ms() const { return clock_off_ms_; }
  int running() const;  // launches that have started and not ended, as far as the agent knows

 private:
  struct Launch {
    LaunchReport report;     // what the master was, or will be, told
    BootMs reported_ms = 0;  // when it was told last
    // A stop that came before the job had started is passed on as soon as it has.
    StopReason stop = StopReason::None;
    int stop_grace_s = 0;
  };

  void on(const Welcome& welcome, const Now& now);
  void on(const SayHello&, const Now& now);
  void on(const Renewal& renewal, const Now& now);
  void on(const LaunchOrder& order, const Now& now);
  void on(const QueryOrder& order, const Now& now);
  void on(const StopOrder& order, const Now& now);
  void on(const SignalOrder& order, const Now& now);
  void on(const RetireOrder& order, const Now& now);
  template <typename T>
  void on(const T&, const Now&) {}  // not for nodes

  void say_hello(const Now& now);
  void report(Launch& launch, const Now& now);
  // Tells the launches which cores they may use now, and the master, which says it to people.
  void lend(const std::vector<CoreLender::Change>& changes, const Now& now);
  void see_cores(const SpoolRecord& record, const Now& now);
  std::string fixed_power() const;
  std::string power_state() const;
  void cap_power(const Now& now);
  void add_own_components(TelemetryReport& report) const;
  void report_absent(const LaunchKey& key, std::string reason, bool node_fault = false);
  void make_absent(const LaunchKey& key, std::string reason);
  LaunchReport judge(const SpoolRecord& record);
  // Reads the record again; reports when the launch's state has changed or `always`.
  void refresh(const LaunchKey& key, const Now& now, bool always);
  template <typename T>
  void send(T body) {
    outbox_.push_back({epoch_, std::move(body)});
  }

  Identity identity_;
  Spool& spool_;
  Spawner& spawner_;
  Epoch epoch_ = 0;
  bool welcomed_ = false;
  bool greeted_ = false;
  std::string refusal_;
  NodeSettings settings_;
  std::string health_;
  bool health_known_ = false;
  WallMs clock_off_ms_ = 0;
  BootMs hello_ms_ = 0;
  BootMs heartbeat_ms_ = 0;
  BootMs rescan_ms_ = 0;
  std::map<LaunchKey, Launch> launches_;
  CoreLender lender_;
  PowerCaps* power_;
  PowerCapper capper_;
  int loan_changes_ = 0;  // since this worker began
  int cap_changes_ = 0;
  std::vector<Message> outbox_;
};

}  // namespace hyades
