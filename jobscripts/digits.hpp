#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hyades::jobscripts {

inline constexpr std::size_t kDigitSide = 28;
inline constexpr std::size_t kDigitPixels = kDigitSide * kDigitSide;
inline constexpr std::size_t kDigitClasses = 10;

/// Greyscale images, row after row and image after image, with the digit each one shows.
struct DigitSet {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;

  std::size_t size() const { return labels.size(); }
  bool operator==(const DigitSet&) const = default;
};

/// Training and test images come from separate random streams: none is in both.
enum class Split : std::uint8_t { kTrain, kTest };

/// Draws handwriting-like digits: strokes with shaken corners under a random shift, scale,
/// rotation, shear, thickness and contrast, with noise and sometimes a patch that hides a part.
/// Image i depends on (seed, split, i) alone, so a larger set begins with the smaller one, and
/// only exactly rounded arithmetic is used, so the bytes are the same on every machine.
DigitSet generate_digits(std::size_t count, std::uint64_t seed, Split split);

struct DigitData {
  DigitSet train;
  DigitSet test;

  bool operator==(const DigitData&) const = default;
};

/// The data set file: a sealed file whose payload is image side, number of training images,
/// number of test images (u32 each), then labels and pixels of the one and of the other.
void write_digit_data(const std::string& path, const DigitData& data);

/// Throws FileError, naming the file and the fix, for anything that was not written as above.
DigitData read_digit_data(const std::string& path);

}  // namespace hyades::jobscripts
