// What all launches of one launcher share.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "worker/containment.hpp"

namespace hyades {

struct Surroundings {
  std::string spool_directory;
  Containment containment;
  // What the launcher's oom_score_adj was before it made itself a poor victim: a job's. Nothing
  // when it could not.
  std::optional<std::string> usual_oom_score;
  uid_t worker_uid = static_cast<uid_t>(-1);  // of whoever gave the order at hand
};

}  // namespace hyades
