// Many clients of the master in one thread: each connection has one request outstanding and sends
// the next as soon as it has its answer. One thread, so that the clients take as little of the
// machine as they can from what is measured.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hyades.pb.h"
#include "sample_set.hpp"

namespace hyades {

class SubmitSwarm {
 public:
  // Connects. Throws std::runtime_error.
  SubmitSwarm(const std::string& state_directory, int connections);
  ~SubmitSwarm();
  SubmitSwarm(const SubmitSwarm&) = delete;
  SubmitSwarm& operator=(const SubmitSwarm&) = delete;

  struct Result {
    std::uint64_t acks = 0;
    double seconds = 0;    // from the first request to the last answer
    SampleSet latency_ms;  // from the sending of each request to its answer

    double rate() const { return seconds > 0 ? static_cast<double>(acks) / seconds : 0; }
  };

  // Makes the next request; false when there are to be no more.
  using Next = std::function<bool(pb::ClientRequest&)>;

  // Sends requests until `next` has none, or no new ones after `seconds_max` (0: no bound), and
  // waits for every answer. Throws std::runtime_error when the master refuses one or goes away.
  Result run(const Next& next, double seconds_max);

 private:
  struct Client {
    int fd = -1;
    std::string received;
    double sent_s = 0;
  };

  void connect(const std::string& state_directory, int connections);
  bool send_next(Client& client, const Next& next);
  bool receive(Client& client);

  int epoll_ = -1;
  std::vector<Client> clients_;
  pb::ClientRequest request_;
  pb::ClientReply reply_;
  std::string frame_;
};

// Seconds by a clock that nobody sets.
double now_s();

}  // namespace hyades
