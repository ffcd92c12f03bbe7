// The options that say what is replayed, shared by the commands of hsim.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "core/queue_order.hpp"
#include "hsim/what_if.hpp"

namespace hyades {

void add_window_options(Command& command);  // --start, --jobs, --procs

// The window of the log that the command line names, read and cleaned; what was cleaned up goes to
// stderr. Throws Failure.
NamedLog read_window(const Command& command, const std::string& path);

// The whole log, read and cleaned likewise. Throws Failure.
Workload read_log(const Command& command, const std::string& path);

// One of the words, or a usage error that names them and the nearest.
QueueOrder order_named(const Command& command, const std::string& word);
Backfill backfill_named(const Command& command, const std::string& word);

}  // namespace hyades
