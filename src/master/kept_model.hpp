// Where the master keeps a model of the learned policy that was given to it.
#pragma once

#include <string>

namespace hyades {

inline std::string kept_model_file(const std::string& state_directory, const std::string& digest) {
  return state_directory + "/models/" + digest + ".safetensors";
}

}  // namespace hyades
