#include "step/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "wire/unique_fd.hpp"

namespace hyades {
namespace {

constexpr int lowest = 20000;
constexpr int usual_ephemeral = 32768;
constexpr int least_choice = 1000;
constexpr int tries_max = 1000;

int first_ephemeral() {
  int first = 0;
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  return file >> first ? first : usual_ephemeral;
}

bool is_free(int port) {
  const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return probe && bind(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

int free_port(std::uint64_t seed) {
  // Where all ports are the kernel's to give, those above the usual ones are as good as any.
  int end = first_ephemeral();
  int begin = std::min(lowest, std::max(1024, end - 10000));
  if (end - begin < least_choice) {
    begin = lowest;
    end = usual_ephemeral;
  }
  const auto count = static_cast<std::uint64_t>(end - begin);
  // Neighbouring seeds far apart.
  std::uint64_t at = (seed * 0x9e3779b97f4a7c15u) >> 16;
  for (int i = 0; i < tries_max; ++i, ++at) {
    const int port = begin + static_cast<int>(at % count);
    if (is_free(port)) return port;
  }
  return 0;
}

}  // namespace hyades
