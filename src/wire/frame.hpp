// The 16 bytes in front of every request and reply on a client socket; the layout is described at
// the top of schema/hyades.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hyades {

// Raised with every change of schema/hyades.proto that an older program would misread.
constexpr std::uint16_t kProtocolVersion = 1;

constexpr std::uint32_t kFrameMagic = 0x44415948;  // "HYAD"
constexpr std::size_t kFrameHeaderBytes = 16;

enum class FrameType : std::uint16_t {
  Request = 1,
  Reply = 2,
  // On the network only.
  Hello = 3,
  Credential = 4,
  Proceed = 5,
};

// Both sides refuse longer bodies, the sender before it sends and the receiver before it allocates.
constexpr std::size_t kRequestBytesMax = 8u << 20;
constexpr std::size_t kReplyBytesMax = 64u << 20;

struct FrameHeader {
  std::uint16_t version = kProtocolVersion;
  FrameType type = FrameType::Request;
  std::uint32_t length = 0;
};

enum class FrameCheck {
  Good,
  NotHyades,     // other magic, reserved bytes in use, or a type that is not the expected one
  OtherVersion,  // `out` holds it
  TooLong,       // `out` holds the length
};

void write_header(const FrameHeader& header, char* out);  // kFrameHeaderBytes

// Header and body, ready to be sent.
std::string make_frame(FrameType type, std::string_view body);

// `bytes` holds at least kFrameHeaderBytes.
FrameCheck read_header(const char* bytes, FrameType expected, std::size_t length_max,
                       FrameHeader& out);

}  // namespace hyades
