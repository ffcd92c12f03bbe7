// Giving up root for good, once MPI is up: MPI_Init itself needs the identity that mpirun has.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace hyades {

struct UserIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Nothing when there is no such user here.
std::optional<UserIdentity> find_user(const std::string& name);

// Becomes this user, with no other groups than its first, in this process alone; whatever was
// forked before stays root. Checks that there is no way back. Dies with its parent, as asked for
// before (the kernel forgets that when the user changes). Throws std::runtime_error when any of it
// cannot be: the process must end then.
void drop_privileges(const UserIdentity& user);

}  // namespace hyades
