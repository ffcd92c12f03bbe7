// A model of the global policy in a file: the safetensors layout, numbers only. Files of any other
// kind, such as TorchScript archives and pickles, which are programs, are refused by how they
// begin.
#pragma once

#include <map>
#include <string>

#include "policy/learned/policy_header.hpp"
#include "policy/learned/policy_network.hpp"

namespace hyades::learned {

struct PolicyModel : PolicyHeader {
  PolicyNetwork network;
};

// Gives the digest. Throws jobscripts::FileError.
std::string save_policy(const std::string& path, const PolicyNetwork& network, double margin,
                        std::map<std::string, std::string> facts);
// Throws std::runtime_error, which names the file, what is wrong with it and what to do: it cannot
// be read, is damaged, of another kind, or of another portfolio or observation.
PolicyModel load_policy(const std::string& path);

}  // namespace hyades::learned
