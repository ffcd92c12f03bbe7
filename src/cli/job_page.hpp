// Everything about one job, node or queue, one "Key: value" line for each fact: hctl show.
#pragma once

#include <string>

#include "hyades.pb.h"

namespace hyades {

std::string job_page(const pb::JobInfo& job);
std::string node_page(const pb::NodeInfo& node);
std::string queue_page(const pb::QueueInfo& queue);

}  // namespace hyades
