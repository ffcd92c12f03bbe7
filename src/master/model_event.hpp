// What is remembered about the models of the learned policy: which there are, and what admins did
// with them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace hyades {

// What a file of a model says of how it was made: "logs", "margin", "ratio", ...
using ModelFacts = std::map<std::string, std::string>;

// One whose file the master keeps.
struct RegisteredModel {
  std::string digest;  // SHA-256 of the file, hexadecimal
  std::string name;    // of the file that it came from
  ModelFacts facts;
  WallMs added_ms = 0;
  std::string added_by;

  friend bool operator==(const RegisteredModel&, const RegisteredModel&) = default;
};

enum class ModelAct {
  Shadow,      // it is asked beside the one in use from now on
  ShadowOff,   // no longer
  Promoted,    // it is the one in use
  RolledBack,  // it no longer is: the one before is again
};
std::string_view to_string(ModelAct act);  // "rolled_back"
bool parse_model_act(std::string_view word, ModelAct& out);

struct ModelEvent {
  ModelAct act{};
  std::string digest;  // "": the one that is configured or installed
  WallMs at_ms = 0;
  std::string by;

  friend bool operator==(const ModelEvent&, const ModelEvent&) = default;
};

// One change: committed as a whole.
struct ModelChange {
  std::optional<RegisteredModel> added;
  ModelEvent event;
};

}  // namespace hyades
