// Runs one step from where hrun is: brings its tasks up on all of their nodes, carries streams and
// signals, and says how it ended. Nothing of Hyades but the nodes' step daemons takes part: a step
// goes on while master and workers are dead.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "step/input_reader.hpp"
#include "step/line_merger.hpp"
#include "step/node_link.hpp"
#include "step/output_stream.hpp"
#include "step/task_environment.hpp"

namespace hyades {

struct StepOrder {
  std::string name;  // "hrun": in front of what it says itself
  std::vector<StepShare> shares;
  std::string step_key;
  std::vector<std::string> arguments;
  Environment environment;  // our own
  std::string directory;
  int umask = 022;
  int input_rank = 0;  // or input_to_none, input_to_all
  bool label = false;
  bool kill_on_bad_exit = false;
  bool own_temporaries = false;
  std::uint64_t port_seed = 0;
  std::string stepd;  // path of hyades-stepd
};

class StepClient {
 public:
  // Blocks the signals that it passes on, and ignores SIGPIPE.
  explicit StepClient(StepOrder order);

  // The exit code of the step: the highest of its tasks' (128 + n for signal n), at least 1 when a
  // node was lost, the daemon's when the tasks could not be started. Call once.
  int run();

 private:
  struct Node {
    std::unique_ptr<NodeLink> link;
    bool ready = false;
    bool started = false;
    bool over = false;  // ended, refused or lost
    int first_rank() const { return link->share().first_rank; }
  };

  void open_all();
  void ready(Node& node);
  void received(Node& node, StepMessage&& message);
  void started(Node& node);
  bool gets_input(const Node& node) const;
  void begin_input();
  void port_picked(int port);
  void start_when_ready();
  void task_exited(Node& node, const TaskExited& end);
  void lost(Node& node, const std::string& why);
  void refused(Node& node, const StartRefused& refusal);
  void print(int rank, const TaskOutput& output);
  void end_line(int rank, const OutputEnd& end);
  void outputs_changed();
  void signals_arrived();
  void pass_on(int signal);
  void stop_all(int grace_ms);
  void give_up(int exit_code, const std::string& why);
  void raise_exit_code(int code) { exit_code_ = std::max(exit_code_, code); }
  void complain(const std::string& text);
  void report();
  bool is_over() const;
  void send_to_all(const StepMessage& message);
  void stop_when_asked();
  void flush();

  DescriptorLimit limit_;
  StepOrder order_;
  EventLoop loop_;
  UniqueFd signals_;
  OutputStream out_;
  OutputStream err_;
  LineMerger merger_;
  std::vector<Node> nodes_;
  InputReader input_;
  bool asked_for_port_ = false;
  bool started_ = false;  // the tasks are, or are about to be
  bool input_begun_ = false;
  bool given_up_ = false;
  bool stopping_ = false;
  bool wants_to_stop_ = false;  // by SIGTSTP, once the tasks have heard of it
  int exit_code_ = 0;
  int master_port_ = 0;
  EventLoop::Timer timer_{};
  int interrupts_ = 0;  // in quick succession
  EventLoop::Clock::time_point last_interrupt_{};
  bool closed_outputs_[2] = {false, false};
  std::map<std::string, std::vector<std::string>> refusals_;  // why -> nodes
  // (node, how) -> ranks, for the report at the end.
  std::map<std::pair<std::string, std::string>, std::set<int>> failures_;
};

}  // namespace hyades
