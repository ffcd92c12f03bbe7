// What a fresh fork of the launcher becomes.
#pragma once

#include <string>

#include "wire/unique_fd.hpp"
#include "worker/surroundings.hpp"

namespace hyades {

// `record` as Shepherd's constructor wants it; `encoded` is a LaunchRecord.
[[noreturn]] void shepherd_main(UniqueFd record, const std::string& encoded,
                                Surroundings& surroundings);

}  // namespace hyades
