// A memory-bound job: the triad of the STREAM benchmark, a = b + s * c over large arrays.
#include <cstdio>
#include <vector>

#include "checksum.hpp"
#include "kernel_options.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

using Array = std::vector<double>;

// Whole numbers, so that the checksum is the same on every machine.
Array make_array(std::size_t size, std::size_t period) {
  Array array(size);
  for (std::size_t i = 0; i < size; ++i) array[i] = static_cast<double>(i % period);
  return array;
}

// Never inlined: the compiler would see that all passes write the same and keep only one.
// Plain pointers, because the checked operator[] of a hardened build would be measured too.
[[gnu::noinline]] void triad(double* a, const double* b, const double* c, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) a[i] = b[i] + 3.0 * c[i];
}

int stream(std::size_t mebibytes, const Work& work) {
  const std::size_t size = (mebibytes << 20U) / sizeof(double);
  const Array b = make_array(size, 1021);
  const Array c = make_array(size, 2039);
  Array a(size);
  const Measured measured = measure(
      work, [&] { triad(a.data(), b.data(), c.data(), size); }, [&] { return checksum_of(a); });
  const double bytes = 3.0 * double(size) * sizeof(double) * measured.repeats;
  std::printf("RESULT memory_kernel gbs=%.2f checksum=%016llx repeats=%d seconds=%.2f\n",
              bytes / measured.busy_seconds / 1e9,
              static_cast<unsigned long long>(measured.checksum), measured.repeats,
              measured.busy_seconds);
  return kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned mebibytes = 0;
  Work work;
  po::options_description table("Options");
  table.add_options()(
      "mebibytes",
      po::value(&mebibytes)->default_value(64)->notifier(within("mebibytes", 1U, 1U << 20U)),
      "size of each of the three arrays; well beyond the last cache");
  work.describe(table);
  return run_program(argc, argv, "Keeps the memory busy with the STREAM triad.", table,
                     [&](const po::variables_map&) { return stream(mebibytes, work); });
}
