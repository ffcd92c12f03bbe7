// The file formats, the image generator and the resumable computation, in this process.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "checksum.hpp"
#include "digits.hpp"
#include "file_io.hpp"
#include "heat_plate.hpp"
#include "little_endian.hpp"
#include "safetensors.hpp"
#include "temporary_directory.hpp"

using namespace hyades::jobscripts;

namespace {

std::string bytes_of(const std::string& path) { return read_file(path, 1U << 30U, ""); }

void overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// The message of the FileError that `read` must throw; it always names the file.
std::string error_of(const std::string& path, const std::function<void()>& read) {
  try {
    read();
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << path << " was read without an error";
  return "";
}

/// Cuts the file at many places and flips bits at many more: each must be refused with the fix.
void expect_damage_is_refused(const std::string& path, const std::string& fix,
                              const std::function<void()>& read) {
  const std::string good = bytes_of(path);
  const std::size_t size = good.size();
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{15},
        std::size_t{16}, std::size_t{17}, std::size_t{23}, std::size_t{24}, size / 2, size - 8,
        size - 1}) {
    overwrite(path, good.substr(0, length));
    EXPECT_NE(error_of(path, read).find(fix), std::string::npos) << "cut at " << length;
  }
  for (std::size_t at = 0; at < size; at += 1 + at / 8) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    overwrite(path, bad);
    EXPECT_NE(error_of(path, read).find(fix), std::string::npos) << "bit flipped at " << at;
  }
  overwrite(path, good + '\0');
  error_of(path, read);
  overwrite(path, good);
  EXPECT_NO_THROW(read());
}

class FileTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path("file");
};

using DigitDataTest = FileTest;
using SafetensorsTest = FileTest;
using HeatPlateTest = FileTest;

DigitData small_data() {
  return {generate_digits(20, 3, Split::kTrain), generate_digits(7, 3, Split::kTest)};
}

/// A safetensors file of this header and data, whatever they claim.
void write_raw(const std::string& path, const std::string& header, const std::string& data) {
  std::string bytes;
  append_little_endian<std::uint64_t>(bytes, header.size());
  overwrite(path, bytes + header + data);
}

std::string one_tensor(const std::string& shape, const std::string& offsets) {
  return R"({"w":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

}  // namespace

TEST(DigitsTest, GeneratesTheSameImagesOnEveryMachine) {
  const DigitSet set = generate_digits(100, 1, Split::kTrain);
  EXPECT_EQ(checksum_of(set.pixels), 0xebb4892d9303bfa9ULL);
  EXPECT_EQ(checksum_of(set.labels), 0x8a03f8df40e28b80ULL);
}

TEST(DigitsTest, LargerSetBeginsWithTheSmallerOne) {
  const DigitSet small = generate_digits(10, 1, Split::kTrain);
  const DigitSet large = generate_digits(50, 1, Split::kTrain);
  EXPECT_TRUE(std::equal(small.pixels.begin(), small.pixels.end(), large.pixels.begin()));
  for (std::uint8_t digit = 0; digit < kDigitClasses; ++digit) {
    EXPECT_GT(std::count(large.labels.begin(), large.labels.end(), digit), 0) << int(digit);
  }
}

TEST(DigitsTest, SeedsAndSplitsDiffer) {
  const DigitSet set = generate_digits(10, 1, Split::kTrain);
  EXPECT_NE(set, generate_digits(10, 2, Split::kTrain));
  EXPECT_NE(set, generate_digits(10, 1, Split::kTest));
}

TEST_F(DigitDataTest, RoundTrip) {
  const DigitData data = small_data();
  write_digit_data(path_, data);
  EXPECT_EQ(read_digit_data(path_), data);
  EXPECT_EQ(directory_.file_names(), std::vector<std::string>{"file"});  // no temporary file left
}

TEST_F(DigitDataTest, RefusesDamage) {
  write_digit_data(path_, small_data());
  expect_damage_is_refused(path_, "prepare_digits", [&] { read_digit_data(path_); });
}

TEST_F(DigitDataTest, RefusesAnotherFileAndAMissingOne) {
  EXPECT_NE(error_of(path_, [&] { read_digit_data(path_); }).find("cannot read"),
            std::string::npos);
  HeatPlate(8).write_checkpoint(path_);
  EXPECT_NE(error_of(path_, [&] { read_digit_data(path_); }).find("not a digit data set"),
            std::string::npos);
  const std::string directory = directory_.path("");
  error_of(directory, [&] { read_digit_data(directory); });
}

TEST_F(DigitDataTest, FailedWriteKeepsTheOldFile) {
  const std::string target = directory_.path("occupied");
  std::filesystem::create_directories(target + "/child");  // rename() cannot replace this
  error_of(target, [&] { write_digit_data(target, small_data()); });
  EXPECT_EQ(directory_.file_names(), std::vector<std::string>{"occupied"});
}

TEST_F(SafetensorsTest, RoundTrip) {
  const std::vector<NamedTensor> tensors = {
      {"b.weight", {2, 3}, {1, 2, 3, -4, 0.5F, 1e-30F}}, {"a.bias", {2}, {7, 8}}, {"s", {}, {9}}};
  write_safetensors(path_, tensors);
  EXPECT_EQ(read_safetensors(path_), tensors);
}

