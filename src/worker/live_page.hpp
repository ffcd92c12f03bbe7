// How a running job is doing, written by its shepherd now and then: a small file beside the job's
// script, for its node's worker alone. Written in one piece over what was there, so that it may be
// caught half-written: a checksum tells. No file in memory, because whoever owns the file could
// then end the shepherd by cutting it short.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

struct LivePage {
  LaunchKey key;
  pid_t shepherd_pid = 0;  // all processes of the job are below it; 0: not said
  int cores = 0;           // that the job holds here
  BootMs started_ms = 0;
  BootMs at_ms = 0;  // when it was looked
  // Times, faults and the like are those of processes that have ended. `counters` are complete:
  // they are those of all processes.
  Usage ended;

  friend bool operator==(const LivePage&, const LivePage&) = default;
};

constexpr std::size_t live_page_bytes_max = 8192;

// Beside the script, and removed with it.
inline std::string live_page_path(const std::string& script_path) { return script_path + ".live"; }

std::string encode(const LivePage& page);
// False when `bytes` do not begin with a whole page of this version or an earlier one.
bool decode(std::string_view bytes, LivePage& page);

class LivePageWriter {
 public:
  // Makes the file on the first call. Readable for `reader`, whom this process may have to be root
  // for. What fails, fails silently: nothing depends on it.
  void write(const std::string& spool_directory, uid_t reader, const LivePage& page);

 private:
  UniqueFd file_;
  bool failed_ = false;
};

// Nothing when the job has none (yet), or it is damaged or another job's.
std::optional<LivePage> read_live_page(const std::string& spool_directory, const LaunchKey& key);

}  // namespace hyades
