// A step daemon's side of one connection: asks for the proof, starts the tasks, carries their
// streams and signals, and ends them when the other side goes away.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "step/input_feeder.hpp"
#include "step/output_pump.hpp"
#include "step/own_temporaries.hpp"
#include "step/step_channel.hpp"
#include "step/step_task.hpp"

namespace hyades {

// What the daemon itself was started with.
struct StepNodeFacts {
  std::string node;
  std::string key;          // "": whoever is connected is trusted
  Environment environment;  // its own, without the key
  DescriptorLimit limit;
};

class StepSession {
 public:
  // `facts` and `loop` must outlive it. Never destroyed from within its own handlers: ask
  // is_finished() between turns of the loop.
  StepSession(EventLoop& loop, const StepNodeFacts& facts, UniqueFd socket);
  ~StepSession();

  void child_has_changed();

  // The daemon is asked to end: so are the tasks.
  void terminate();

  bool is_trusted() const { return trusted_; }
  bool has_tasks() const { return running_ > 0; }
  // Disconnected, and nothing of it runs.
  bool is_finished() const { return !channel_.is_open() && running_ == 0; }

 private:
  void received(StepMessage&& message);
  void check_proof(const StepResponse& response);
  void act(const PickPort& order);
  void act(const StartTasks& order);
  void act(const StopTasks& order);
  bool start_all(const StartTasks& order, StartRefused& refusal);
  bool prepare_environment(const StartTasks& order, Environment& environment,
                           StartRefused& refusal);
  void attach(int number, StepTask& task);
  void signal_all(int signal);
  void disconnected();
  void all_have_exited();
  void linger();
  void say_ended();
  void drop(const std::string& why);

  EventLoop& loop_;
  const StepNodeFacts& facts_;
  StepChannel channel_;
  bool trusted_ = false;
  std::string nonce_;
  bool started_ = false;
  bool over_ = false;
  std::vector<StepTask> tasks_;
  int running_ = 0;
  InputFeeder input_;
  OutputPump output_;
  OwnTemporaries temporaries_;
  EventLoop::Timer timer_{};
  std::uint64_t lingered_at_ = 0;
};

}  // namespace hyades
