// What the comments at the top of a log in the Standard Workload Format say of it: "; Key: value".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace hyades {

// 0 and "": not said. Texts are one line of printable ASCII, at most 200 characters.
struct SwfHeader {
  std::string computer;
  std::string installation;
  std::string time_zone;  // as in "Europe/Stockholm"
  std::int64_t max_procs = 0;
  std::int64_t max_nodes = 0;
  std::int64_t unix_start_s = 0;
  std::map<int, std::string> queues;  // their names, of at most 1,000
  std::map<int, std::string> partitions;

  // Takes a line that begins with ';'. Of a key that occurs again the first value holds. False: it
  // has a key of ours with a value that cannot be used.
  bool take(std::string_view line);

  // The machine's processors by the rule for logs: MaxProcs, else MaxNodes, else 0.
  std::int64_t procs() const { return max_procs > 0 ? max_procs : max_nodes; }

  friend bool operator==(const SwfHeader&, const SwfHeader&) = default;
};

// The text as one line of printable ASCII, at most 200 characters.
std::string header_text(std::string_view text);

}  // namespace hyades
