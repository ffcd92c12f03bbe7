// Targets for what hrun and step daemons read from each other, and for the step file.
#include "core/assert.hpp"
#include "fuzz_targets.hpp"
#include "step/step_file.hpp"
#include "step/step_frame.hpp"
#include "step/step_message.hpp"

namespace hyades::fuzz {

void fuzz_step_stream(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto piece = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]) / 2) + 1;
  StepFrameReader reader;
  // Both sides of the proofs.
  if ((static_cast<unsigned char>(bytes[0]) & 1) != 0) reader.trust();
  bytes.remove_prefix(1);
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    int type = 0;
    std::string body;
    while (reader.next(type, body) == StepFrameReader::Found::Frame) {
      StepMessage message;
      if (!decode_step_message(type, body, message)) continue;
      HYADES_ASSERT(encode(message) == step_frame(type, body));
    }
  }
}

void fuzz_step_file(std::string_view bytes) {
  StepFile file;
  std::string error;
  if (parse_step_file(bytes, file, error)) {
    HYADES_ASSERT(encode(file) == bytes);
    HYADES_ASSERT(!mpi_hostfile(file).empty());
  } else {
    HYADES_ASSERT(!error.empty());
  }
}

}  // namespace hyades::fuzz
