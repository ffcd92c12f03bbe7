// What a person should change, told from what a job asked for and used. Pure functions; any thread.
//
// The rules, with their margins:
//  - Less of anything is only suggested for a job that COMPLETED and ran for a minute or more: what
//    others used says little about what they need. What is certain is said of every job; what it
//    was busy with is said of those that ran for a minute, of such as broke or were stopped ten.
//  - Time: a quarter more than it took, at least 5 minutes, rounded up to 5 minutes (from an hour
//    on 15, from 12 hours on a whole hour); when that is less than three quarters of the limit,
//    when the run came within a tenth of it, or when there was none. TIMEOUT: half as much again,
//    or what its progress lets expect and a quarter more; unless it did nothing at its end.
//  - Cores: none when others were on them. As many as were busy, when that is at most three
//    quarters of them, and when no more were busy at times (for more than 5 % of the time). Less
//    time goes with fewer cores only when the course of the run is known. More, when more than it
//    asked for were busy.
//  - Memory: a fifth more than the peak, rounded up to 100 MiB (from 10 GiB on to 1 GiB); when that
//    is less than 70 % of what was asked for, or nothing was, and only when the peak is known to
//    count all processes. OUT_OF_MEMORY: twice the limit.
//  - GPUs that did nothing are to be left out.
//  - A job that runs and says how far it has come is warned of when it would end after its limit,
//    from 10 seconds on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/job_efficiency.hpp"
#include "core/resources.hpp"

namespace hyades {

enum class FindingKind { Notice, Problem };

struct Finding {
  std::string key;  // "cores_idle"; a promise of --json
  FindingKind kind = FindingKind::Notice;
  std::string what;    // a sentence
  std::string change;  // what to do about it, sentences; ""
};

// An option of hsub, or of a #HSUB line.
struct Directive {
  std::string option;  // "--time"
  std::string value;   // "0:45:00"

  std::string text() const { return option + "=" + value; }
};

struct Advice {
  std::vector<Finding> findings;
  std::vector<Directive> directives;
  std::string no_directives;  // why there are none; "" when there are
};

Advice advise(const JobEfficiency& job);

// What to ask for on a node, when that is less than 70 % of what was asked for; else nothing.
std::optional<MiB> less_memory_mib(const JobEfficiency& job);

// "--time=0:45:00 --mem=1200M"
std::string directive_line(const Advice& advice);

}  // namespace hyades
