#include "cli/feature_page.hpp"

#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"

namespace hyades {
Json features_json(const pb::JobFeatures& job) {
  Json out;
  out["job"] = job.job();
  out["at"] = utc_time(job.at_ms());
  out["features"] = Json::array();
  for (const pb::Feature& feature : job.features()) {
    out["features"].push_back({{"name", feature.name()},
                               {"value", feature.value()},
                               {"unit", feature.unit()},
                               {"meaning", feature.meaning()}});
  }
  return out;
}

std::string features_page(const pb::JobFeatures& job) {
  Table table({{"NAME"}, {"VALUE", true}, {"UNIT"}, {"MEANING", false, 20}});
  for (const pb::Feature& feature : job.features()) {
    table.add(
        {feature.name(), printed("%.4g", feature.value()), feature.unit(), feature.meaning()});
  }
  return "Job " + std::to_string(job.job()) + ", as of " + local_time(job.at_ms()) + "\n" +
         table.render(detect_terminal(ColourChoice::Auto));
}

}  // namespace hyades
