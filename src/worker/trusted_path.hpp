// Whether only root, or the user as whom this process runs, can change what is found under a path.
#pragma once

#include <string>

namespace hyades {

// Looks at every directory on the way as well. A directory that others may write to is accepted
// only if it is sticky, so that they cannot rename what is ours in it (like /tmp), and never as the
// last one. Returns "" or a sentence that names the place and what to do. `path`: absolute, without
// "." and "..".
std::string distrust(const std::string& path);

}  // namespace hyades
