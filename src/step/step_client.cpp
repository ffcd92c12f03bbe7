#include "step/step_client.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "core/hostlist.hpp"
#include "core/id_set.hpp"

namespace hyades {
namespace {

using std::chrono::milliseconds;

constexpr int passed_on[] = {SIGINT,  SIGTERM, SIGHUP,  SIGUSR1, SIGUSR2,
                             SIGQUIT, SIGALRM, SIGCONT, SIGTSTP};
constexpr milliseconds opening_time{20'000};
constexpr milliseconds impatience{1000};  // two interrupts within it kill
constexpr int bad_exit_grace_ms = 5000;
// Signals that mean "end" before there is anybody to pass them on to.
constexpr int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

bool is_ending(int signal) {
  return std::find(std::begin(ending), std::end(ending), signal) != std::end(ending);
}

std::string signal_text(int signal) {
  const char* name = sigabbrev_np(signal);
  return "killed by signal " + std::to_string(signal) +
         (name == nullptr ? "" : std::string(" (") + name + ")");
}

LineMerger::Style style_of(const StepOrder& order) {
  if (order.label) return LineMerger::Style::Labelled;
  const bool single = order.shares.size() == 1 && order.shares[0].tasks == 1;
  return single ? LineMerger::Style::AsItComes : LineMerger::Style::WholeLines;
}

// Of which of its tasks a node speaks; 0 when of none.
int task_of(const StepMessage& message) {
  if (const auto* output = std::get_if<TaskOutput>(&message)) return output->task;
  if (const auto* end = std::get_if<OutputEnd>(&message)) return end->task;
  if (const auto* exit = std::get_if<TaskExited>(&message)) return exit->task;
  return 0;
}

UniqueFd catch_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (int signal : passed_on) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

}  // namespace

StepClient::StepClient(StepOrder order)
    : order_(std::move(order)),
      signals_(catch_signals()),
      out_(loop_, STDOUT_FILENO, [this] { outputs_changed(); }),
      err_(loop_, STDERR_FILENO, [this] { outputs_changed(); }),
      merger_(style_of(order_)),
      input_(loop_, STDIN_FILENO,
             {[this](std::size_t node, const std::string& bytes) {
                nodes_[node].link->send(TaskInput{bytes});
              },
              [this](std::size_t node) { nodes_[node].link->send(InputEnd{}); }}) {
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { signals_arrived(); });
}

int StepClient::run() {
  open_all();
  while (!is_over()) {
    loop_.turn();
    stop_when_asked();
  }
  loop_.cancel(timer_);
  report();
  flush();
  if (out_.error() != 0 && out_.error() != EPIPE) raise_exit_code(1);
  for (Node& node : nodes_) node.link->close(!given_up_);
  return exit_code_;
}

// As long as it takes, unless we were told to give up.
void StepClient::flush() {
  bool late = false;
  EventLoop::Timer timer{};
  bool is_timed = false;
  while (!late && (!out_.is_empty() || !err_.is_empty())) {
    if (given_up_ && !is_timed) timer = loop_.after(impatience, [&late] { late = true; });
    is_timed = given_up_;
    loop_.turn();
  }
  loop_.cancel(timer);
}

bool StepClient::is_over() const {
  return given_up_ ||
         std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.over; });
}

// ---- Starting -----------------------------------------------------------------------------------

void StepClient::open_all() {
  nodes_.resize(order_.shares.size());  // handlers keep references
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    node.link = std::make_unique<NodeLink>(
        loop_, order_.shares[i], order_.step_key,
        NodeLink::Handlers{
            [this, &node] { ready(node); },
            [this, &node](StepMessage&& message) { received(node, std::move(message)); },
            [this, &node](const std::string& why) { lost(node, why); }});
  }
  timer_ = loop_.after(opening_time, [this] {
    for (const Node& node : nodes_) {
      if (!node.ready) return give_up(1, "node " + node.link->node() + " does not answer");
    }
  });
  for (Node& node : nodes_) {
    std::string error;
    if (given_up_ || node.link->open(order_.stepd, limit_, error)) continue;
    give_up(1, "node " + node.link->node() + ": " + error);
  }
}

