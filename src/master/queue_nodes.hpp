// What the nodes that a queue may use now have, together.
#pragma once

#include <string>

#include "core/controller.hpp"
#include "policy/observation.hpp"

namespace hyades {

// Of QueueFacts those about nodes. A queue that is not known may use all of them.
QueueFacts queue_nodes(const Controller& controller, const std::string& queue);

}  // namespace hyades
