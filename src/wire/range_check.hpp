// Collects the first complaint about a decoded value. Private to the codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/job_spec.hpp"

namespace hyades {

constexpr std::int64_t kWallMsMax = 253'402'300'799'999;   // the end of the year 9999
constexpr std::int64_t kMemoryMibMax = 1'000'000'000'000;  // so that sums and products fit
constexpr int kSignalMax = 64;

class RangeCheck {
 public:
  // `message` is the name that complaints start with: "JobSpec.tasks is -3; ...".
  RangeCheck(const char* message, std::string& error) : message_(message), error_(error) {}

  template <typename T>
  void number(const char* field, std::int64_t value, std::int64_t low, std::int64_t high, T& out) {
    if (value < low || value > high) {
      fail(field, " is " + std::to_string(value) + "; it must be from " + std::to_string(low) +
                      " to " + std::to_string(high));
    } else {
      out = static_cast<T>(value);
    }
  }

  void text(const char* field, const std::string& value, std::string& out,
            std::size_t bytes_max = Limits::name_bytes_max) {
    if (value.size() > bytes_max) {
      fail(field, " has " + std::to_string(value.size()) + " bytes; at most " +
                      std::to_string(bytes_max) + " are allowed");
    } else {
      out = value;
    }
  }

  template <typename List>
  void texts(const char* field, const List& values, std::vector<std::string>& out,
             std::size_t bytes_max = Limits::name_bytes_max) {
    out.clear();
    if (!list(field, values.size())) return;
    out.resize(static_cast<std::size_t>(values.size()));
    for (int i = 0; i < values.size(); ++i) {
      text(field, values[i], out[static_cast<std::size_t>(i)], bytes_max);
    }
  }

  // False, and a complaint, when there are too many elements.
  bool list(const char* field, int size) {
    if (static_cast<std::size_t>(size) <= Limits::list_max) return true;
    fail(field, " has " + std::to_string(size) + " elements; at most " +
                    std::to_string(Limits::list_max) + " are allowed");
    return false;
  }

  void fail(const char* field, const std::string& why) {
    if (ok_) error_ = std::string(message_) + "." + field + why;
    ok_ = false;
  }
  // For nested values that wrote their own complaint.
  void nested(bool ok) { ok_ = ok_ && ok; }

  bool ok() const { return ok_; }

 private:
  const char* message_;
  std::string& error_;
  bool ok_ = true;
};

}  // namespace hyades
