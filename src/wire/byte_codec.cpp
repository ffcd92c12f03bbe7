#include "wire/byte_codec.hpp"

namespace hyades {

void ByteWriter::put(std::uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  bytes_.append(bytes, sizeof bytes);
}

void ByteWriter::put(std::string_view text) {
  put(static_cast<std::uint64_t>(text.size()));
  bytes_.append(text);
}

void ByteWriter::put(const std::vector<std::string>& list) {
  put(static_cast<std::uint64_t>(list.size()));
  for (const std::string& element : list) put(std::string_view(element));
}

bool ByteReader::fail() {
  failed_ = true;
  return false;
}

bool ByteReader::get(std::uint64_t& value) {
  if (failed_ || rest_.size() < 8) return fail();
  std::uint64_t result = 0;
  for (int i = 0; i < 8; ++i) {
    result |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
  }
  rest_.remove_prefix(8);
  value = result;
  return true;
}

bool ByteReader::get_int(int& value, int lowest, int highest) {
  std::uint64_t raw = 0;
  if (!get(raw)) return false;
  const auto number = static_cast<std::int64_t>(raw);
  if (number < lowest || number > highest) return fail();
  value = static_cast<int>(number);
  return true;
}

bool ByteReader::get(std::string& text, std::size_t size_max) {
  std::uint64_t size = 0;
  if (!get(size)) return false;
  if (size > size_max || size > rest_.size()) return fail();
  text.assign(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return true;
}

bool ByteReader::get(std::vector<std::string>& list, std::size_t count_max, std::size_t size_max) {
  std::uint64_t count = 0;
  if (!get(count)) return false;
  if (count > count_max || count > rest_.size() / 8) return fail();  // each needs its length
  list.assign(count, std::string());
  for (std::string& element : list) {
    if (!get(element, size_max)) return false;
  }
  return true;
}

}  // namespace hyades
