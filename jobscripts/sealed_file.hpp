#pragma once

#include <string>
#include <string_view>

namespace hyades::jobscripts {

/// What a file holds: eight bytes that begin it, what people call it and how to get a good one.
struct FileKind {
  std::string_view magic;
  std::string name;
  std::string fix;
};

/// The envelope of the data set and of the checkpoint, all numbers little-endian:
/// magic (8 bytes) | payload length (u64) | payload | FNV-1a of all before it (u64).
void write_sealed_file(const std::string& path, const FileKind& kind, std::string_view payload);

/// The payload. Throws FileError for a file that is truncated, changed or of another kind.
std::string read_sealed_file(const std::string& path, const FileKind& kind);

}  // namespace hyades::jobscripts
