#include "load.hpp"

#include <poll.h>
#include <time.h>

#include <chrono>

namespace hyades::test {

namespace {

constexpr int kAnswer_ms = 10'000;
constexpr auto kGiveUp = std::chrono::seconds(90);
constexpr std::size_t kLongScript = 3u << 20;

bool one_in(std::mt19937& random, unsigned n) { return random() % n == 0; }

}  // namespace

std::int64_t boot_now_ns() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

struct Load::Client {
  Client(const std::string& directory, unsigned number, unsigned seed)
      : connection({directory, ""}),
        name("c" + std::to_string(number)),
        random(seed * 977 + number) {}

  struct Sent {
    std::uint64_t job;
    pb::ClientRequest request;
    SubmitAck ack;
  };

  ClientConnection connection;
  std::string name;
  std::mt19937 random;
  unsigned count = 0;
  bool lost_an_answer = false;  // to the last question
  std::vector<Sent> sent;       // the last few
  std::vector<std::uint64_t> held;
};

Load::Load(LoadOptions options) : options_(std::move(options)) {}
Load::~Load() { stop(); }

void Load::start() {
  for (int i = 0; i < options_.clients; ++i) {
    threads_.emplace_back([this, i] { run(static_cast<unsigned>(i)); });
  }
}

void Load::stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::string Load::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Load::fail(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = what;
}

void Load::note(const SubmitAck& ack) {
  const std::lock_guard lock(mutex_);
  submits_.push_back(ack);
}

void Load::run(unsigned number) {
  Client client(options_.state_directory, number, options_.seed);
  pb::ClientRequest status;
  status.mutable_show_status();
  while (!stop_) {
    pb::ClientReply reply;
    if (!ask(client, status, reply)) return;
    if (reply.status().pending() >= options_.queued) {
      poll(nullptr, 0, 20);
    } else {
      submit(client, false);
    }
    if (one_in(client.random, options_.again_every)) submit_again(client);
    if (one_in(client.random, options_.cancel_every)) cancel_something(client);
    settle_held(client, false);
  }
  settle_held(client, true);
}

// Until there is an answer; then `reply` may be a refusal. False when there never was one.
bool Load::ask(Client& client, const pb::ClientRequest& request, pb::ClientReply& reply) {
  const auto until = std::chrono::steady_clock::now() + kGiveUp;
  std::string error;
  client.lost_an_answer = false;
  while (std::chrono::steady_clock::now() < until) {
    const CallResult result = client.connection.call(request, reply, kAnswer_ms, error);
    if (result == CallResult::Ok) return true;
    client.lost_an_answer = client.lost_an_answer || result == CallResult::NoAnswer;
    if (result == CallResult::Refused) break;
    poll(nullptr, 0, 20);
  }
  fail("a client got no answer: " + error);
  return false;
}

void Load::submit_slow_starter() {
  Client client(options_.state_directory, 1000 + slow_starters_++, options_.seed);
  submit(client, true);
}

void Load::submit(Client& client, bool slow_start) {
  const std::string label = client.name + "-" + std::to_string(client.count++);
  const bool may_requeue = !one_in(client.random, 5);
  const bool hold = !slow_start && one_in(client.random, 12);
  pb::ClientRequest request;
  pb::Submit& submit = *request.mutable_submit();
  submit.set_token(label + "-" + std::to_string(options_.seed));
  submit.mutable_spec()->set_name(label);
  submit.mutable_spec()->set_no_requeue(!may_requeue);
  submit.mutable_spec()->set_hold(hold);
  submit.mutable_payload()->set_working_directory(options_.journal_directory);
  submit.mutable_payload()->set_stdout_path("/dev/null");
  SubmitAck ack{.label = label, .token = submit.token(), .may_requeue = may_requeue};
  std::string script =
      "#!/bin/sh\nexec " + command(client, label, *submit.mutable_spec(), ack) + "\n";
  if (slow_start) script += "#" + std::string(kLongScript, 'x') + "\n";
  submit.mutable_payload()->set_script(script);
  // What the census goes by, and PATH for the shell.
  submit.mutable_payload()->add_environment("PATH=/usr/bin:/bin");
  pb::ClientReply reply;
  if (!ask(client, request, reply)) return;
  if (!reply.error().empty()) return fail(label + " was refused: " + reply.message());
  ack.job = reply.job();
  ack.at_ns = boot_now_ns();
  note(ack);
  if (hold) client.held.push_back(reply.job());
  if (hold || slow_start) return;
  client.sent.push_back({reply.job(), std::move(request), ack});
  if (client.sent.size() > 30) client.sent.erase(client.sent.begin());
}

std::string Load::command(Client& client, const std::string& label, pb::JobSpec& spec,
                          SubmitAck& ack) {
  const unsigned ms = 30 + client.random() % static_cast<unsigned>(options_.longest_ms);
  const bool leaves_daemon = one_in(client.random, 4);
  const auto probe = [&](const std::string& program) {
    return program + " " + options_.journal_directory + " " + label + " " + std::to_string(ms) +
           (leaves_daemon ? " daemon" : "");
  };
  spec.set_cpus_per_task(one_in(client.random, 4) ? 2 : 1);
  spec.set_tasks(1);
  if (options_.widest <= 1) return probe(options_.probe);
  const int nodes = 1 + static_cast<int>(client.random() % static_cast<unsigned>(options_.widest));
  if (nodes == 1 && one_in(client.random, 2)) return probe(options_.probe);
  ack.nodes = nodes;
  ack.tasks = nodes * (one_in(client.random, 3) ? 2 : 1);
  spec.set_nodes(ack.nodes);
  spec.set_tasks(ack.tasks);
  spec.set_tasks_per_node(ack.tasks / nodes);
  const std::string step = one_in(client.random, 2) ? "mpirun " + probe(options_.mpi_probe)
                                                    : options_.hrun + " " + probe(options_.probe);
  return options_.probe + " " + options_.journal_directory + " " + label + " 0 -- " + step +
         " task";
}

// As a client would that has not seen the first answer.
void Load::submit_again(Client& client) {
  if (client.sent.empty()) return;
  const Client::Sent& sent = client.sent[client.random() % client.sent.size()];
  pb::ClientReply reply;
  if (!ask(client, sent.request, reply)) return;
  if (!reply.error().empty()) return fail(sent.ack.label + " was refused: " + reply.message());
  SubmitAck ack = sent.ack;
  ack.job = reply.job();
  ack.at_ns = boot_now_ns();
  note(ack);
}

void Load::cancel_something(Client& client) {
  if (client.sent.empty()) return;
  cancel(client, client.sent[client.random() % client.sent.size()].job, false);
}

// A held job is released or cancelled after a while; of one that is cancelled it is certain that
// it must never start.
void Load::settle_held(Client& client, bool all) {
  while (client.held.size() > (all ? 0u : 5u)) {
    const std::uint64_t job = client.held.front();
    client.held.erase(client.held.begin());
    if (one_in(client.random, 2)) {
      cancel(client, job, true);
      continue;
    }
    pb::ClientRequest request;
    request.mutable_act_on_job()->set_job(job);
    request.mutable_act_on_job()->set_action(pb::JOB_RELEASE);
    pb::ClientReply reply;
    if (!ask(client, request, reply)) return;
    if (!reply.error().empty() && reply.message().find("has already ended") == std::string::npos) {
      fail("release of job " + std::to_string(job) + " was refused: " + reply.message());
    }
  }
}

// Asked again after a lost answer, the cancelled job may be over already: its end is then the
// answer to both.
void Load::cancel(Client& client, std::uint64_t job, bool had_not_started) {
  pb::ClientRequest request;
  request.mutable_act_on_job()->set_job(job);
  request.mutable_act_on_job()->set_action(pb::JOB_CANCEL);
  pb::ClientReply reply;
  if (!ask(client, request, reply)) return;
  const bool over = reply.message().find("has already ended") != std::string::npos;
  if (!reply.error().empty() && !over) {
    fail("cancel of job " + std::to_string(job) + " was refused: " + reply.message());
  }
  if (!reply.error().empty() && !(over && client.lost_an_answer)) return;
  const std::lock_guard lock(mutex_);
  cancels_.push_back({job, boot_now_ns(), had_not_started});
}

}  // namespace hyades::test
