// Targets for what a node reads back from its disk and passes between its processes.
#include <cstdio>

#include "core/assert.hpp"
#include "fuzz_targets.hpp"
#include "worker/launch_record.hpp"
#include "worker/record_file.hpp"

namespace hyades::fuzz {
namespace {

// The bytes with a right checksum behind every line, so that what is inside gets read.
std::string with_checksums(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    std::uint32_t hash = 2166136261u;
    for (unsigned char c : line) hash = (hash ^ c) * 16777619u;
    char tail[16];
    std::snprintf(tail, sizeof tail, " #%08x\n", hash);
    text.append(line).append(tail);
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
  }
  return text;
}

void check_record_text(std::string_view text) {
  const RecordContent content = parse_record(text);
  if (content.started) {
    const RecordContent again = parse_record(started_line(*content.started));
    HYADES_ASSERT(again.started == content.started);
  }
  // A reason that is too long is cut.
  if (content.exit) {
    const std::string line = exit_line(*content.exit);
    const RecordContent again = parse_record(line);
    HYADES_ASSERT(line.size() <= record_bytes_max);
    HYADES_ASSERT(again.exit.has_value());
    HYADES_ASSERT(content.exit->launch_error.starts_with(again.exit->launch_error));
    HYADES_ASSERT(content.exit->epilog_error.starts_with(again.exit->epilog_error));
    HYADES_ASSERT(again.exit->out_of_memory == content.exit->out_of_memory);
    HYADES_ASSERT(again.exit->ended_ms == content.exit->ended_ms);
  }
  const std::string line = refused_line(content.refusal);
  HYADES_ASSERT(line.size() <= record_bytes_max);
  HYADES_ASSERT(content.refusal.starts_with(parse_record(line).refusal));
}

}  // namespace

void fuzz_launch_record(std::string_view bytes) {
  LaunchRecord record;
  if (decode(bytes, record)) HYADES_ASSERT(encode(record) == bytes);
}

void fuzz_record_file(std::string_view bytes) {
  check_record_text(bytes);
  check_record_text(with_checksums(bytes));
}

}  // namespace hyades::fuzz
