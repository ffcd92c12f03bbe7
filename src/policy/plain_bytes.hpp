// Values as the bytes that they are in memory, for processes of one build on one machine.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hyades {

static_assert(std::endian::native == std::endian::little);

template <typename T>
void put(std::string& out, const T* values, std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

template <typename T>
void put_value(std::string& out, const T& value) {
  put(out, &value, 1);
}

// Takes values from the front; false, and nothing taken, where there are not so many.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : left_(bytes) {}

  template <typename T>
  bool take(T* values, std::size_t count) {
    if (left_.size() / sizeof(T) < count) return false;
    if (count > 0) std::memcpy(values, left_.data(), count * sizeof(T));
    left_.remove_prefix(count * sizeof(T));
    return true;
  }
  template <typename T>
  bool take(T& value) {
    return take(&value, 1);
  }
  // As many as a count in front says, not more than `most`.
  template <typename T>
  bool take(std::vector<T>& values, std::size_t most) {
    std::uint64_t count = 0;
    if (!take(count) || count > most || left_.size() / sizeof(T) < count) return false;
    values.resize(count);
    return take(values.data(), values.size());
  }
  bool is_empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace hyades