void StepClient::ready(Node& node) {
  node.ready = true;
  // Rank 0's node knows which of its ports are free.
  if (!asked_for_port_ && nodes_[0].ready) {
    asked_for_port_ = true;
    nodes_[0].link->send(PickPort{order_.port_seed});
  }
  start_when_ready();
}

void StepClient::port_picked(int port) {
  if (port == 0) return give_up(1, "node " + nodes_[0].link->node() + " has no free port");
  master_port_ = port;
  start_when_ready();
}

void StepClient::start_when_ready() {
  const bool all_ready =
      std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.ready; });
  if (!all_ready || master_port_ == 0 || given_up_ || started_) return;
  loop_.cancel(timer_);
  started_ = true;
  StartTasks start;
  start.arguments = order_.arguments;
  start.environment = step_environment(
      order_.environment, {order_.shares, getpid(), order_.shares[0].where.address, master_port_});
  start.directory = order_.directory;
  start.umask = order_.umask;
  start.slurm_names = has_slurm_names(order_.environment);
  start.own_temporaries = order_.own_temporaries;
  for (Node& node : nodes_) {
    const StepShare& share = node.link->share();
    start.first_rank = share.first_rank;
    start.tasks = share.tasks;
    start.input_task = order_.input_rank == input_to_all ? input_to_all
                       : gets_input(node)                ? order_.input_rank - share.first_rank
                                                         : input_to_none;
    node.link->send(start);
    ++start.node_rank;
  }
}

// ---- What the nodes say -------------------------------------------------------------------------

void StepClient::received(Node& node, StepMessage&& message) {
  const int first = node.first_rank();
  if (task_of(message) >= node.link->share().tasks) return lost(node, "it speaks of other tasks");
  if (const auto* output = std::get_if<TaskOutput>(&message)) {
    print(first + output->task, *output);
  } else if (const auto* end = std::get_if<OutputEnd>(&message)) {
    end_line(first + end->task, *end);
  } else if (const auto* taken = std::get_if<InputTaken>(&message)) {
    input_.taken(static_cast<std::size_t>(&node - nodes_.data()), taken->bytes);
  } else if (const auto* exit = std::get_if<TaskExited>(&message)) {
    task_exited(node, *exit);
  } else if (const auto* port = std::get_if<PortPicked>(&message)) {
    port_picked(port->port);
  } else if (std::get_if<TasksStarted>(&message) != nullptr) {
    started(node);
  } else if (const auto* refusal = std::get_if<StartRefused>(&message)) {
    refused(node, *refusal);
  } else if (std::get_if<StepEnded>(&message) != nullptr) {
    node.over = true;
    input_.remove(static_cast<std::size_t>(&node - nodes_.data()));
  }
}

void StepClient::started(Node& node) {
  node.started = true;
  // It starts after another node has refused.
  if (stopping_) node.link->send(StopTasks{bad_exit_grace_ms});
  begin_input();
}

bool StepClient::gets_input(const Node& node) const {
  const int task = order_.input_rank - node.first_rank();
  return order_.input_rank == input_to_all ||
         (order_.input_rank >= 0 && task >= 0 && task < node.link->share().tasks);
}

// Once all who get it are there: each gets all of it. Before, it is left to whoever comes next.
void StepClient::begin_input() {
  const bool all_there = std::all_of(nodes_.begin(), nodes_.end(), [this](const Node& node) {
    return !gets_input(node) || node.started || node.over;
  });
  if (!all_there || input_begun_ || stopping_) return;
  input_begun_ = true;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (gets_input(nodes_[i]) && !nodes_[i].over) input_.add(i);
  }
}

void StepClient::task_exited(Node& node, const TaskExited& end) {
  const int code = end.signal == 0 ? end.exit_code : 128 + end.signal;
  // That it did what we told it says nothing.
  if (stopping_ && (end.signal == SIGTERM || end.signal == SIGKILL)) return;
  raise_exit_code(code);
  if (code == 0) return;
  const bool expected = end.signal == SIGPIPE && (closed_outputs_[0] || closed_outputs_[1]);
  // A single task has said itself what was wrong.
  const bool single = nodes_.size() == 1 && node.link->share().tasks == 1 && end.signal == 0;
  if (!expected && !single) {
    const std::string how =
        end.signal == 0 ? "exit code " + std::to_string(end.exit_code) : signal_text(end.signal);
    failures_[{node.link->node(), how}].insert(node.first_rank() + end.task);
  }
  if (order_.kill_on_bad_exit) stop_all(bad_exit_grace_ms);
}

