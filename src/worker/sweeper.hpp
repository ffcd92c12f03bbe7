// Finds and kills what a launch has left behind after its shepherd was killed. The kernel has
// killed the batch script with its shepherd then; this is for everything that the script started.
#pragma once

#include <optional>
#include <string>

#include "core/ids.hpp"
#include "worker/record_file.hpp"

namespace hyades {

struct Remains {
  std::string mark;                    // "HYADES_LAUNCH=..." in the environment
  std::optional<StartedLine> started;  // of the launch, if it is known
  // `started` was written by somebody less trusted than this process: no process of root's is
  // killed for its session alone.
  bool spare_root = false;
};

// What the launch's record says of it. False: it cannot be read, though it is there.
bool read_remains(const std::string& spool_directory, const LaunchKey& key,
                  const std::string& cluster_id, Remains& remains);

// Kills every process that this one may signal and that
//   - has the mark in its environment, or
//   - is in the launch's session (a session's number is not given out again while anyone is in it;
//     when its leader is gone, only members without a terminal that started later than the job
//     count), or
//   - descends from one of these.
// Repeats until it finds none, for `most_ms` at most. True: none is left. False: some are, or it
// could not look at all of them.
bool sweep_remains(const Remains& remains, int most_ms);

}  // namespace hyades
