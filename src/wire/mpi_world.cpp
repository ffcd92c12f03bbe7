#include "wire/mpi_world.hpp"

#include <mpi.h>

#include <stdexcept>

namespace hyades {

MpiWorld MpiWorld::init(int& argc, char**& argv) {
  int provided = 0;
  MpiWorld world;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS ||
      MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) != MPI_SUCCESS ||
      MPI_Comm_rank(MPI_COMM_WORLD, &world.rank) != MPI_SUCCESS ||
      MPI_Comm_size(MPI_COMM_WORLD, &world.size) != MPI_SUCCESS) {
    throw std::runtime_error("MPI cannot be started; is this process run by mpirun?");
  }
  return world;
}

}  // namespace hyades
