#include "step/step_session.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "step/free_port.hpp"
#include "step/step_auth.hpp"
#include "step/task_program.hpp"

namespace hyades {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds greeting_time{5000};
// For the tasks of an hrun that is gone, and of a daemon that must end.
constexpr int abandoned_grace_ms = 5000;
// A process that left its task's group may hold the output open; it is waited for while it prints.
constexpr milliseconds linger_time{500};

bool is_directory(const std::string& path) {
  struct stat facts = {};
  return stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

void set(Environment& environment, const std::string& name, const std::string& value) {
  std::erase_if(environment,
                [&](const std::string& variable) { return variable.starts_with(name + '='); });
  if (!value.empty()) environment.push_back(name + '=' + value);
}

}  // namespace

StepSession::StepSession(EventLoop& loop, const StepNodeFacts& facts, UniqueFd socket)
    : loop_(loop),
      facts_(facts),
      channel_(loop, std::move(socket),
               {[this](StepMessage&& message) { received(std::move(message)); },
                [this](const std::string&) { disconnected(); }, [this] { output_.resume(); }}),
      input_(loop, [this](std::uint64_t bytes) { channel_.send(InputTaken{bytes}); }),
      output_(loop, {[this](int task, int stream, std::string&& bytes) {
                       channel_.send(TaskOutput{task, stream, std::move(bytes)});
                     },
                     [this](int task, int stream) {
                       channel_.send(OutputEnd{task, stream});
                       if (running_ == 0 && output_.is_empty()) say_ended();
                     },
                     [this] { return !channel_.is_full(); }}) {
  if (facts_.key.empty()) {
    trusted_ = true;
    channel_.trust();
    return;
  }
  nonce_ = fresh_nonce();
  channel_.send(StepChallenge{nonce_});
  timer_ = loop_.after(greeting_time, [this] { drop("no proof in time"); });
}

StepSession::~StepSession() { loop_.cancel(timer_); }

void StepSession::received(StepMessage&& message) {
  if (const auto* response = std::get_if<StepResponse>(&message); response && !trusted_) {
    return check_proof(*response);
  }
  if (!trusted_) return drop("it must prove who it is first");
  if (const auto* ask = std::get_if<PickPort>(&message)) return act(*ask);
  if (const auto* start = std::get_if<StartTasks>(&message)) return act(*start);
  if (const auto* stop = std::get_if<StopTasks>(&message)) return act(*stop);
  if (std::get_if<InputEnd>(&message) != nullptr) return input_.end();
  if (const auto* signal = std::get_if<SignalTasks>(&message)) return signal_all(signal->signal);
  if (const auto* output = std::get_if<CloseOutput>(&message)) return output_.close(output->stream);
  const auto* input = std::get_if<TaskInput>(&message);
  if (input == nullptr || !input_.feed(input->bytes)) drop("an unexpected message");
}

void StepSession::check_proof(const StepResponse& response) {
  const std::string expected = client_proof(facts_.key, facts_.node, nonce_, response.nonce);
  if (response.nonce.size() != step_nonce_bytes || !same_proof(expected, response.proof)) {
    return drop("a wrong proof");
  }
  loop_.cancel(timer_);
  trusted_ = true;
  channel_.trust();
  channel_.send(StepProof{server_proof(facts_.key, facts_.node, nonce_, response.nonce)});
}

void StepSession::act(const PickPort& order) { channel_.send(PortPicked{free_port(order.seed)}); }

void StepSession::act(const StartTasks& order) {
  if (started_) return drop("a second start");
  started_ = true;
  StartRefused refusal;
  if (start_all(order, refusal)) {
    channel_.send(TasksStarted{});
    for (int i = 0; i < order.tasks; ++i) attach(i, tasks_[static_cast<std::size_t>(i)]);
    child_has_changed();  // the first may have ended while the others were started
    return;
  }
  for (StepTask& task : tasks_) release_task(task);
  tasks_.clear();
  channel_.send(refusal);
}

bool StepSession::prepare_environment(const StartTasks& order, Environment& environment,
                                      StartRefused& refusal) {
  environment = node_environment(order.environment, facts_.environment);
  // The first node's may not exist here.
  if (!is_directory(std::string(value_of(environment, "TMPDIR")))) {
    set(environment, "TMPDIR", std::string(value_of(facts_.environment, "TMPDIR")));
  }
  if (!order.own_temporaries) return true;
  const std::string parent(value_of(environment, "TMPDIR"));
  if (!temporaries_.make(parent.empty() ? "/tmp" : parent)) {
    refusal = {1, "cannot make a directory in " + (parent.empty() ? "/tmp" : parent) + ": " +
                      std::strerror(errno)};
    return false;
  }
  set(environment, "TMPDIR", temporaries_.path());
  // Named after host and rank, so the ranks of two nodes on one host would share their memory.
  set(environment, "OMPI_MCA_btl_vader_backing_directory", temporaries_.path());
  return true;
}

bool StepSession::start_all(const StartTasks& order, StartRefused& refusal) {
  if (order.arguments.empty()) {
    refusal = {1, "there is nothing to run"};
    return false;
  }
  const UniqueFd directory(open(order.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  // O_PATH opens what may not be entered.
  if (!directory || faccessat(directory.get(), ".", X_OK, AT_EACCESS) != 0) {
    refusal = {1, "cannot enter the directory '" + order.directory + "': " + std::strerror(errno)};
    return false;
  }
  Environment environment;
  if (!prepare_environment(order, environment, refusal)) return false;
  const TaskProgram program =
      find_task_program(order.arguments[0], value_of(environment, "PATH"), directory.get());
  if (program.path.empty()) {
    refusal = {program.exit_code, program.problem};
    return false;
  }
  umask(static_cast<mode_t>(order.umask));
  for (int i = 0; i < order.tasks; ++i) {
    const bool has_input = order.input_task == i || order.input_task == input_to_all;
    StepTask task;
    const int error =
        start_task({program.path, &order.arguments, task_environment(environment, order, i),
                    directory.get(), has_input, &facts_.limit},
                   task);
    if (error != 0) {
      refusal = {126, "cannot run '" + order.arguments[0] + "': " + std::strerror(error)};
      return false;
    }
    tasks_.push_back(std::move(task));
  }
  return true;
}

void StepSession::attach(int number, StepTask& task) {
  ++running_;
  if (task.input) input_.add(std::move(task.input));
  output_.add(number, 1, std::move(task.outputs[0]));
  output_.add(number, 2, std::move(task.outputs[1]));
}

void StepSession::child_has_changed() {
  if (running_ == 0) return;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    TaskExited end{static_cast<int>(i), 0, 0};
    if (!has_exited(tasks_[i], end.exit_code, end.signal)) continue;
    --running_;
    channel_.send(end);
  }
  if (running_ == 0) all_have_exited();
}

void StepSession::all_have_exited() {
  loop_.cancel(timer_);
  for (StepTask& task : tasks_) release_task(task);
  input_.close();
  if (output_.is_empty()) return say_ended();
  lingered_at_ = output_.bytes_read();
  timer_ = loop_.after(linger_time, [this] { linger(); });
}

void StepSession::linger() {
  // As long as something comes, or waits for a slow reader, there may be more.
  if (channel_.is_open() && (output_.bytes_read() != lingered_at_ || channel_.pending() > 0)) {
    lingered_at_ = output_.bytes_read();
    timer_ = loop_.after(linger_time, [this] { linger(); });
    return;
  }
  output_.close(1);
  output_.close(2);
}

void StepSession::say_ended() {
  if (over_ || !started_) return;
  over_ = true;
  loop_.cancel(timer_);
  temporaries_.remove();  // whoever hears of the end may end us
  channel_.send(StepEnded{});
}

void StepSession::signal_all(int signal) {
  // These groups have no terminal, and the kernel does not stop such by SIGTSTP.
  if (signal == SIGTSTP) signal = SIGSTOP;
  for (const StepTask& task : tasks_) signal_task(task, signal);
}

void StepSession::act(const StopTasks& order) {
  if (running_ == 0) return;
  signal_all(SIGTERM);
  signal_all(SIGCONT);
  loop_.cancel(timer_);
  timer_ = loop_.after(milliseconds(order.grace_ms), [this] { signal_all(SIGKILL); });
}

void StepSession::terminate() {
  if (running_ > 0) act(StopTasks{abandoned_grace_ms});
}

void StepSession::disconnected() {
  loop_.cancel(timer_);
  output_.resume();  // what comes now goes nowhere, but no task hangs in a write
  terminate();
}

void StepSession::drop(const std::string&) {
  channel_.close();
  disconnected();
}

}  // namespace hyades
