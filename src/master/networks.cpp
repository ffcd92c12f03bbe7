#include "master/networks.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace hyades {

namespace {

using Bytes = std::vector<unsigned char>;  // of an address, in the network's order

struct Network {
  Bytes address;
  std::size_t bits = 0;
};

Bytes address_from(const std::string& text) {
  Bytes four(4);
  if (inet_pton(AF_INET, text.c_str(), four.data()) == 1) return four;
  Bytes sixteen(16);
  if (inet_pton(AF_INET6, text.c_str(), sixteen.data()) == 1) return sixteen;
  return {};
}

std::optional<Network> network_from(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const std::string length = text.substr(slash + 1);
  const bool number = !length.empty() && length.size() <= 3 &&
                      length.find_first_not_of("0123456789") == length.npos;
  Network network{address_from(text.substr(0, slash)), number ? std::stoul(length) : 0};
  if (!number || network.address.empty() || network.bits > 8 * network.address.size()) {
    return std::nullopt;
  }
  return network;
}

bool holds(const Network& network, const Bytes& address) {
  if (address.size() != network.address.size()) return false;
  for (std::size_t bit = 0; bit < network.bits; ++bit) {
    const unsigned mask = 0x80u >> bit % 8;
    if (((network.address[bit / 8] ^ address[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

// Interfaces by name, with their addresses.
std::map<std::string, std::vector<Bytes>> interfaces() {
  std::map<std::string, std::vector<Bytes>> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    std::vector<Bytes>& addresses = found[at->ifa_name];
    if (at->ifa_addr == nullptr) continue;
    const auto take = [&](const auto& from) {
      Bytes bytes(sizeof from);
      std::memcpy(bytes.data(), &from, sizeof from);
      addresses.push_back(std::move(bytes));
    };
    if (at->ifa_addr->sa_family == AF_INET) {
      take(reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr);
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      take(reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr);
    }
  }
  return found;
}

}  // namespace

std::string network_problem(const std::string& text) {
  if (text.find('/') != text.npos) {
    return network_from(text)
               ? ""
               : "is no network: an address, '/' and the length of the network's part, from 0 to "
                 "32 (IPv6: 128), such as \"10.0.0.0/24\"";
  }
  if (!address_from(text).empty()) {
    return "lacks the length of the network's part, as in \"10.0.0.0/24\"";
  }
  // mpirun takes blanks and commas for more than one, and what begins with a digit for a network.
  const bool name = !text.empty() && text.size() < IFNAMSIZ &&
                    std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
                    std::all_of(text.begin(), text.end(), [](unsigned char c) {
                      return std::isalnum(c) != 0 || std::strchr("._-", c) != nullptr;
                    });
  return name ? "" : "is neither a network such as \"10.0.0.0/24\" nor the name of an interface";
}

bool is_own_network(const std::string& text) {
  const std::optional<Network> network = network_from(text);
  for (const auto& [name, addresses] : interfaces()) {
    if (!network && name == text) return true;
    for (const Bytes& address : addresses) {
      if (network && holds(*network, address)) return true;
    }
  }
  return false;
}

std::string own_networks() {
  std::string text;
  for (const auto& [name, addresses] : interfaces()) {
    text += (text.empty() ? "" : ", ") + name;
    for (const Bytes& address : addresses) {
      char shown[INET_ADDRSTRLEN] = "";
      if (address.size() == 4 && inet_ntop(AF_INET, address.data(), shown, sizeof shown)) {
        text += std::string(" (") + shown + ")";
      }
    }
  }
  return text;
}

}  // namespace hyades
