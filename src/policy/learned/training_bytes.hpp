// Parts of a training as bytes: for its checkpoint, and for the ranks that share its work. Little
// endian, of one build: whoever reads them checks first that they are whole (a sealed file) or
// comes from the same program (a rank). take... gives false where the bytes are none of these; what
// it was to fill is then not to be used.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "policy/learned/replay_memory.hpp"
#include "policy/plain_bytes.hpp"
#include "safetensors.hpp"

namespace hyades::learned {

void put_text(std::string& out, const std::string& text);
bool take_text(Taker& from, std::string& text);

void put_tensors(std::string& out, const std::vector<jobscripts::NamedTensor>& tensors);
bool take_tensors(Taker& from, std::vector<jobscripts::NamedTensor>& tensors);

// A state that several experiences share is written once, and shared again when it was read.
void put_experiences(std::string& out, std::span<const Experience> experiences);
bool take_experiences(Taker& from, std::vector<Experience>& experiences);

// As many values as there are, with their number in front.
template <typename T>
void put_list(std::string& out, const std::vector<T>& values) {
  put_value(out, static_cast<std::uint64_t>(values.size()));
  put(out, values.data(), values.size());
}
template <typename T>
bool take_list(Taker& from, std::vector<T>& values) {
  return from.take(values, ~std::size_t{0});
}

}  // namespace hyades::learned
