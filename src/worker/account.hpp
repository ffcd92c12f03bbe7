// A job's user on this node: whether there is one by that name and number, and becoming it for
// good.
#pragma once

#include <cstdint>
#include <string>

#include "worker/launch_record.hpp"

namespace hyades {

// Why a launcher that is root does not start a job as somebody.
enum class AccountTrouble {
  None,
  Root,        // root's jobs are not wanted
  SystemUser,  // below the lowest uid
  Unknown,     // the node has no such uid
  OtherName,   // the uid has another name here
  NotInGroup,  // the user is not in the group
  NoShell,     // the account is not one for logging in
};

// Looks the user up, which may take as long as the site's directory service does. For a launcher
// that is not root there is nothing to check.
AccountTrouble check_account(const LaunchRecord& launch);
// The part of it that needs no looking up.
AccountTrouble check_uid(const LaunchRecord& launch);

std::string describe(AccountTrouble trouble, const LaunchRecord& launch);
// True when the node's own list of users is wrong, as far as one can tell.
bool is_node_fault(AccountTrouble trouble);

// Gives up everything that the user does not have: groups, ids, capabilities; and, if the launch
// says so, what setuid programs would give back. Looks afterwards whether it is really gone. False:
// errno says why, and the process must not go on. Nothing happens when the launcher is not root and
// the user is its own.
bool become_user(const LaunchRecord& launch);

}  // namespace hyades
