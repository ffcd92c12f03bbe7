// The page of a study of devices. Pure functions; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hsim/device_study.hpp"

namespace hyades {

std::string device_markdown(const std::vector<std::pair<std::string, std::string>>& facts,
                            const DeviceStudy& study, const ThroughputTable& table,
                            const std::vector<DeviceRow>& rows);

}  // namespace hyades
