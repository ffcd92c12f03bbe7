// The launcher process: receives orders on a socket, forks a shepherd for each start, and passes
// stops and signals on. Small on purpose, and trusting nothing but the spool: it parses an order's
// head only (launcher_order.hpp), the rest is the shepherd's. Answers to
// nothing but sweeps, and cores and power that it cannot set; the records tell.
#pragma once

#include <string>

#include "wire/unique_fd.hpp"
#include "worker/launcher_order.hpp"
#include "worker/power_limits.hpp"
#include "worker/surroundings.hpp"

namespace hyades {

class Launcher {
 public:
  // `orders`: a SOCK_SEQPACKET socket. The spool's directory need not exist before the first order.
  Launcher(UniqueFd orders, Surroundings surroundings);

  // Returns when the other end of the socket is closed: the worker is gone. Orders that came
  // before that are carried out; their records' locks have told everyone that they were coming.
  void run();

 private:
  bool receive();
  void on(const StartLaunch& start, UniqueFd record, UniqueFd body);
  void on(const SweepLaunch& sweep);
  void on(const SetCores& cores);
  void on(const SetPower& power);
  void answer(const std::string& datagram);
  void tell_shepherd(const LaunchKey& key, const ShepherdWord& word);

  UniqueFd orders_;
  Surroundings surroundings_;
  PowerLimits power_;
  std::string buffer_;
};

// What the launcher program does, in a process that LauncherHandle has started.
[[noreturn]] void launcher_main(const std::string& spool_directory);

}  // namespace hyades
