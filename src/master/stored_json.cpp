#include "master/stored_json.hpp"

#include <algorithm>

namespace hyades {

namespace {

bool is_utf8(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; })) return true;
  try {
    static_cast<void>(StoredJson(text).dump());
    return true;
  } catch (const StoredJson::type_error&) {
    return false;
  }
}

}  // namespace

StoredJson from_bytes(const std::string& text) {
  if (is_utf8(text)) return text;
  std::string hex;
  for (const char c : text) {
    constexpr const char* digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(c) >> 4];
    hex += digits[static_cast<unsigned char>(c) & 15];
  }
  return StoredJson{{"hex", hex}};
}

std::string to_bytes(const StoredJson& json) {
  if (json.is_string()) return json.get<std::string>();
  const std::string hex = json.at("hex").get<std::string>();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace hyades