TEST_F(SafetensorsTest, RefusesDamage) {
  write_safetensors(path_, {{"w", {4, 4}, std::vector<float>(16, 1.5F)}}, {{"margin", "1000"}});
  const std::string good = bytes_of(path_);
  const auto flip = [&](std::size_t at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x01);
    overwrite(path_, bad);
    error_of(path_, [&] { read_safetensors(path_); });
  };
  for (std::size_t length = 0; length < good.size(); ++length) {
    overwrite(path_, good.substr(0, length));
    EXPECT_NE(error_of(path_, [&] { read_safetensors(path_); }).find("train_cnn"),
              std::string::npos);
  }
  for (std::size_t at = good.size() - 64; at < good.size(); ++at) flip(at);  // the values
  flip(good.find("1000"));
}

TEST_F(SafetensorsTest, RefusesHugeHeaderLengths) {
  for (const std::uint64_t length :
       {std::uint64_t{9}, std::uint64_t{1} << 20U, std::uint64_t{1} << 40U, ~std::uint64_t{0},
        ~std::uint64_t{0} - 7}) {
    std::string bytes;
    append_little_endian(bytes, length);
    overwrite(path_, bytes + "{}");
    error_of(path_, [&] { read_safetensors(path_); });
  }
}

TEST_F(SafetensorsTest, RefusesBadShapes) {
  for (const char* shape :
       {"[-2]", "[-1,-2]", "[1.5]", "[\"2\"]", "[null]", "2", "null", "[3]", "[0]",
        "[18446744073709551615]", "[4294967296,4294967296]", "[9223372036854775807,2]",
        "[1073741824,1073741824,1073741824]", "[4611686018427387906]", "[1e300]"}) {
    write_raw(path_, one_tensor(shape, "[0,8]"), std::string(8, '\0'));
    EXPECT_NE(error_of(path_, [&] { read_safetensors(path_); }).find("'w'"), std::string::npos)
        << shape;
  }
  write_raw(path_, one_tensor("[2]", "[0,8]"), std::string(8, '\0'));
  EXPECT_EQ(read_safetensors(path_).at(0).values, std::vector<float>(2, 0.0F));
}

TEST_F(SafetensorsTest, RefusesBadOffsets) {
  for (const char* offsets :
       {"[0,16]", "[8,16]", "[8,0]", "[4,8]", "[0,4]", "[-8,0]", "[0]", "[0,8,8]", "[]", "null",
        "[0,18446744073709551615]", "[18446744073709551608,18446744073709551615]", "[0.0,8.0]"}) {
    write_raw(path_, one_tensor("[2]", offsets), std::string(8, '\0'));
    EXPECT_NE(error_of(path_, [&] { read_safetensors(path_); }).find("'w'"), std::string::npos)
        << offsets;
  }
}

TEST_F(SafetensorsTest, RefusesOverlapsHolesAndStrayBytes) {
  const auto entry = [](const char* name, const char* offsets) {
    return std::string("\"") + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets +
           "}";
  };
  for (const char* second : {"[0,4]", "[8,12]"}) {
    write_raw(path_, "{" + entry("a", "[0,4]") + "," + entry("b", second) + "}",
              std::string(12, '\0'));
    error_of(path_, [&] { read_safetensors(path_); });
  }
  write_raw(path_, one_tensor("[1]", "[0,4]"), std::string(8, '\0'));
  error_of(path_, [&] { read_safetensors(path_); });
}

TEST_F(SafetensorsTest, RefusesOtherTypesBadJsonAndNaN) {
  for (const std::string header :
       {"", "{", "[]", "null", "{\"w\":1}", "{\"w\":[]}", "{\"w\":{}}",
        "{\"w\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"w\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}"}) {
    write_raw(path_, header, std::string(8, '\0'));
    error_of(path_, [&] { read_safetensors(path_); });
  }
  constexpr std::size_t kDeep = 400000;  // enough to end the stack of a recursion
  write_raw(path_, "{\"w\":" + std::string(kDeep, '[') + std::string(kDeep, ']') + "}", "");
  EXPECT_NE(error_of(path_, [&] { read_safetensors(path_); }).find("too deep"), std::string::npos);
  std::string nan;
  append_little_endian(nan, std::numeric_limits<float>::quiet_NaN());
  write_raw(path_, one_tensor("[1]", "[0,4]"), nan);
  EXPECT_NE(error_of(path_, [&] { read_safetensors(path_); }).find("finite"), std::string::npos);
}

TEST_F(HeatPlateTest, ResumesBitByBit) {
  HeatPlate whole(32);
  for (int i = 0; i < 100; ++i) whole.step();
  EXPECT_EQ(whole.checksum(), 0x57446381c304aef4ULL);
  for (const int stop : {0, 1, 37, 99, 100}) {
    HeatPlate first(32);
    for (int i = 0; i < stop; ++i) first.step();
    first.write_checkpoint(path_);
    HeatPlate second = HeatPlate::resume(path_, 32);
    EXPECT_EQ(second.steps_done(), stop);
    EXPECT_EQ(second.times_resumed(), 1);
    while (second.steps_done() < 100) second.step();
    EXPECT_EQ(second.checksum(), whole.checksum()) << "stopped at step " << stop;
  }
}

TEST_F(HeatPlateTest, RefusesDamageAndAnotherSide) {
  HeatPlate(16).write_checkpoint(path_);
  expect_damage_is_refused(path_, "Remove it", [&] { HeatPlate::resume(path_, 16); });
  EXPECT_NE(error_of(path_, [&] { HeatPlate::resume(path_, 17); }).find("side 16"),
            std::string::npos);
}
