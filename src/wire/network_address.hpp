// "host:port", "[2001:db8::1]:port" or ":port", as people write where a master listens.
#pragma once

#include <string>

namespace hyades {

struct NetworkAddress {
  std::string host;  // "": every address of this host
  std::string port;  // 1 to 65535

  // False when the text is anything else.
  static bool parse(const std::string& text, NetworkAddress& out) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || text.size() > 300) return false;
    out.host = text.substr(0, colon);
    out.port = text.substr(colon + 1);
    const bool bracketed = out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']';
    if (bracketed) out.host = out.host.substr(1, out.host.size() - 2);
    constexpr auto letters =
        "0123456789abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
    const std::string allowed = std::string(letters) + (bracketed ? ":%" : "");
    if (out.host.find_first_not_of(allowed) != std::string::npos) return false;
    if (out.port.empty() || out.port.size() > 5) return false;
    if (out.port.find_first_not_of("0123456789") != std::string::npos) return false;
    const int number = std::stoi(out.port);
    return number >= 1 && number <= 65535;
  }
};

}  // namespace hyades
