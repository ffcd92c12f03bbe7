#include "sealed_file.hpp"

#include <cstddef>
#include <cstdint>

#include "checksum.hpp"
#include "file_io.hpp"
#include "little_endian.hpp"

namespace hyades::jobscripts {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;
constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kHeaderBytes = kMagicBytes + 8;
constexpr std::size_t kChecksumBytes = 8;

}  // namespace

void write_sealed_file(const std::string& path, const FileKind& kind, std::string_view payload) {
  std::string bytes(kind.magic);
  append_little_endian<std::uint64_t>(bytes, payload.size());
  bytes += payload;
  append_little_endian(bytes, fnv1a64(bytes));
  write_file_atomically(path, bytes);
}

std::string read_sealed_file(const std::string& path, const FileKind& kind) {
  std::string bytes = read_file(path, kMaxBytes, kind.fix);
  if (!bytes.starts_with(kind.magic.substr(0, bytes.size()))) {
    throw FileError(path, "not a " + kind.name + " (it begins with other bytes)", kind.fix);
  }
  constexpr std::size_t kEnvelope = kHeaderBytes + kChecksumBytes;
  const bool has_header = bytes.size() >= kHeaderBytes;
  const auto length = has_header ? read_little_endian<std::uint64_t>(bytes, kMagicBytes) : 0;
  // Compared this way round, because length + kEnvelope may overflow in a damaged file.
  if (bytes.size() < kEnvelope || length > bytes.size() - kEnvelope) {
    throw FileError(path, kind.name + " is truncated at " + std::to_string(bytes.size()) + " bytes",
                    kind.fix);
  }
  const std::size_t end = kHeaderBytes + length;
  if (bytes.size() != end + kChecksumBytes) {
    throw FileError(path, kind.name + " has bytes after its end", kind.fix);
  }
  if (fnv1a64(std::string_view(bytes).substr(0, end)) !=
      read_little_endian<std::uint64_t>(bytes, end)) {
    throw FileError(path, kind.name + " is corrupt: its checksum does not match", kind.fix);
  }
  bytes.resize(end);
  bytes.erase(0, kHeaderBytes);
  return bytes;
}

}  // namespace hyades::jobscripts
