// A worker rank: carries messages between the master and this node's agent, and tells the agent
// when its spool changes. All decisions are the agent's.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "core/resources.hpp"
#include "wire/mpi_link.hpp"
#include "worker/launcher_handle.hpp"
#include "worker/sampler_handle.hpp"

namespace hyades {

struct WorkerOptions {
  std::string node;             // this node's name
  std::string address;          // where other nodes reach it
  std::string spool_directory;  // <spool directory>/<node>
  std::string state_directory;
  int nodes_on_this_host = 1;  // more than one: virtual nodes that share it
};

// Runs until `stop` is set (0), or the worker cannot go on (1): refused by the master, launcher
// gone; the reason is logged. Throws when the spool cannot be used. Calls `serving` once the node's
// spool is its own, so that a worker that came second is never taken for the node's.
int run_worker(const WorkerOptions& options, MpiLink& link, LauncherHandle& launcher,
               SamplerHandle& sampler, const std::function<void()>& serving,
               const std::atomic<bool>& stop);

}  // namespace hyades
