#include "sim/marks.hpp"

namespace hyades {

const char* Marks::name(std::size_t index) {
#define HYADES_SIM_MARK(name) #name,
  static constexpr const char* names[] = {HYADES_SIM_MARKS(HYADES_SIM_MARK)};
#undef HYADES_SIM_MARK
  return names[index];
}

}  // namespace hyades