void StepClient::refused(Node& node, const StartRefused& refusal) {
  node.over = true;
  refusals_[refusal.reason].push_back(node.link->node());
  raise_exit_code(refusal.exit_code);
  stop_all(bad_exit_grace_ms);
}

void StepClient::lost(Node& node, const std::string& why) {
  if (node.over || given_up_) return;
  node.over = true;
  input_.remove(static_cast<std::size_t>(&node - nodes_.data()));
  const std::string text = "node " + node.link->node() + ": " + why;
  if (!started_) return give_up(1, text);
  complain(text + "; the step's other tasks are stopped");
  raise_exit_code(1);
  stop_all(bad_exit_grace_ms);
}

// ---- Output -------------------------------------------------------------------------------------

void StepClient::print(int rank, const TaskOutput& output) {
  std::string text;
  merger_.add(rank, output.stream, output.bytes, text);
  (output.stream == 1 ? out_ : err_).write(text);
  outputs_changed();
}

void StepClient::end_line(int rank, const OutputEnd& end) {
  std::string text;
  merger_.end(rank, end.stream, text);
  (end.stream == 1 ? out_ : err_).write(text);
}

// Where nobody reads, the tasks learn of it; where somebody reads slowly, they wait.
void StepClient::outputs_changed() {
  for (int stream = 1; stream <= 2; ++stream) {
    const int error = (stream == 1 ? out_ : err_).error();
    if (error == 0 || closed_outputs_[stream - 1]) continue;
    closed_outputs_[stream - 1] = true;
    if (stream == 1 && error != EPIPE) {
      complain(std::string("cannot write to standard output: ") + std::strerror(error));
    }
    send_to_all(CloseOutput{stream});
  }
  const bool full = out_.is_full() || err_.is_full();
  for (Node& node : nodes_) {
    if (node.link) node.link->hold(full);
  }
}

void StepClient::complain(const std::string& text) { err_.write(order_.name + ": " + text + "\n"); }

void StepClient::report() {
  for (const auto& [why, nodes] : refusals_) {
    complain((nodes.size() == 1 ? "node " : "nodes ") + compress_hostlist(nodes) + ": " + why);
  }
  for (const auto& [what, ranks] : failures_) {
    IdSet set;
    for (int rank : ranks) set.insert(rank);
    complain((ranks.size() == 1 ? "task " : "tasks ") + set.to_string() + " on " + what.first +
             ": " + what.second);
  }
}

// ---- Signals and ends ---------------------------------------------------------------------------

void StepClient::signals_arrived() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    pass_on(static_cast<int>(info.ssi_signo));
  }
}

void StepClient::pass_on(int signal) {
  if (!started_) {
    if (is_ending(signal)) give_up(128 + signal, "interrupted before the tasks were started");
    return;
  }
  if (signal == SIGINT) {
    const auto now = EventLoop::Clock::now();
    interrupts_ = now - last_interrupt_ < impatience ? interrupts_ + 1 : 1;
    last_interrupt_ = now;
    // Whatever still keeps us, perhaps a reader that does not read, is waited for no longer.
    if (interrupts_ > 2 || is_over()) return give_up(128 + SIGINT, "interrupted");
    if (interrupts_ == 2) signal = SIGKILL;
  }
  send_to_all(SignalTasks{signal});
  wants_to_stop_ = wants_to_stop_ || signal == SIGTSTP;
}

// As a shell expects of what it has sent SIGTSTP to.
void StepClient::stop_when_asked() {
  if (!wants_to_stop_) return;
  const bool told = std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return node.over || node.link->has_sent_all();
  });
  if (!told) return;
  wants_to_stop_ = false;
  raise(SIGSTOP);
}

void StepClient::stop_all(int grace_ms) {
  if (stopping_) return;
  stopping_ = true;
  send_to_all(StopTasks{grace_ms});
}

void StepClient::give_up(int exit_code, const std::string& why) {
  if (given_up_) return;
  given_up_ = true;
  exit_code_ = exit_code;
  complain(why);
}

void StepClient::send_to_all(const StepMessage& message) {
  for (Node& node : nodes_) {
    if (!node.over) node.link->send(message);
  }
}

}  // namespace hyades
