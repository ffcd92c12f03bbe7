// What every chaos test does: a cluster, a load on it, and at the end the verdict.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checker.hpp"
#include "cluster.hpp"
#include "load.hpp"

namespace hyades::test {

// $HYADES_CHAOS_SEED, else a new one; printed, so that the run can be repeated.
unsigned choose_seed();
// $NAME as a number, else `otherwise`.
int number_from_environment(const char* name, int otherwise);

class ChaosRun {
 public:
  ChaosRun(ClusterOptions options, unsigned seed);
  // `load` without directories.
  ChaosRun(std::unique_ptr<Cluster> cluster, LoadOptions load);

  Cluster& cluster() { return *cluster_; }
  Load& load() { return load_; }

  void must_begin();
  // Ends the load, waits until every job has ended, takes the cluster down, and fails the test for
  // each promise that was broken.
  void must_end_well(const std::vector<Death>& deaths);

 private:
  bool all_ended();
  std::vector<std::string> records();
  std::vector<JobResult> results();
  void report(const Evidence& evidence) const;

  std::unique_ptr<Cluster> cluster_;
  std::string journals_;
  Load load_;
};

}  // namespace hyades::test
