// The step daemon of a node: accepts connections, has a session for each, and ends when told.
#pragma once

#include <list>

#include "step/event_loop.hpp"
#include "step/step_session.hpp"

namespace hyades {

class StepServer {
 public:
  // SIGCHLD and SIGTERM must be blocked by the caller, in all threads; SIGPIPE ignored.
  explicit StepServer(StepNodeFacts facts);

  // Accepts from a listening socket until SIGTERM, which goes to the tasks, too; returns when they
  // are gone.
  void serve(UniqueFd listener);

  // Serves one connected, trusted peer; returns when it has gone and its tasks have. SIGTERM is
  // left to the peer.
  void serve_one(UniqueFd socket);

 private:
  void accept_all(int listener);
  void open_session(UniqueFd socket);
  void signals_arrived();
  void turn();
  bool may_accept() const;

  StepNodeFacts facts_;
  EventLoop loop_;
  UniqueFd signals_;
  std::list<StepSession> sessions_;
  int listener_ = -1;
  bool accepting_ = false;
  bool is_starved_ = false;  // of descriptors or memory
  bool ending_ = false;
  bool obeys_term_ = false;
};

}  // namespace hyades
