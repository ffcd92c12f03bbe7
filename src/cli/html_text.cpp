#include "cli/html_text.hpp"

#include "cli/printable.hpp"

namespace hyades {

std::string html_text(const std::string& text) {
  std::string out;
  for (const char c : escape_text(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace hyades
