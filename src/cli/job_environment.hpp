// --export: which variables a job gets from the environment of hsub.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// `what`: "" or "ALL": everything; "NONE": what a fresh login would have (HOME, USER, LOGNAME,
// SHELL, PATH, LANG, TZ where they are set; PATH is the system's); "NIL": nothing; otherwise a list
// of NAME and NAME=value, where a value may be quoted with '...' or "..." to hold commas: with ALL
// in it on top of everything, else on top of what NONE gives.
//
// Shell functions (BASH_FUNC_*) are never taken along. `environment` holds NAME=value entries. ""
// and `out` set (sorted, each name once), or a clause that says what is wrong.
std::string job_environment(const std::string& what, const std::vector<std::string>& environment,
                            std::vector<std::string>& out);

}  // namespace hyades
