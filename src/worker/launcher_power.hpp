// Caps that the node's launcher sets, which has the right to when the worker has given it up, and
// gives all power back when the worker is gone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/ports.hpp"
#include "worker/launcher_handle.hpp"

namespace hyades {

class LauncherPower final : public PowerCaps {
 public:
  // `why_not`: why there is none; `launcher` must outlive this.
  LauncherPower(std::vector<PowerZone> zones, std::string why_not, LauncherHandle& launcher)
      : zones_(std::move(zones)), why_not_(std::move(why_not)), launcher_(launcher) {}

  const std::vector<PowerZone>& zones() const override { return zones_; }
  void set(std::size_t zone, int percent) override {
    launcher_.send(SetPower{zones_.at(zone).number, percent}, UniqueFd());
  }
  std::string fixed() const override {
    if (zones_.empty()) return why_not_;
    const std::string& trouble = launcher_.power_trouble();
    return trouble.empty() ? "" : trouble + "; not tried again before its worker starts anew";
  }
  std::string withheld() const override { return launcher_.power_withheld(); }

 private:
  std::vector<PowerZone> zones_;
  std::string why_not_;
  LauncherHandle& launcher_;
};

}  // namespace hyades
