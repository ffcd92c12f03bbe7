#include "safetensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "checksum.hpp"
#include "file_io.hpp"
#include "little_endian.hpp"

namespace hyades::jobscripts {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30U;
constexpr std::size_t kMaxHeaderBytes = std::size_t{1} << 20U;
constexpr std::size_t kLengthBytes = 8;
constexpr int kMaxDepth = 8;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksum = "checksum";
constexpr const char* kFix = "Write it again with train_cnn --model";

/// One file being read: its data block, and how to say what is wrong with it.
struct Reader {
  const std::string& path;
  const std::string& fix;
  std::string_view data;

  [[noreturn]] void fail(const std::string& problem) const { throw FileError(path, problem, fix); }
  NamedTensor tensor(const std::string& name, const Json& entry, std::uint64_t expected) const;
  std::uint64_t values_in(const std::string& name, const Json& entry, NamedTensor& tensor) const;
};

Json parse_header(const std::string& path, std::string_view bytes, const std::string& fix) {
  if (bytes.size() < kLengthBytes) {
    throw FileError(path, "truncated: no safetensors header length", fix);
  }
  const auto length = read_little_endian<std::uint64_t>(bytes, 0);
  if (length > kMaxHeaderBytes) {
    throw FileError(path,
                    "not a safetensors file: header of " + std::to_string(length) +
                        " bytes, more than " + std::to_string(kMaxHeaderBytes),
                    fix);
  }
  if (length > bytes.size() - kLengthBytes) {
    throw FileError(path, "truncated inside its safetensors header", fix);
  }
  // A real header is three levels deep. Copying a value that is very deep ends the stack.
  const auto refuse_depth = [&](int depth, Json::parse_event_t, const Json&) {
    if (depth > kMaxDepth) throw FileError(path, "safetensors header is nested too deep", fix);
    return true;
  };
  const Json header = Json::parse(bytes.substr(kLengthBytes, length), refuse_depth, false);
  if (!header.is_object()) throw FileError(path, "safetensors header is not a JSON object", fix);
  return header;
}

/// Stores the shape and gives the number of values, which may not overflow.
std::uint64_t Reader::values_in(const std::string& name, const Json& entry,
                                NamedTensor& tensor) const {
  const auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array()) fail("tensor '" + name + "' has no shape");
  std::uint64_t count = 1;
  for (const Json& dimension : *shape) {
    if (!dimension.is_number_unsigned()) {
      fail("tensor '" + name + "' has a dimension that is not a whole number >= 0");
    }
    const auto extent = dimension.get<std::uint64_t>();
    if (extent > kMaxFileBytes || __builtin_mul_overflow(count, extent, &count)) {
      fail("tensor '" + name + "' has a shape larger than any file");
    }
    tensor.shape.push_back(static_cast<std::int64_t>(extent));
  }
  // Compared before it is multiplied by four, which could overflow.
  if (count > data.size() / sizeof(float)) {
    fail("tensor '" + name + "' has more values than the file: it is truncated or corrupt");
  }
  return count;
}

/// `expected` is where the values must begin: the format allows neither holes nor overlaps.
NamedTensor Reader::tensor(const std::string& name, const Json& entry,
                           std::uint64_t expected) const {
  NamedTensor tensor{name, {}, {}};
  if (entry.value("dtype", Json()) != "F32") fail("tensor '" + name + "' is not of type F32");
  const std::uint64_t count = values_in(name, entry, tensor);
  const auto& offsets = entry.at("data_offsets");
  const auto begin = offsets[0].get<std::uint64_t>();
  const auto end = offsets[1].get<std::uint64_t>();
  if (end > data.size() || begin > end) {
    fail("tensor '" + name + "' lies outside the file: it is truncated or corrupt");
  }
  if (begin != expected) fail("tensor '" + name + "' overlaps another one or leaves a hole");
  if (end - begin != count * sizeof(float)) {
    fail("tensor '" + name + "' has a shape that does not match its data");
  }
  tensor.values.reserve(count);
  for (std::uint64_t at = begin; at < end; at += sizeof(float)) {
    tensor.values.push_back(read_little_endian<float>(data, at));
    // One NaN weight makes every answer NaN, silently.
    if (!std::isfinite(tensor.values.back())) fail("tensor '" + name + "' has a value not finite");
  }
  return tensor;
}

/// The tensors' entries, ordered by where their values begin.
std::vector<std::pair<std::string, Json>> entries_by_offset(const Reader& reader,
                                                            const Json& header) {
  std::vector<std::pair<std::string, Json>> entries;
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) continue;
    const Json offsets = entry.is_object() ? entry.value("data_offsets", Json()) : Json();
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      reader.fail("tensor '" + name + "' has no valid data_offsets");
    }
    entries.emplace_back(name, entry);
  }
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second["data_offsets"] < b.second["data_offsets"];
  });
  return entries;
}

/// Of all that is in the file but the checksum itself, however its header is spaced.
std::string checksum_text(Json header, std::string_view data) {
  if (header.contains(kMetadata)) header[kMetadata].erase(kChecksum);
  return "fnv1a64:" + std::to_string(fnv1a64(header.dump() + std::string(data)));
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  std::string data;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t begin = data.size();
    for (const float value : tensor.values) append_little_endian(data, value);
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  header[kMetadata] = metadata;
  header[kMetadata][kChecksum] = checksum_text(header, data);
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the values begin aligned, for readers that mmap
  std::string bytes;
  append_little_endian<std::uint64_t>(bytes, text.size());
  write_file_atomically(path, bytes + text + data);
}

std::vector<NamedTensor> read_safetensors(const std::string& path) {
  return read_safetensors_file(path, kFix, kMaxFileBytes).tensors;
}

Safetensors read_safetensors_file(const std::string& path, const std::string& fix,
                                  std::size_t most_bytes) {
  return parse_safetensors(read_file(path, most_bytes, fix), path, fix);
}

Safetensors parse_safetensors(const std::string& bytes, const std::string& path,
                              const std::string& fix) {
  const Json header = parse_header(path, bytes, fix);
  const auto length = read_little_endian<std::uint64_t>(bytes, 0);
  const Reader reader{path, fix, std::string_view(bytes).substr(kLengthBytes + length)};
  Safetensors file;
  std::uint64_t end = 0;
  for (const auto& [name, entry] : entries_by_offset(reader, header)) {
    file.tensors.push_back(reader.tensor(name, entry, end));
    end = entry["data_offsets"][1].get<std::uint64_t>();
  }
  if (end != reader.data.size()) reader.fail("bytes after the last tensor");
  const Json metadata = header.value(kMetadata, Json::object());
  // Files of other programs carry no checksum; where there is one it must match.
  if (metadata.is_object() && metadata.contains(kChecksum) &&
      metadata[kChecksum] != checksum_text(header, reader.data)) {
    reader.fail("corrupt: its checksum does not match");
  }
  for (const auto& [name, value] : metadata.items()) {
    if (value.is_string()) file.metadata[name] = value.get<std::string>();
  }
  return file;
}

}  // namespace hyades::jobscripts
