// A file of a model as far as it can be judged without the network: that it is one, for this
// portfolio and these observations, and what it says of how it was made. Needs no Torch; what must
// fit the network is policy_file.hpp's to check.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "safetensors.hpp"

namespace hyades::learned {

// Twice what the largest network takes.
constexpr std::size_t policy_file_most = std::size_t{4} << 20;
constexpr std::size_t policy_facts_most = std::size_t{64} << 10;  // bytes of names and values

// How to come by a good file, for messages.
constexpr const char* policy_file_fix = "Make one with htrain";

struct PolicyHeader {
  std::map<std::string, std::string> facts;  // how it was made, for people
  double margin = 0;                         // see chosen_action()
  std::string digest;                        // SHA-256 of the file, hexadecimal
};

// What stands in every file of this version, beside the encoder.
std::map<std::string, std::string> policy_facts(double margin);

std::string sha256(const std::string& bytes);

// These throw jobscripts::FileError, which names the file, what is wrong with it and what to do.
// Only a regular file is read; nobody waits for a pipe.
std::string read_policy_file(const std::string& path);
// `path` is for messages.
PolicyHeader parse_policy(const std::string& bytes, const std::string& path,
                          std::vector<jobscripts::NamedTensor>& tensors);

// Where the model that is installed lies, beside the program that runs.
std::string installed_policy_file();

}  // namespace hyades::learned
