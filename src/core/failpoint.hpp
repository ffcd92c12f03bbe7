// Places at which a test may end the process: HYADES_FAILPOINT("after_commit") does nothing unless
// the code was built with HYADES_TEST_HOOKS, a handler was installed, and it decides to strike.
// The handler that reads the environment and really kills is in wire/failpoint_env.hpp; the
// simulation installs one that throws.
#pragma once

#ifdef HYADES_TEST_HOOKS
namespace hyades {
// Called with the failpoint's name each time it is passed; nullptr: none. Set once at start.
inline void (*failpoint_handler)(const char* name) = nullptr;
}  // namespace hyades
#define HYADES_FAILPOINT(name)                                          \
  do {                                                                  \
    if (::hyades::failpoint_handler) ::hyades::failpoint_handler(name); \
  } while (false)
#else
#define HYADES_FAILPOINT(name) \
  do {                         \
  } while (false)
#endif
