// What a worker asks of its launcher; one datagram each.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/exit_record.hpp"
#include "core/ids.hpp"

namespace hyades {

// Comes with the descriptor of the launch's record, and with that of a memory file when `record`
// is too big for a datagram (then it is empty here).
struct StartLaunch {
  LaunchKey key;
  std::string_view record;  // an encoded LaunchRecord
};

struct StopLaunch {
  LaunchKey key;
  StopReason reason = StopReason::None;
  int grace_s = 0;
};

struct SignalLaunch {
  LaunchKey key;
  int signal = 0;
  bool batch_only = false;
};

// Kill what is left of a launch that has no shepherd any more. Always answered.
struct SweepLaunch {
  LaunchKey key;
  std::string cluster_id;  // see LaunchRecord
};

// It may use these CPUs of the operating system from now on. Carried out before any later order.
struct SetCores {
  LaunchKey key;
  std::string cluster_id;
  std::vector<int> cpus;
};

// A package of processors may draw so much of what it could when the launcher was started.
struct SetPower {
  int package = 0;
  int percent = 100;
};

using LauncherOrder =
    std::variant<StartLaunch, StopLaunch, SignalLaunch, SweepLaunch, SetCores, SetPower>;

struct SweepAnswer {
  LaunchKey key;
  bool clean = false;  // nothing of it is left
};

// A SetCores was in vain; when it was not, nothing is said.
struct CoresTrouble {
  LaunchKey key;
  std::string why;
};

// A SetPower was in vain; likewise.
struct PowerTrouble {
  std::string why;
  std::string withheld;  // as PowerLimits says it
};

// Where a launcher finds its socket when it starts.
constexpr int launcher_orders_fd = 3;

// Orders up to this size travel in the datagram itself.
constexpr std::size_t datagram_bytes_max = 64 << 10;
// What a launch may need in all: script, environment, arguments, paths.
constexpr std::size_t launch_bytes_max = 16 << 20;

std::string encode(const LauncherOrder& order);

// A StartLaunch's record points into `bytes`.
bool decode(std::string_view bytes, LauncherOrder& order);

std::string encode(const SweepAnswer& answer);
bool decode(std::string_view bytes, SweepAnswer& answer);
std::string encode(const CoresTrouble& trouble);
bool decode(std::string_view bytes, CoresTrouble& trouble);
std::string encode(const PowerTrouble& trouble);
bool decode(std::string_view bytes, PowerTrouble& trouble);
// None of these is longer.
constexpr std::size_t answer_bytes_max = 1024;

// What a shepherd is told, squeezed into the value of a queued signal.
struct ShepherdWord {
  enum class Kind : unsigned char { Stop = 1, Signal = 2 };
  Kind kind = Kind::Stop;
  StopReason reason = StopReason::None;  // Stop
  int grace_s = 0;                       // Stop
  int signal = 0;                        // Signal
  bool batch_only = false;               // Signal

  friend bool operator==(const ShepherdWord&, const ShepherdWord&) = default;
};

std::uint64_t pack(const ShepherdWord& word);
bool unpack(std::uint64_t packed, ShepherdWord& word);

// The signal that carries it.
int shepherd_signal();

}  // namespace hyades
