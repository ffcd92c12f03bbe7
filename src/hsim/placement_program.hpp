// The linear part of a problem as one integer program over all jobs and places, for GLPK's glpsol:
//   minimise sum x c   so that  each job is at one place, no capacity is exceeded, x is 0 or 1
// Rows with weights cost nothing there: their costs are quadratic.
#pragma once

#include <string>

#include "policy/local_problem.hpp"

namespace hyades {

// In the CPLEX LP format; x7 is place 7 of all places.
std::string program_text(const LocalProblem& problem);

struct ProgramAnswer {
  enum class Status {
    Optimal,
    Limit,       // time was up; `choice` is the best that it had found
    None,        // time was up before it had found any, or there is none
    NoSolver,    // glpsol is not installed
    Unreadable,  // it failed
  };
  Status status = Status::Unreadable;
  LocalChoice choice;  // unless it is empty
  double wall_s = 0;   // of glpsol and of writing its file
};

// Of what glpsol has written with -w; all but the time.
ProgramAnswer read_answer(const LocalProblem& problem, const std::string& text);

bool has_solver();

// Runs glpsol in a temporary folder. Blocks, not much longer than that.
ProgramAnswer solve_program(const LocalProblem& problem, int limit_s);

}  // namespace hyades
