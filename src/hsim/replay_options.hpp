// The options that say what is replayed, shared by the commands of hsim.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "core/queue_order.hpp"
#include "hsim/what_if.hpp"
#include "trace/swf_reader.hpp"

namespace hyades {

// The option's value, or what holds when it is not given. Ends the command, with a sentence, when
// it is not a whole number within the bounds.
int whole_number(const Command& command, const char* option, int missing, int least,
                 int most = trace_procs_max);

void add_window_options(Command& command);  // --start, --jobs, --procs

// The window of the log that the command line names, read and cleaned; what was cleaned up goes to
// stderr. Throws Failure.
NamedLog read_window(const Command& command, const std::string& path);

// The whole log, read and cleaned likewise. Throws Failure.
Workload read_log(const Command& command, const std::string& path);

// One of the words, or a usage error that names them and the nearest.
RunTimes run_times_named(const Command& command, const std::string& word,
                         const char* option = "run-times");
QueueOrder order_named(const Command& command, const std::string& word,
                       const char* option = "policy");
Backfill backfill_named(const Command& command, const std::string& word,
                        const char* option = "backfill");

}  // namespace hyades
