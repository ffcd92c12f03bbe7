#include "mpi_ranks.hpp"

#include <mpi.h>
#include <poll.h>

#include <exception>

namespace hyades::jobscripts {
namespace {

/// MPI_Wait would keep a core busy, which another rank may need: ranks wait for each other often.
void wait_for(MPI_Request& request) {
  int done = 0;
  for (int tries = 0; MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done;) {
    if (++tries > 200) poll(nullptr, 0, 1);
  }
}

class MpiRanks final : public RankGroup {
 public:
  MpiRanks(int rank, int size) : RankGroup(rank, size) {}
  ~MpiRanks() override {
    // It waits for all ranks. One that fails leaves without a word, and mpirun ends the others.
    if (std::uncaught_exceptions() == 0) MPI_Finalize();
  }

 private:
  /// Where the other rank is gone MPI ends the program by itself.
  void send(int to, const std::vector<float>& values) override {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Isend(values.data(), static_cast<int>(values.size()), MPI_FLOAT, to, 0, MPI_COMM_WORLD,
              &request);
    wait_for(request);
  }
  void receive(int from, std::vector<float>& values) override {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(values.data(), static_cast<int>(values.size()), MPI_FLOAT, from, 0, MPI_COMM_WORLD,
              &request);
    wait_for(request);
  }
};

}  // namespace

std::unique_ptr<RankGroup> join_mpi_ranks() {
  int rank = 0;
  int size = 1;
  MPI_Init(nullptr, nullptr);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return std::make_unique<MpiRanks>(rank, size);
}

}  // namespace hyades::jobscripts
