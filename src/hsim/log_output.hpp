// Where the commands that make logs put them, and what they say of them.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "trace/clean_ups.hpp"
#include "trace/workload.hpp"

namespace hyades {

// Adds --output.
void add_log_output(Command& command);

// Ends the command when --json has no place to go (standard output is the log's), or the log would
// be written over what it is made of.
void check_log_output(const Command& command);

// Writes the log to where --output says and a summary beside it: a sentence on stderr, or with
// --json the same facts as JSON on standard output.
void put_log(const Command& command, const Workload& workload, const std::string& text,
             const CleanUps& clean_ups);

// Before long work: ends the command when a file that it is to write is one that it reads, or
// another one that it writes; throws Failure when one cannot be written. "" and "-" are no files.
void check_outputs(const Command& command, const std::vector<std::string>& outputs,
                   const std::vector<std::string>& inputs);

// Puts a page or a picture into a file. Throws Failure.
void write_text(const std::string& path, const std::string& text);

// What was left out or mended, by the words of CleanUps.
Json clean_ups_json(const CleanUps& clean_ups);

// One line on stderr for each kind of thing that was left out or mended, and for broken lines.
void say_clean_ups(const Command& command, const std::string& log, const CleanUps& clean_ups);

}  // namespace hyades
