#include "core/node_profile.hpp"

#include <cmath>

#include "core/job_spec.hpp"
#include "core/work_class.hpp"

namespace hyades {
namespace {

constexpr std::size_t kFiguresMost = 1000;

}  // namespace

std::string check_profile(const NodeProfile& profile) {
  if (profile.figures.empty()) return "a profile has at least one figure";
  if (profile.figures.size() > kFiguresMost) return "a profile has at most 1000 figures";
  if (profile.source.size() > Limits::name_bytes_max || !is_printable_utf8(profile.source)) {
    return "the profile's source is not a printable name";
  }
  for (const auto& [name, value] : profile.figures) {
    const std::string wrong = check_class_name(name);
    if (!wrong.empty()) return "figure '" + name + "': " + wrong;
    if (!std::isfinite(value) || value <= 0) {
      return "figure '" + name + "' is not a number above 0";
    }
    if (value < kProfileFigureLeast || value > kProfileFigureMost) {
      return "figure '" + name + "' is not from 1e-9 to 1e18; choose another unit";
    }
  }
  return "";
}

}  // namespace hyades
