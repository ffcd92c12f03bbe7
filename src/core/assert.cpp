#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace hyades {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "hyades: internal error: %s does not hold at %s:%d\n", expression, file,
               line);
  std::abort();
}

}  // namespace hyades
