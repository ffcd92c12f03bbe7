// A compute-bound job: multiplies two matrices again and again.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "checksum.hpp"
#include "kernel_options.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

using Matrix = std::vector<double>;

// Small whole numbers: all sums are exact, so the checksum does not depend on the order of the
// additions, the compiler or the machine.
Matrix make_matrix(std::size_t size, std::size_t stride) {
  Matrix matrix(size * size);
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    matrix[i] = static_cast<double>(i * stride % 17) - 8.0;
  }
  return matrix;
}

constexpr std::size_t kTileRows = 4;
constexpr std::size_t kTileColumns = 4;

/// A tile of the product held in registers while it runs along the inner dimension.
void multiply_tile(const double* a, const double* b, double* c, std::size_t size) {
  double sum[kTileRows][kTileColumns] = {};
  for (std::size_t k = 0; k < size; ++k) {
    for (std::size_t i = 0; i < kTileRows; ++i) {
      for (std::size_t j = 0; j < kTileColumns; ++j) {
        sum[i][j] += a[i * size + k] * b[k * size + j];
      }
    }
  }
  for (std::size_t i = 0; i < kTileRows; ++i) {
    std::copy(sum[i], sum[i] + kTileColumns, c + i * size);
  }
}

/// c = a * b. The size is a multiple of the tile.
void multiply(const Matrix& a, const Matrix& b, Matrix& c, std::size_t size) {
  for (std::size_t j = 0; j < size; j += kTileColumns) {
    for (std::size_t i = 0; i < size; i += kTileRows) {
      multiply_tile(&a[i * size], &b[j], &c[i * size + j], size);
    }
  }
}

int compute(std::size_t size, const Work& work) {
  const Matrix a = make_matrix(size, 7);
  const Matrix b = make_matrix(size, 11);
  Matrix c(size * size);
  const Measured measured = measure(
      work, [&] { multiply(a, b, c, size); }, [&] { return checksum_of(c); });
  const double operations = 2.0 * double(size) * double(size) * double(size) * measured.repeats;
  std::printf("RESULT compute_kernel gflops=%.2f checksum=%016llx repeats=%d seconds=%.2f\n",
              operations / measured.busy_seconds / 1e9,
              static_cast<unsigned long long>(measured.checksum), measured.repeats,
              measured.busy_seconds);
  return kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned size = 0;
  Work work;
  po::options_description table("Options");
  table.add_options()("size",
                      po::value(&size)->default_value(384)->notifier(within("size", 4U, 8192U)),
                      "rows of the matrices, a multiple of 4");
  work.describe(table);
  return run_program(argc, argv, "Keeps one core busy with a matrix product.", table,
                     [&](const po::variables_map&) {
                       if (size % 4 != 0) throw po::error("--size must be a multiple of 4");
                       return compute(size, work);
                     });
}
