// What a model's file that the master does not keep holds now. Anybody may ask for it at any time,
// so a file is read again only when it has changed. One thread.
#pragma once

#include <map>
#include <string>

#include "core/time.hpp"
#include "master/model_event.hpp"

namespace hyades {

class ModelGlance {
 public:
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
  static State state_of(const std::string& path);

  std::map<std::string, std::pair<State, Seen>> seen_;
};

}  // namespace hyades
