// Shares of time on each kind of device that are best for all jobs together, as Gavel's policies
// have them (Narayanan et al., OSDI'20, section 4): a linear program over kinds of work.
#pragma once

#include <cstddef>
#include <vector>

namespace hyades {

// Jobs that are alike.
struct ShareClass {
  double jobs = 1;
  int workers = 1;            // devices of each
  std::vector<double> rates;  // of one of them, by kind of device; 0: not there
  double steps = 1;           // that are left, of all of them together
};

struct ShareProblem {
  std::vector<double> devices;  // of each kind
  std::vector<ShareClass> classes;
};

struct Shares {
  // By class, by kind: the part of its time that one of its jobs runs there.
  std::vector<std::vector<double>> of;
  // By kind: what one more of such devices is worth, in what is maximised.
  std::vector<double> prices;

  // Steps a second of one job of the class.
  double speed(const ShareProblem& problem, std::size_t of_class) const;
};

// The most work, each kind of it measured by its speed on the kind where it is fastest.
Shares most_throughput(const ShareProblem& problem);
// What finishes all steps first. A job is where it costs least by run time and price.
Shares least_makespan(const ShareProblem& problem);
// The job that gets least, beside equal shares of all devices, gets as much as possible; then the
// most work.
Shares max_min_fair(const ShareProblem& problem);

}  // namespace hyades
