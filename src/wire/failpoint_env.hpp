// Sudden deaths on demand, for tests that kill Hyades at chosen places. Only in code built with
// HYADES_TEST_HOOKS; elsewhere install_failpoints_from_env does nothing.
//
// HYADES_FAILPOINT      "[role/]name:action[:nth]", several separated by commas. action: kill
//                       (SIGKILL), stop (SIGSTOP), count (only log). It strikes when the failpoint
//                       is passed for the nth time (default 1) in this process, once. With a role
//                       only in processes that gave that role.
// HYADES_FAILPOINT_LOG  a file: "name pid\n" is appended when a process passes a failpoint for
//                       the first time, and "name pid action\n" right before one strikes.
// HYADES_FAILPOINT_ONCE a directory: an entry strikes in one process only, the first that creates
//                       the file "[role.]name" there. Without it every new process is struck
//                       again.
#pragma once

#include <string>

namespace hyades {

// `role` is this process's: "master", "worker", "launcher", "shepherd", "supervisor". Call again
// after a fork that changes the role; counts then start at 0. Exits with 2 and a message on stderr
// when HYADES_FAILPOINT is malformed.
void install_failpoints_from_env(const std::string& role);

}  // namespace hyades
