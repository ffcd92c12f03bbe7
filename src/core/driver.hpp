// One turn of the master: gather inputs, decide, commit, and only then answer and act.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/controller.hpp"
#include "core/ports.hpp"

namespace hyades {

class Driver {
 public:
  // All references must outlive the driver. The controller is rebuilt from `store`.
  Driver(std::shared_ptr<const ClusterConfig> config, Epoch epoch, Clock& clock, Store& store,
         Link& link, Door& door, Policy& policy, Fence& fence);

  // Who is given what nodes tell of themselves; nobody: it is thrown away. Must outlive the driver.
  void set_telemetry(TelemetrySink* sink) { telemetry_ = sink; }

  enum class Turn {
    Idle,     // nothing happened
    Worked,   // something was received, committed or sent
    Fatal,    // the store failed: exit, the supervisor starts a new master that replays
    Deposed,  // a newer master owns the cluster: exit
  };
  Turn turn();

  const Controller& controller() const { return *controller_; }
  // Not "" while the store has no space: submissions are refused, jobs run on.
  const std::string& degraded() const { return degraded_; }
  const std::string& fatal_reason() const { return fatal_; }
  // Why the last order that could not be sent was not, for the log; "" if there was none.
  const std::string& trouble() const { return trouble_; }

 private:
  void rebuild();
  void take_telemetry();
  void take_request(const Request& request, const Now& now, Step& step);
  Turn commit_failed(CommitResult result, Step& step);
  void act(Step& step);
  void send(Outgoing& outgoing);

  std::shared_ptr<const ClusterConfig> config_;
  Epoch epoch_;
  Clock& clock_;
  Store& store_;
  Link& link_;
  Door& door_;
  Policy& policy_;
  Fence& fence_;
  TelemetrySink* telemetry_ = nullptr;
  std::vector<FenceResult> fenced_;
  std::unique_ptr<Controller> controller_;
  std::vector<Delivery> deliveries_;
  std::vector<Request> requests_;
  std::map<std::pair<std::uint32_t, std::string>, JobId> tokens_this_turn_;
  std::string degraded_;
  BootMs retry_store_ms_ = 0;
  std::string fatal_;
  std::string trouble_;
};

}  // namespace hyades
