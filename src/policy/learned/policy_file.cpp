#include "policy/learned/policy_file.hpp"

#include <stdexcept>

#include "file_io.hpp"

namespace hyades::learned {

using jobscripts::FileError;

std::string save_policy(const std::string& path, const PolicyNetwork& network, double margin,
                        std::map<std::string, std::string> facts) {
  for (auto& [name, value] : policy_facts(margin)) facts[name] = value;
  facts["encoder"] = to_string(network.encoder());
  facts["choices"] = choices_text(network.allowed());
  jobscripts::write_safetensors(path, network.weights(), facts);
  return sha256(read_policy_file(path));
}

PolicyModel load_policy(const std::string& path) {
  std::vector<NamedTensor> tensors;
  PolicyHeader header = parse_policy(read_policy_file(path), path, tensors);
  Encoder encoder{};
  if (!parse_encoder(header.facts["encoder"], encoder)) {
    throw FileError(path, "not a global policy of this version", policy_file_fix);
  }
  const std::optional<GlobalChoices> choices = choices_from(header.facts["choices"]);
  if (!choices) throw FileError(path, "its choices are not of this version", policy_file_fix);
  PolicyModel model{std::move(header), PolicyNetwork(encoder, 0)};
  model.network.allow(*choices);
  try {
    model.network.set_weights(tensors);
  } catch (const std::invalid_argument& wrong) {
    throw FileError(path, wrong.what(), policy_file_fix);
  }
  return model;
}

}  // namespace hyades::learned
