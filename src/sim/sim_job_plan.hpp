// What a simulated job will do. It travels inside the job's script, so that the whole way of a
// payload, from client to node, is part of the simulation.
#pragma once

#include <cstdint>
#include <string>

namespace hyades {

struct SimJobPlan {
  enum OnTerm { Dies, ExitsZero, Ignores };

  std::int64_t run_ms = 1000;
  int exit_code = 0;
  int signal = 0;
  int on_term = Dies;

  std::string to_script() const;
  static SimJobPlan parse(const std::string& script);
};

}  // namespace hyades
