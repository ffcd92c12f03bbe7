#include "master/model_glance.hpp"

#include <sys/stat.h>

#include "policy/learned/policy_header.hpp"

namespace hyades {

ModelGlance::State ModelGlance::state_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size),
          status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec};
}

const ModelGlance::Seen& ModelGlance::look(const std::string& path) {
  const State state = state_of(path);
  const auto known = seen_.find(path);
  if (known != seen_.end() && known->second.first == state) return known->second.second;
  Seen seen;
  try {
    std::vector<jobscripts::NamedTensor> weights;
    const std::string bytes = learned::read_policy_file(path);
    learned::PolicyHeader header = learned::parse_policy(bytes, path, weights);
    seen = {std::move(header.digest), std::move(header.facts), ""};
  } catch (const std::exception& error) {
    seen.problem = error.what();
  }
  return (seen_[path] = {state, std::move(seen)}).second;
}

}  // namespace hyades
