#pragma once

#include <memory>
#include <string>

#include "rank_group.hpp"

namespace hyades::jobscripts {

struct TcpPlace {
  int rank = 0;
  int size = 1;
  std::string address;  // of rank 0, which listens there; the others connect
  int port = 0;
  int patience_s = 120;  // for all to be there, and then for each message
};

/// Whoever can reach the port can take part: for a network that is trusted, like those of MPI.
std::unique_ptr<RankGroup> join_tcp_ranks(const TcpPlace& place);

}  // namespace hyades::jobscripts
