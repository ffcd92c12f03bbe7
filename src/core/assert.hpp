// HYADES_ASSERT guards states that cannot happen unless Hyades itself is wrong. It stays on in
// release builds: a control plane that is crash-only is better off restarting from its store than
// going on with a broken table. What users, disks or networks can cause is never asserted.
#pragma once

namespace hyades {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace hyades

#define HYADES_ASSERT(expression)      \
  ((expression) ? static_cast<void>(0) \
                : ::hyades::assertion_failed(#expression, __FILE__, __LINE__))
