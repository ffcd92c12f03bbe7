#include "join_ranks.hpp"

#include <climits>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "mpi_ranks.hpp"
#include "tcp_ranks.hpp"

namespace hyades::jobscripts {
namespace {

const char* required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') {
    throw std::runtime_error(std::string("WORLD_SIZE is set and ") + name +
                             " is not: start it with hrun, which sets both");
  }
  return value;
}

int number(const char* name, int low, int high) {
  const char* text = required(name);
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < low || value > high) {
    throw std::runtime_error(std::string(name) + "=" + text + " must be a number from " +
                             std::to_string(low) + " to " + std::to_string(high));
  }
  return static_cast<int>(value);
}

}  // namespace

std::unique_ptr<RankGroup> join_ranks(int size_max) {
  const bool has_mpi = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
  const char* const size_name = has_mpi ? "OMPI_COMM_WORLD_SIZE" : "WORLD_SIZE";
  if (std::getenv(size_name) == nullptr) return std::make_unique<LoneRank>();
  const int size = number(size_name, 1, INT_MAX);
  if (size > size_max) {
    throw std::runtime_error(std::to_string(size) + " ranks are too many: at most " +
                             std::to_string(size_max) + " can share the work");
  }
  if (has_mpi) return join_mpi_ranks();
  if (size == 1) return std::make_unique<LoneRank>();
  return join_tcp_ranks({.rank = number("RANK", 0, size - 1),
                         .size = size,
                         .address = required("MASTER_ADDR"),
                         .port = number("MASTER_PORT", 1, 65535)});
}

}  // namespace hyades::jobscripts
