// [placement]: phase 2 of scheduling, where a job that starts goes (docs/placement.md).
#pragma once

namespace hyades {

struct PlacementSettings {
  bool enabled = true;
  // Weights against a second of run time.
  double contention = 1;       // of a second that is lost on shared memory bandwidth
  double transfer = 1;         // of a second that is lost between nodes
  double energy_s_per_kj = 0;  // what a kilojoule is worth; 0: energy does not count
  double balance = 0;          // spreads jobs over nodes; seconds lost by a node that is full
  // Work between two nodes of different groups takes this many times as long as in one.
  double far = 2;
  bool patient = true;   // jobs wait for faster nodes where they end earlier that way
  int jobs_most = 1000;  // starts of one pass that are looked at; others stay where they were

  friend bool operator==(const PlacementSettings&, const PlacementSettings&) = default;
};

}  // namespace hyades
