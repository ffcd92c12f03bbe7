#include "wire/frame.hpp"

namespace hyades {

namespace {

void put(std::uint64_t value, int bytes, char* out) {
  for (int i = 0; i < bytes; ++i) out[i] = static_cast<char>(value >> (8 * i));
}

std::uint32_t get(const char* in, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  }
  return value;
}

}  // namespace

void write_header(const FrameHeader& header, char* out) {
  put(kFrameMagic, 4, out);
  put(header.version, 2, out + 4);
  put(static_cast<std::uint16_t>(header.type), 2, out + 6);
  put(header.length, 4, out + 8);
  put(0, 4, out + 12);
}

FrameCheck read_header(const char* bytes, FrameType expected, std::size_t length_max,
                       FrameHeader& out) {
  if (get(bytes, 4) != kFrameMagic) return FrameCheck::NotHyades;
  // The version decides what everything behind it means.
  out.version = static_cast<std::uint16_t>(get(bytes + 4, 2));
  if (out.version != kProtocolVersion) return FrameCheck::OtherVersion;
  if (get(bytes + 6, 2) != static_cast<std::uint16_t>(expected)) return FrameCheck::NotHyades;
  if (get(bytes + 12, 4) != 0) return FrameCheck::NotHyades;
  out.type = expected;
  out.length = get(bytes + 8, 4);
  return out.length > length_max ? FrameCheck::TooLong : FrameCheck::Good;
}

std::string make_frame(FrameType type, std::string_view body) {
  std::string frame(kFrameHeaderBytes, '\0');
  write_header({kProtocolVersion, type, static_cast<std::uint32_t>(body.size())}, frame.data());
  return frame.append(body);
}

}  // namespace hyades
