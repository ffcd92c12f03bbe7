// The models of the learned policy as clients are shown them.
#pragma once

#include <map>
#include <string>

#include "hyades.pb.h"
#include "master/model_glance.hpp"
#include "master/model_keeper.hpp"
#include "master/telemetry_store.hpp"

namespace hyades {

// `configured`: [policy] model of the configuration in effect.
pb::ModelList model_list(const ModelKeeper& keeper, const std::string& configured,
                         const std::map<std::string, ModelTally>& tallies, ModelGlance& glance);

// By what the one in use is that: "promoted", "configured" or "installed".
std::string source_in_use(const ModelRegistry& registry, const std::string& configured);

}  // namespace hyades
