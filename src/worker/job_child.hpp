// The last stretch before the user's script runs: what a freshly forked child of a shepherd does,
// as the user wherever the user decides about a path.
#pragma once

#include "worker/child_word.hpp"
#include "worker/launch_record.hpp"
#include "worker/surroundings.hpp"

namespace hyades {

// Prepares everything, says Ready on `channel` (a SOCK_SEQPACKET socket), waits for one byte, and
// becomes the script; a companion becomes its step program, with a listening TCP socket as
// companion_socket_fd. When anything fails, or the other end is closed, the process ends.
// `record.pam_service`, if any, must open a session first; `pam_channel` is what leave_keeper()
// needs then.
// `group`: the control group that it is to be in; "": none. `shepherd_pid`: the parent; the child
// dies with it.
[[noreturn]] void run_job_child(const LaunchRecord& record, const std::string& group,
                                Surroundings& surroundings, int channel, int pam_channel,
                                int shepherd_pid);

constexpr int companion_socket_fd = 3;

}  // namespace hyades
