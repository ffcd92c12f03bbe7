// The processes that train together: ranks 0 .. size - 1 of mpirun. Every rank calls the same
// functions in the same order. One thread. Where another rank is gone, Open MPI ends all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace hyades::learned {

class TrainingRanks {
 public:
  virtual ~TrainingRanks() = default;
  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_first() const { return rank_ == 0; }

  // Rank 0's bytes, for every rank; what others give is not looked at.
  std::string from_first(std::string bytes);
  // Every rank's bytes, by rank. Only rank 0 gets any.
  std::vector<std::string> to_first(std::string bytes);
  // In good order; nothing may be asked of it after that. Without it a rank that ends takes all
  // others along.
  virtual void leave() = 0;

 protected:
  TrainingRanks(int rank, int size) : rank_(rank), size_(size) {}
  // One of the two ranks is 0.
  virtual void send(int to, const std::string& bytes) = 0;
  virtual std::string receive(int from) = 0;

 private:
  int rank_;
  int size_;
};

// What mpirun says in the environment; 0 and 1 where it did not start this process.
int rank_by_mpirun();
int ranks_by_mpirun();

// MPI where mpirun started this process, else a rank alone, at no cost. Call it once.
std::unique_ptr<TrainingRanks> join_training_ranks();

}  // namespace hyades::learned
