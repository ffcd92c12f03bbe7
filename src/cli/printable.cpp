#include "cli/printable.hpp"

#include <cstdint>
#include <cstdio>

namespace hyades {
namespace {

struct Decoded {
  std::uint32_t code = 0;
  std::size_t length = 0;  // 0: the byte here does not begin a well-formed character
};

Decoded decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(text[i]);
  };
  const std::uint32_t lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf5   ? 0
                             : lead >= 0xf0 ? 4
                             : lead >= 0xe0 ? 3
                             : lead >= 0xc2 ? 2
                                            : 0;
  if (length == 0 || at + length > text.size()) return {};
  std::uint32_t code = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte(at + i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, length};
}

bool within(std::uint32_t code, std::uint32_t first, std::uint32_t last) {
  return code >= first && code <= last;
}

// Characters that a reader cannot see, or that reorder what stands around them.
bool invisible(std::uint32_t code) {
  return within(code, 0x80, 0x9f) || code == 0xad || within(code, 0x200b, 0x200f) ||
         within(code, 0x2028, 0x202e) || within(code, 0x2060, 0x206f) || code == 0xfeff ||
         within(code, 0xfff9, 0xfffb) || within(code, 0xe0000, 0xe0fff);
}

bool combining(std::uint32_t code) {
  return within(code, 0x300, 0x36f) || within(code, 0x1ab0, 0x1aff) ||
         within(code, 0x1dc0, 0x1dff) || within(code, 0x20d0, 0x20ff) ||
         within(code, 0xfe00, 0xfe0f) || within(code, 0xfe20, 0xfe2f);
}

bool wide(std::uint32_t code) {
  return within(code, 0x1100, 0x115f) || within(code, 0x2e80, 0xa4cf) ||
         within(code, 0xac00, 0xd7a3) || within(code, 0xf900, 0xfaff) ||
         within(code, 0xfe30, 0xfe4f) || within(code, 0xff00, 0xff60) ||
         within(code, 0xffe0, 0xffe6) || within(code, 0x1f300, 0x1f64f) ||
         within(code, 0x1f680, 0x1f6ff) || within(code, 0x1f900, 0x1f9ff) ||
         within(code, 0x20000, 0x3fffd);
}

int width_of(std::uint32_t code) { return combining(code) ? 0 : wide(code) ? 2 : 1; }

void append_hex(std::string& out, const char* format, std::uint32_t value) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, format, value);
  out += buffer;
}

void append_control(std::string& out, char control) {
  switch (control) {
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      append_hex(out, "\\x%02x", static_cast<unsigned char>(control));
  }
}

}  // namespace

std::string escape_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    if (character.length == 0) {
      append_hex(out, "\\x%02x", static_cast<unsigned char>(text[at]));
      ++at;
      continue;
    }
    if (character.code < 0x20 || character.code == 0x7f) {
      append_control(out, text[at]);
    } else if (invisible(character.code)) {
      append_hex(out, "\\u{%x}", character.code);
    } else {
      out += text.substr(at, character.length);
    }
    at += character.length;
  }
  return out;
}

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    width += character.length == 0 ? 1 : width_of(character.code);
    at += character.length == 0 ? 1 : character.length;
  }
  return width;
}

std::string cut_text(const std::string& text, int columns, const std::string& ellipsis) {
  if (display_width(text) <= columns) return text;
  const int room = columns - display_width(ellipsis);
  int width = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const Decoded character = decode(text, at);
    const int next = character.length == 0 ? 1 : width_of(character.code);
    if (width + next > room) break;
    width += next;
    at += character.length == 0 ? 1 : character.length;
  }
  return room < 0 ? std::string() : text.substr(0, at) + ellipsis;
}

std::string shell_quote(const std::string& word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace hyades
