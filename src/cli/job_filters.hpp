// The filters that hstat, hcancel and hacct share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/master_client.hpp"
#include "hyades.pb.h"

namespace hyades {

// Adds --user, --me, --queue, --states, --name and --nodelist.
void add_job_filters(Command& command);

// What was given on the command line, with the words as job ids. `live` and `ended` are left as
// they are. Throws Failure for what makes no sense.
void read_job_filters(const Command& command, pb::ListJobs& out);

// The ids in the words of a command line. Throws Failure for a word that is none.
std::vector<std::uint64_t> read_job_ids(const Command& command,
                                        const std::vector<std::string>& words);

// Complains of jobs that were asked for by id and do not exist, and returns the exit code. With
// other filters than ids nothing is said: a job that is not shown may well exist.
int complain_of_missing(const Command& command, const pb::ListJobs& filters,
                        const pb::ClientReply& reply);

// Complains of queues in the filters that do not exist, and returns the exit code; of users that
// this host does not know it only speaks. Nothing is said of those that have jobs in `reply`.
int complain_of_unknown(const Command& command, MasterClient& master, const pb::ListJobs& filters,
                        const pb::ClientReply& reply);

// The name of the user who runs this, or the number when there is none.
std::string current_user();

// Some, or all, of the states that a filter names are final (or live).
bool names_final_state(const pb::ListJobs& filters);
bool names_live_state(const pb::ListJobs& filters);

}  // namespace hyades
