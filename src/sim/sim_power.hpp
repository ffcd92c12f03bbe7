// PowerCaps of a simulated machine. A new one, as a new worker makes it, gives back all power.
#pragma once

#include <string>
#include <vector>

#include "core/ports.hpp"
#include "sim/sim_machine.hpp"

namespace hyades {

class SimPower : public PowerCaps {
 public:
  explicit SimPower(SimMachine& machine) : machine_(machine) {}

  void start_anew() {
    for (std::size_t zone = 0; zone < zones().size(); ++zone) machine_.set_power(zone, 100);
  }

  const std::vector<PowerZone>& zones() const override { return machine_.zones(); }
  void set(std::size_t zone, int percent) override { machine_.set_power(zone, percent); }
  std::string fixed() const override { return ""; }
  std::string withheld() const override { return ""; }

 private:
  SimMachine& machine_;
};

}  // namespace hyades
