// Nodes and queues as tables: what hinfo prints.
#pragma once

#include <vector>

#include "cli/table.hpp"
#include "hyades.pb.h"

namespace hyades {

using NodeList = std::vector<pb::NodeInfo>;
using QueueList = std::vector<pb::QueueInfo>;

// sinfo's columns: QUEUE AVAIL TIMELIMIT NODES STATE NODELIST, one line for each queue and state.
Table queue_summary(const QueueList& queues, const NodeList& nodes);

// One line for each node: what it has and what is free.
Table node_table(const NodeList& nodes);

// Why nodes are drained or down: REASON USER SINCE NODELIST; a node that is both has two lines.
Table drain_table(const NodeList& nodes);

// One line for each queue: its order and limits.
Table queue_limits(const QueueList& queues);

// "idle", or "idle*" when the node does not respond.
std::string node_state_text(const pb::NodeInfo& node);

}  // namespace hyades
