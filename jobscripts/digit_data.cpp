// The file format of the data set; see digits.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "digits.hpp"
#include "file_io.hpp"
#include "little_endian.hpp"
#include "sealed_file.hpp"

namespace hyades::jobscripts {
namespace {

const FileKind& digit_data_kind() {
  static const FileKind kind{"HYDIGIT1", "digit data set", "Write it again with prepare_digits"};
  return kind;
}

constexpr std::size_t kHeaderBytes = 3 * sizeof(std::uint32_t);

void append_set(std::string& out, const DigitSet& set) {
  out.append(set.labels.begin(), set.labels.end());
  out.append(set.pixels.begin(), set.pixels.end());
}

/// Takes the next `count` images off the front of `bytes`, which the caller knows to hold them.
DigitSet take_set(std::string_view& bytes, std::size_t count) {
  DigitSet set;
  set.labels.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes.remove_prefix(count);
  const std::size_t pixels = count * kDigitPixels;
  set.pixels.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(pixels));
  bytes.remove_prefix(pixels);
  return set;
}

bool labels_are_digits(const DigitSet& set) {
  return std::all_of(set.labels.begin(), set.labels.end(),
                     [](std::uint8_t label) { return label < kDigitClasses; });
}

}  // namespace

void write_digit_data(const std::string& path, const DigitData& data) {
  std::string payload;
  payload.reserve(kHeaderBytes + (data.train.size() + data.test.size()) * (1 + kDigitPixels));
  append_little_endian<std::uint32_t>(payload, kDigitSide);
  append_little_endian(payload, static_cast<std::uint32_t>(data.train.size()));
  append_little_endian(payload, static_cast<std::uint32_t>(data.test.size()));
  append_set(payload, data.train);
  append_set(payload, data.test);
  write_sealed_file(path, digit_data_kind(), payload);
}

DigitData read_digit_data(const std::string& path) {
  const FileKind& kind = digit_data_kind();
  const std::string payload = read_sealed_file(path, kind);
  if (payload.size() < kHeaderBytes) throw FileError(path, "data set without a header", kind.fix);
  const auto side = read_little_endian<std::uint32_t>(payload, 0);
  const std::uint64_t train = read_little_endian<std::uint32_t>(payload, 4);
  const std::uint64_t test = read_little_endian<std::uint32_t>(payload, 8);
  if (side != kDigitSide) {
    throw FileError(path,
                    "images of side " + std::to_string(side) + ", where this program reads " +
                        std::to_string(kDigitSide),
                    kind.fix);
  }
  if (payload.size() - kHeaderBytes != (train + test) * (1 + kDigitPixels)) {
    throw FileError(path, "the image counts in its header do not match its length", kind.fix);
  }
  std::string_view rest = std::string_view(payload).substr(kHeaderBytes);
  DigitData data;
  data.train = take_set(rest, train);
  data.test = take_set(rest, test);
  if (!labels_are_digits(data.train) || !labels_are_digits(data.test)) {
    throw FileError(path, "a label is not a digit from 0 to 9", kind.fix);
  }
  return data;
}

}  // namespace hyades::jobscripts
