// `hctl policy`: what the learned policy decided, and whether its model says so again.
#pragma once

#include "cli/command.hpp"
#include "cli/master_client.hpp"

namespace hyades {

pb::PolicyDecision ask_decision(MasterClient& client, std::uint64_t id);

void print_decisions(const Command& command, const pb::ClientReply& reply);
void print_decision(const Command& command, const pb::PolicyDecision& decision);

// Asks the model on this host what it was asked then. Exit code 1 when it answers another thing,
// or is another model. Throws Failure when it cannot be asked.
int replay_decision(const Command& command, const pb::PolicyDecision& decision);

}  // namespace hyades
