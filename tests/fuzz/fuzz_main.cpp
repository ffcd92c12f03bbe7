// Entry point of one libFuzzer program; HYADES_FUZZ_TARGET names its target.
#include <cstddef>
#include <cstdint>

#include "fuzz_targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyades::fuzz::HYADES_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
