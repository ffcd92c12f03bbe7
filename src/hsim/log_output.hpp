// Where the commands that make logs put them, and what they say of them.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "trace/clean_ups.hpp"
#include "trace/workload.hpp"

namespace hyades {

// Adds --output.
void add_log_output(Command& command);

// Ends the command when --json has no place to go: standard output is the log's.
void check_log_output(const Command& command);

// Writes the log to where --output says and a summary beside it: a sentence on stderr, or with
// --json the same facts as JSON on standard output.
void put_log(const Command& command, const Workload& workload, const std::string& text,
             const CleanUps& clean_ups);

// Puts a page or a picture into a file. Throws Failure.
void write_text(const std::string& path, const std::string& text);

// One line on stderr for each kind of thing that was left out or mended, and for broken lines.
void say_clean_ups(const Command& command, const std::string& log, const CleanUps& clean_ups);

}  // namespace hyades
