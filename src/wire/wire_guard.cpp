#include "wire/wire_guard.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "wire/utf8.hpp"

namespace hyades {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

// No message of the schema has more fields, so that counting needs no allocation.
constexpr int kFieldsMax = 64;

std::uint32_t wire_type_of(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      return kLengthDelimited;
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return kFixed32;
    default:
      return kVarint;
  }
}

class Guard {
 public:
  explicit Guard(const WireLimits& limits) : limits_(limits) {}

  bool check(const Descriptor& type, std::string_view bytes, int depth);
  std::string take_error() { return std::move(error_); }

 private:
  bool check_field(const FieldDescriptor& field, std::uint32_t wire_type, std::string_view& rest,
                   int depth, std::size_t& seen);
  bool check_packed(const FieldDescriptor& field, std::string_view content, std::size_t& seen);
  bool check_number(const FieldDescriptor& field, std::string_view& rest);
  bool count(const FieldDescriptor& field, std::size_t& seen);
  bool refuse(const std::string& where, const char* why);
  bool refuse(const FieldDescriptor& field, const char* why);

  const WireLimits& limits_;
  std::size_t elements_ = 0;
  std::string error_;
};

bool read_varint(std::string_view& rest, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < 10 && i < rest.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    if (i == 9 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool skip(std::string_view& rest, std::size_t count) {
  if (rest.size() < count) return false;
  rest.remove_prefix(count);
  return true;
}

bool read_delimited(std::string_view& rest, std::string_view& content) {
  std::uint64_t length = 0;
  if (!read_varint(rest, length) || length > rest.size()) return false;
  content = rest.substr(0, length);
  rest.remove_prefix(length);
  return true;
}

bool Guard::refuse(const std::string& where, const char* why) {
  if (error_.empty()) error_ = where + ": " + why;
  return false;
}

bool Guard::refuse(const FieldDescriptor& field, const char* why) {
  return refuse(field.containing_type()->name() + "." + field.name(), why);
}

bool Guard::count(const FieldDescriptor& field, std::size_t& seen) {
  if (++elements_ > limits_.elements_max) return refuse(field, "too many elements in the message");
  if (++seen > 1 && !field.is_repeated()) return refuse(field, "more than once");
  if (seen > limits_.list_max) return refuse(field, "too many elements");
  return true;
}

bool Guard::check_number(const FieldDescriptor& field, std::string_view& rest) {
  std::uint64_t value = 0;
  switch (wire_type_of(field)) {
    case kFixed64:
      return skip(rest, 8) || refuse(field, "cut off");
    case kFixed32:
      return skip(rest, 4) || refuse(field, "cut off");
    default:
      break;
  }
  if (!read_varint(rest, value)) return refuse(field, "cut off");
  const auto low = static_cast<std::int64_t>(value);
  switch (field.cpp_type()) {
    // The parser would cut what is too large down to other numbers.
    case FieldDescriptor::CPPTYPE_INT32:
      return (low >= INT32_MIN && low <= INT32_MAX) || refuse(field, "out of range");
    case FieldDescriptor::CPPTYPE_UINT32:
      return value <= UINT32_MAX || refuse(field, "out of range");
    case FieldDescriptor::CPPTYPE_BOOL:
      return value <= 1 || refuse(field, "out of range");
    case FieldDescriptor::CPPTYPE_ENUM:
      return (low >= 0 && low <= INT32_MAX &&
              field.enum_type()->FindValueByNumber(static_cast<int>(low)) != nullptr) ||
             refuse(field, "no such value");
    default:
      return true;
  }
}

bool Guard::check_packed(const FieldDescriptor& field, std::string_view content,
                         std::size_t& seen) {
  while (!content.empty()) {
    if (!count(field, seen) || !check_number(field, content)) return false;
  }
  return true;
}

bool Guard::check_field(const FieldDescriptor& field, std::uint32_t wire_type,
                        std::string_view& rest, int depth, std::size_t& seen) {
  const std::uint32_t own_type = wire_type_of(field);
  std::string_view content;
  if (wire_type == kLengthDelimited) {
    if (!read_delimited(rest, content)) return refuse(field, "cut off");
    if (own_type != kLengthDelimited) {
      if (!field.is_packable()) return refuse(field, "wrong type");
      return check_packed(field, content, seen);
    }
    if (!count(field, seen)) return false;
    if (field.type() == FieldDescriptor::TYPE_BYTES) return true;
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      return valid_utf8_bytes(content) == content.size() || refuse(field, "not UTF-8");
    }
    return check(*field.message_type(), content, depth + 1);
  }
  if (wire_type != own_type) return refuse(field, "wrong type");
  return count(field, seen) && check_number(field, rest);
}

bool Guard::check(const Descriptor& type, std::string_view bytes, int depth) {
  if (depth > limits_.depth_max) return refuse(type.name(), "nested too deeply");
  if (type.field_count() > kFieldsMax) return refuse(type.name(), "has too many fields");
  std::array<std::size_t, kFieldsMax> seen;
  std::fill_n(seen.begin(), type.field_count(), 0);
  const FieldDescriptor* chosen = nullptr;  // the schema has at most one oneof a message
  while (!bytes.empty()) {
    std::uint64_t tag = 0;
    if (!read_varint(bytes, tag) || tag > UINT32_MAX) return refuse(type.name(), "not a message");
    const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
    if (field == nullptr) return refuse(type.name(), "unknown field");
    if (field->containing_oneof() != nullptr) {
      if (chosen != nullptr && chosen != field) return refuse(*field, "not the only choice");
      chosen = field;
    }
    const auto wire_type = static_cast<std::uint32_t>(tag & 7);
    if (!check_field(*field, wire_type, bytes, depth,
                     seen[static_cast<std::size_t>(field->index())])) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string check_wire(const Descriptor& type, std::string_view bytes, const WireLimits& limits) {
  Guard guard(limits);
  if (guard.check(type, bytes, 0)) return "";
  return guard.take_error();
}

}  // namespace hyades
