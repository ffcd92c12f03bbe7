#include "policy/learned/training_ranks.hpp"

#include <mpi.h>
#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace hyades::learned {
namespace {

constexpr std::size_t kPieceMost = std::size_t{1} << 30;  // MPI counts with an int

class LoneRank final : public TrainingRanks {
 public:
  LoneRank() : TrainingRanks(0, 1) {}
  void leave() override {}

 private:
  void send(int, const std::string&) override {}
  std::string receive(int) override { return {}; }
};

// MPI_Wait would keep a core busy that another rank may need: rank 0 learns for long.
void wait_for(MPI_Request& request) {
  int done = 0;
  for (int tries = 0; MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done;) {
    if (++tries > 200) poll(nullptr, 0, 1);
  }
}

class MpiRanks final : public TrainingRanks {
 public:
  MpiRanks(int rank, int size) : TrainingRanks(rank, size) {}
  void leave() override { MPI_Finalize(); }

 private:
  void send(int to, const std::string& bytes) override {
    const std::uint64_t size = bytes.size();
    send_piece(to, reinterpret_cast<const char*>(&size), sizeof size);
    for (std::size_t at = 0; at < bytes.size(); at += kPieceMost) {
      send_piece(to, bytes.data() + at, std::min(kPieceMost, bytes.size() - at));
    }
  }
  std::string receive(int from) override {
    std::uint64_t size = 0;
    receive_piece(from, reinterpret_cast<char*>(&size), sizeof size);
    std::string bytes(size, '\0');
    for (std::size_t at = 0; at < bytes.size(); at += kPieceMost) {
      receive_piece(from, bytes.data() + at, std::min(kPieceMost, bytes.size() - at));
    }
    return bytes;
  }

  static void send_piece(int to, const char* bytes, std::size_t size) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Isend(bytes, static_cast<int>(size), MPI_BYTE, to, 0, MPI_COMM_WORLD, &request);
    wait_for(request);
  }
  static void receive_piece(int from, char* bytes, std::size_t size) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(bytes, static_cast<int>(size), MPI_BYTE, from, 0, MPI_COMM_WORLD, &request);
    wait_for(request);
  }
};

int from_environment(const char* name, int missing) {
  const char* const text = std::getenv(name);
  return text == nullptr ? missing : std::atoi(text);
}

}  // namespace

std::string TrainingRanks::from_first(std::string bytes) {
  if (!is_first()) return receive(0);
  for (int other = 1; other < size_; ++other) send(other, bytes);
  return bytes;
}

std::vector<std::string> TrainingRanks::to_first(std::string bytes) {
  if (!is_first()) {
    send(0, bytes);
    return {};
  }
  std::vector<std::string> all{std::move(bytes)};
  for (int other = 1; other < size_; ++other) all.push_back(receive(other));
  return all;
}

int rank_by_mpirun() { return from_environment("OMPI_COMM_WORLD_RANK", 0); }
int ranks_by_mpirun() { return from_environment("OMPI_COMM_WORLD_SIZE", 1); }

// MPI_Init alone takes a tenth of a second and starts a thread, and would need mpirun's daemon.
std::unique_ptr<TrainingRanks> join_training_ranks() {
  if (ranks_by_mpirun() <= 1) return std::make_unique<LoneRank>();
  int provided = 0, rank = 0, size = 1;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return std::make_unique<MpiRanks>(rank, size);
}

}  // namespace hyades::learned
