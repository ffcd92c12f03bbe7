// What a model's file that the master does not keep holds now. Anybody may ask for it at any time,
// so a file is read again only when it has changed; and whoever asks waits for a moment at most,
// because such a file may lie on a file system that hangs. One thread; others of its own read.
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <optional>
#include <string>

#include "core/time.hpp"
#include "master/model_event.hpp"

namespace hyades {

class ModelGlance {
 public:
  explicit ModelGlance(std::chrono::milliseconds patience = std::chrono::milliseconds(500))
      : patience_(patience) {}

  struct Seen {
    std::string digest;
    ModelFacts facts;
    std::string problem;  // why it cannot be used; "": it can, as far as can be told without Torch
  };
  const Seen& look(const std::string& path);

 private:
  struct State {
    std::uint64_t file = 0, size = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const State&, const State&) = default;
  };
  struct Known {
    State state;
    Seen seen;
  };
  struct File {
    std::optional<Known> known;
    std::future<Known> reading;  // valid: a thread is at it, perhaps for ever
  };
  static State state_of(const std::string& path);
  static Known read(const std::string& path, const std::optional<Known>& known);
  static std::future<Known> begin(const std::string& path, const std::optional<Known>& known);

  std::chrono::milliseconds patience_;
  std::map<std::string, File> files_;
};

}  // namespace hyades
