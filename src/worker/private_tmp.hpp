// A directory of its own in /tmp for each launch that wants one: TMPDIR.
#pragma once

#include <string>

#include "worker/launch_record.hpp"

namespace hyades {

// Nobody can guess it, and so plant something there before.
std::string private_tmp_path(const LaunchKey& key);

// Makes it for the job's user alone; called before the caller becomes the user. False: errno says
// why.
bool make_private_tmp(const std::string& path, const LaunchRecord& launch);

// Removes it with all that is in it, as the user. Not waited for longer than `most_ms`.
void remove_private_tmp(const std::string& path, const LaunchRecord& launch, int most_ms);

}  // namespace hyades
