#pragma once

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace hyades::jobscripts {

/// Torch's own setting does not reach the threads of OpenBLAS, and that library is not linked
/// by name: it may be any BLAS the machine has.
inline void use_one_thread() {
  at::set_num_threads(1);
  using SetThreads = void (*)(int);
  if (auto* set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set(1);
  }
}

}  // namespace hyades::jobscripts
