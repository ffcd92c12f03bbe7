#include "step/step_frame.hpp"

#include <cstdint>

#include "step/step_message.hpp"

namespace hyades {
namespace {

constexpr int start_tasks_type = 5;
static_assert(
    std::is_same_v<std::variant_alternative_t<start_tasks_type - 1, StepMessage>, StartTasks>);
constexpr std::size_t overhead_max = 1024;  // the other fields of a message with data

}  // namespace

std::string step_frame(int type, const std::string& body) {
  std::string frame = {'H', 'S', static_cast<char>(step_protocol_version), static_cast<char>(type)};
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(static_cast<std::uint32_t>(body.size()) >> shift);
  }
  return frame + body;
}

void StepFrameReader::feed(std::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
  }
  buffer_.append(bytes);
}

StepFrameReader::Found StepFrameReader::broken(const std::string& why) {
  error_ = why;
  return Found::Broken;
}

std::size_t StepFrameReader::bytes_max(int type) const {
  if (!trusted_) return step_greeting_bytes_max;
  return type == start_tasks_type ? step_start_bytes_max : step_data_bytes_max + overhead_max;
}

StepFrameReader::Found StepFrameReader::next(int& type, std::string& body) {
  if (!error_.empty()) return Found::Broken;
  if (buffered() < step_header_bytes) return Found::NeedsMore;
  const auto* head = reinterpret_cast<const unsigned char*>(buffer_.data() + begin_);
  if (head[0] != 'H' || head[1] != 'S') return broken("this is not the step protocol");
  if (head[2] != step_protocol_version) {
    return broken("the other side speaks version " + std::to_string(head[2]) +
                  " of the step protocol, this one " + std::to_string(step_protocol_version));
  }
  std::size_t length = 0;
  for (int i = 4; i < 8; ++i) length = length << 8 | head[i];
  if (length > bytes_max(head[3])) {
    return broken("a message of " + std::to_string(length) + " bytes is too long");
  }
  if (buffered() < step_header_bytes + length) return Found::NeedsMore;
  type = head[3];
  body.assign(buffer_, begin_ + step_header_bytes, length);
  begin_ += step_header_bytes + length;
  if (begin_ > step_data_bytes_max) {  // seldom enough to cost nothing
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  return Found::Frame;
}

}  // namespace hyades
