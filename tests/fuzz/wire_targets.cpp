// Targets for what comes over the wire.
#include "core/assert.hpp"
#include "fuzz_targets.hpp"
#include "wire/client_session.hpp"
#include "wire/codec.hpp"
#include "wire_samples.hpp"

namespace hyades::fuzz {

void fuzz_node_message(std::string_view bytes) {
  Message message;
  std::string error;
  if (!decode(bytes, message, error)) {
    HYADES_ASSERT(!error.empty());
    return;
  }
  if (const auto* order = std::get_if<LaunchOrder>(&message.body)) {
    static_cast<void>(order->own_share().node.size());
  }
  // What was accepted is a value that can be sent on.
  Message again;
  HYADES_ASSERT(decode(encode(message), again, error));
  HYADES_ASSERT(encode(again) == encode(message));
}

void fuzz_request(std::string_view bytes) {
  pb::ClientRequest request;
  std::string error;
  if (!parse_request(bytes, request, error)) {
    HYADES_ASSERT(!error.empty());
    return;
  }
  if (!request.has_submit()) return;
  JobSpec spec;
  JobPayload payload;
  if (!from_pb(request.submit().spec(), spec, error) ||
      !from_pb(request.submit().payload(), payload, error)) {
    HYADES_ASSERT(!error.empty());
    return;
  }
  HYADES_ASSERT(spec.tasks >= 0 && spec.memory_per_cpu_mib >= 0);
  static_cast<void>(check_spec(spec));
  static_cast<void>(check_payload(payload));
}

void fuzz_client_stream(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto piece = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) + 1;
  bytes.remove_prefix(1);
  constexpr std::size_t kLengthMax = 100'000;
  ClientSession session(-1, 0, 0, 0);
  while (!bytes.empty()) {
    std::string_view body;
    std::string error;
    const std::string_view next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    const auto frame = session.take(next, kLengthMax, body, error);
    HYADES_ASSERT(session.buffered_bytes() <= kFrameHeaderBytes + kLengthMax + piece);
    HYADES_ASSERT((frame == ClientSession::Frame::Bad) == !error.empty());
    if (frame == ClientSession::Frame::Bad) return;
    if (frame == ClientSession::Frame::Complete) {
      fuzz_request(body);
      session.forget_frame();
    }
  }
}

}  // namespace hyades::fuzz
