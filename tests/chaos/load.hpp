// Clients that keep a cluster busy with probe jobs, whatever happens to it, and remember what they
// were told. They use the client library itself, with a token a job, and ask again until they have
// an answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "checker.hpp"
#include "wire/client_connection.hpp"

namespace hyades::test {

struct LoadOptions {
  std::string state_directory;
  std::string journal_directory;
  std::string probe;  // the program
  // More than 1: jobs on up to so many nodes, most with a step: by `hrun`, or by the system's
  // mpirun for `mpi_probe`.
  int widest = 1;
  std::string hrun;
  std::string mpi_probe;
  int clients = 3;
  int queued = 24;        // more are not submitted while so many wait
  int longest_ms = 2000;  // of a job
  // A client looks fifty times a second whether more jobs are wanted; one in so many times it also
  // submits something again, or cancels something.
  unsigned again_every = 12;
  unsigned cancel_every = 15;
  unsigned seed = 1;
};

class Load {
 public:
  explicit Load(LoadOptions options);
  ~Load();

  void start();
  // Lets what is held go, and returns when every client has had its last answer.
  void stop();

  // One more job whose script is so long that a node is busy for a while to start it.
  void submit_slow_starter();

  // Valid after stop(): into the evidence.
  const std::vector<SubmitAck>& submits() const { return submits_; }
  const std::vector<CancelAck>& cancels() const { return cancels_; }
  // "" or what a client met that it must never meet.
  std::string failure();

 private:
  struct Client;

  void run(unsigned number);
  void submit(Client& client, bool slow_start);
  // What the script does, and in `spec` and `ack` what it needs for that.
  std::string command(Client& client, const std::string& label, pb::JobSpec& spec, SubmitAck& ack);
  void submit_again(Client& client);
  void cancel_something(Client& client);
  void settle_held(Client& client, bool all);
  void cancel(Client& client, std::uint64_t job, bool had_not_started);
  bool ask(Client& client, const pb::ClientRequest& request, pb::ClientReply& reply);
  void note(const SubmitAck& ack);
  void fail(const std::string& what);

  LoadOptions options_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
  std::mutex mutex_;  // of all below
  std::vector<SubmitAck> submits_;
  std::vector<CancelAck> cancels_;
  std::string failure_;
  unsigned slow_starters_ = 0;
};

// CLOCK_BOOTTIME, as in the journals.
std::int64_t boot_now_ns();

}  // namespace hyades::test
