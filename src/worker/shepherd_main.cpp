#include "worker/shepherd_main.hpp"

#include <unistd.h>

#include "wire/failpoint_env.hpp"
#include "worker/root_jobs.hpp"
#include "worker/shepherd.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {

void shepherd_main(UniqueFd record, const std::string& encoded, Surroundings& surroundings) {
  install_failpoints_from_env("shepherd");
  LaunchRecord launch;
  if (decode(encoded, launch)) {
    launch.script_path = script_path(surroundings.spool_directory, launch.key);
    const bool is_roots = geteuid() == 0 && launch.uid == 0;
    if (geteuid() != 0) launch.pam_service.clear();  // only root can open sessions for others
    if (is_roots && !may_run_root_jobs(surroundings.worker_uid)) launch.allow_root = false;
    Shepherd(std::move(record), std::move(launch), surroundings).run();
  } else {
    // The job's fault, not the node's: each node would fail at the same order, and one job would
    // drain them all.
    Shepherd(std::move(record), LaunchRecord(), surroundings)
        .fail("the launch order could not be understood");
  }
  _exit(0);
}

}  // namespace hyades
