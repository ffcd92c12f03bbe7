// A job that talks: each of its ranks sends every other one a MiB, so often.
//
//   mpirun hyades_bench_exchange ROUNDS
#include <mpi.h>

#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  constexpr int kBytes = 1 << 20;
  int size = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1;
  std::vector<char> out(static_cast<std::size_t>(size) * kBytes), in(out.size());
  for (int i = 0; i < rounds; ++i) {
    MPI_Alltoall(out.data(), kBytes, MPI_CHAR, in.data(), kBytes, MPI_CHAR, MPI_COMM_WORLD);
  }
  MPI_Finalize();
  return 0;
}
