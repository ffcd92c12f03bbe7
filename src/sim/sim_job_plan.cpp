#include "sim/sim_job_plan.hpp"

#include <sstream>

namespace hyades {

std::string SimJobPlan::to_script() const {
  std::ostringstream text;
  text << "#!simulated\n" << run_ms << ' ' << exit_code << ' ' << signal << ' ' << on_term << '\n';
  return text.str();
}

SimJobPlan SimJobPlan::parse(const std::string& script) {
  SimJobPlan plan;
  std::istringstream text(script);
  std::string first;
  std::getline(text, first);
  text >> plan.run_ms >> plan.exit_code >> plan.signal >> plan.on_term;
  return plan;
}

}  // namespace hyades
