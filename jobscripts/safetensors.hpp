#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hyades::jobscripts {

struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;

  bool operator==(const NamedTensor&) const = default;
};

/// Weights in the safetensors layout: header length (u64) | JSON header | float32 values, all
/// little-endian. The format only holds numbers: reading a file from someone else runs nothing.
/// The header's metadata carries a checksum of all of it, and what else it is given.
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// The tensors in the order of their values in the file. Every length, shape and offset is
/// checked against the file's size before it is used. Throws FileError for a damaged file, for
/// types other than F32 and for values that are not finite.
std::vector<NamedTensor> read_safetensors(const std::string& path);

struct Safetensors {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// The same with what the header says of them. `fix`: how to get a good one, for messages.
Safetensors read_safetensors_file(const std::string& path, const std::string& fix,
                                  std::size_t most_bytes);

/// The same of bytes that were read already; `path` is for messages.
Safetensors parse_safetensors(const std::string& bytes, const std::string& path,
                              const std::string& fix);

}  // namespace hyades::jobscripts
