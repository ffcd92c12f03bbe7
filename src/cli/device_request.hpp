// --gres and --gpus-per-node: devices on each node.
#pragma once

#include <string>
#include <vector>

#include "core/resources.hpp"

namespace hyades {

// The type of a device ("a100") is a feature that the node must have.
struct DeviceRequest {
  std::vector<DeviceCount> devices;  // sorted by kind, each kind once
  std::vector<std::string> features;
};

// "gpu", "gpu:2", "gpu:a100:2", "gres/gpu:2", several with ','. "none" asks for nothing. Adds to
// `out`; "" or a clause that says what is wrong.
std::string parse_gres(const std::string& text, DeviceRequest& out);

// "2" or "a100:2": the form of --gpus, --gpus-per-node and --gpus-per-task.
std::string parse_gpu_count(const std::string& text, int& count, std::string& type);

}  // namespace hyades
