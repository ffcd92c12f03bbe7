// Cuts a stream of bytes into the frames of the step protocol, and refuses those that are too long
// before anything is allocated for them. One thread.
#pragma once

#include <string>
#include <string_view>

namespace hyades {

constexpr int step_protocol_version = 1;

// Header and body.
std::string step_frame(int type, const std::string& body);

class StepFrameReader {
 public:
  enum class Found { Frame, NeedsMore, Broken };

  // The peer has proved who it is: from now on a frame may be as long as its type allows. Before,
  // step_greeting_bytes_max is the most.
  void trust() { trusted_ = true; }

  void feed(std::string_view bytes);

  // Broken is for good; error() then says why.
  Found next(int& type, std::string& body);

  const std::string& error() const { return error_; }
  std::size_t buffered() const { return buffer_.size() - begin_; }

 private:
  Found broken(const std::string& why);
  std::size_t bytes_max(int type) const;

  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not handed out yet
  bool trusted_ = false;
  std::string error_;
};

}  // namespace hyades
