// Cores that nobody holds, lent to a job that can use more than its own (docs/placement.md).
#pragma once

#include <string>

#include "core/id_set.hpp"
#include "core/time.hpp"

namespace hyades {

// What a launch may use on a node beyond its own cores, until somebody is given them.
struct CoreLoan {
  IdSet cores;      // empty: none, or none any more
  std::string why;  // as it is, for people; "": it was never otherwise than none

  friend bool operator==(const CoreLoan&, const CoreLoan&) = default;
};

// Of a job, as the master knows it.
struct NodeLoan {
  std::string node;
  CoreLoan loan;
  WallMs since_ms = 0;

  friend bool operator==(const NodeLoan&, const NodeLoan&) = default;
};

}  // namespace hyades
