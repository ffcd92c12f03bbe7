// Deliberate defects and sudden deaths, compiled only into the tests' copies of the libraries
// (HYADES_TEST_HOOKS); in everything that is installed both macros are nothing.
//
// HYADES_DEFECT("name") is true when a test asked for that defect: each names one way in which the
// code could be wrong, and the simulation must notice it.

#pragma once

#ifdef HYADES_TEST_HOOKS
#include <string>

namespace hyades {
// The one defect that is switched on, or "". Tests set it; nothing else does.
inline std::string active_defect;
}  // namespace hyades

#define HYADES_DEFECT(name) (::hyades::active_defect == (name))
#else
#define HYADES_DEFECT(name) false
#endif
