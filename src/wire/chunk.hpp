// How node messages travel over MPI: in chunks small enough that MPI sends them eagerly. Private
// to the MPI link.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire/codec.hpp"

namespace hyades {

// The smallest eager limit of the transports in use is vader's, 4,096 bytes including MPI's own
// header. A larger chunk would need a rendezvous, which a dying peer can leave half done.
constexpr std::size_t kChunkBytes = 3'968;

struct ChunkHeader {
  std::uint32_t message_bytes = 0;  // of the whole message
  std::uint32_t first = 0;          // 1: the message begins here
};
constexpr std::size_t kChunkPayloadBytes = kChunkBytes - sizeof(ChunkHeader);

// Puts the chunks of one peer together again.
class ChunkAssembler {
 public:
  enum class Result { Partial, Complete, Malformed };

  // With Complete, `message` is valid until the next call.
  Result take(std::string_view chunk, std::string_view& message) {
    ChunkHeader header;
    if (chunk.size() < sizeof header) return reset();
    std::memcpy(&header, chunk.data(), sizeof header);
    chunk.remove_prefix(sizeof header);
    if (header.first != 0) {
      // The rest of an earlier message may never come: its sender had given us up meanwhile.
      parts_.clear();
      expected_ = header.message_bytes;
      if (expected_ > kNodeMessageBytesMax) return reset();
      if (chunk.size() == expected_) {
        expected_ = 0;
        message = chunk;
        return Result::Complete;
      }
    }
    if (expected_ == 0 || header.message_bytes != expected_ ||
        parts_.size() + chunk.size() > expected_) {
      return reset();
    }
    parts_.append(chunk);
    if (parts_.size() < expected_) return Result::Partial;
    expected_ = 0;
    message = parts_;
    return Result::Complete;
  }

 private:
  Result reset() {
    std::string().swap(parts_);
    expected_ = 0;
    return Result::Malformed;
  }

  std::string parts_;
  std::size_t expected_ = 0;  // 0: between messages
};

}  // namespace hyades
