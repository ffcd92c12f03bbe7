// Jobs, nodes and queues as clients are shown them.
#pragma once

#include "core/controller.hpp"
#include "hyades.pb.h"
#include "master/sqlite_store.hpp"

namespace hyades {

// A job that has not ended, from the master's tables.
void fill_job_info(const Controller& controller, const Job& job, const Now& now, pb::JobInfo& out);

// What people call the state of a live job: its phase, unless a silent node or a clean-up that is
// not finished says more.
struct StateWords {
  std::string_view name;  // "UNKNOWN"
  std::string_view code;  // "?"
};
StateWords state_words(const Controller& controller, const Job& job);

// A job that has, from the store.
void fill_job_info(const StoredJob& job, pb::JobInfo& out);

void fill_node_info(const Controller& controller, const Node& node, const Now& now,
                    pb::NodeInfo& out);
void fill_queue_info(const Controller& controller, const QueueConfig& queue, bool is_default,
                     pb::QueueInfo& out);

// idle, mixed, allocated, drained, draining or down.
const char* node_state(const Node& node);

}  // namespace hyades
