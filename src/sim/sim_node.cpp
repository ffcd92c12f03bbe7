#include "sim/sim_node.hpp"

#include <algorithm>

namespace hyades {

SimNode::SimNode(SimContext& context, FaultyWires& wires, int number)
    : context_(context),
      wires_(wires),
      number_(number),
      machine_(context, context.options.nodes[static_cast<std::size_t>(number)].name,
               context.options.nodes[static_cast<std::size_t>(number)].inventory.cores,
               [this](const LaunchKey& key) { record_changed(key); }),
      spool_(context, machine_, wish_),
      spawner_(context, machine_, wish_),
      power_(machine_) {}

namespace {
constexpr std::int64_t kLookEvery_ms = 2000;
}

template <typename Work>
void SimNode::with_agent(Epoch answer_to, const Work& work) {
  if (!agent_) return;
  try {
    work(*agent_);
  } catch (const ProcessDied&) {
    context_.marks.hit(Mark::agent_killed_in_a_call);
    spawner_.forbid(false);
    return kill_worker(context_.random.skewed(200, 60'000));
  }
  for (const Message& message : agent_->take_outbox()) {
    mark_said(message);
    const bool refusal = std::holds_alternative<EpochRefused>(message.body);
    wires_.from_node(number_, message, refusal ? answer_to : 0);
  }
  if (!agent_->refusal().empty()) {
    throw Violation("hello", "a node's only worker was refused: " + agent_->refusal());
  }
}

void SimNode::start_worker() {
  if (agent_) return;
  booting_ = false;
  ++lives_;
  suspended_until_ms_ = 0;
  Agent::Identity identity;
  identity.node = machine_.name();
  identity.boot_id = machine_.boot_id();
  identity.inventory = context_.options.nodes[static_cast<std::size_t>(number_)].inventory;
  identity.pid = static_cast<std::int64_t>(1000 + lives_);
  for (const auto& [key, record] : machine_.records()) {
    if (record.exit && !said_exited_.count(key)) {
      context_.marks.hit(Mark::ended_while_agent_was_dead);
    }
    if (record.holder == SimMachine::Holder::Shepherd) context_.marks.hit(Mark::adopted);
  }
  try {
    power_.start_anew();
    agent_ = std::make_unique<Agent>(identity, spool_, spawner_, &power_);
  } catch (const ProcessDied&) {
    return restart_after(1000);
  }
  tick();
}

void SimNode::tick() {
  if (!agent_) return;
  if (!suspended()) {
    with_agent(0, [&](Agent& agent) {
      look_at_jobs(agent);
      agent.tick(machine_.now());
    });
  }
  context_.events.after(context_.options.agent_tick_ms, [this, life = lives_] {
    if (life == lives_) tick();
  });
}

// For the worker itself: what a master makes of it, other tests see.
void SimNode::look_at_jobs(Agent& agent) {
  if (context_.events.now_ms() < look_due_ms_) return;
  look_due_ms_ = context_.events.now_ms() + kLookEvery_ms;
  TelemetryReport report;
  report.jobs = machine_.look_at_jobs();
  if (!report.jobs.empty()) agent.pass_on(std::move(report), machine_.now());
}

void SimNode::deliver(const Message& message, Epoch epoch) {
  if (!agent_) {
    context_.marks.hit(Mark::message_into_the_void);
    return;
  }
  if (suspended()) {
    mail_.push_back({message, epoch});
    return;
  }
  handle({message, epoch});
}

void SimNode::handle(const Mail& mail) {
  const bool stale = mail.message.epoch < highest_epoch_;
  const auto* order = std::get_if<LaunchOrder>(&mail.message.body);
  if (order && order->key.sequence <= machine_.high_sequence &&
      !machine_.records().count(order->key)) {
    context_.marks.hit(Mark::late_order_refused);
  }
  if (order && order->own_share().boot_id != machine_.boot_id()) {
    context_.marks.hit(Mark::order_of_an_old_boot);
  }
  with_agent(mail.epoch, [&](Agent& agent) {
    spawner_.forbid(stale);
    agent.receive(mail.message, machine_.now());
    spawner_.forbid(false);
    highest_epoch_ = std::max(highest_epoch_, mail.message.epoch);
  });
}

void SimNode::record_changed(const LaunchKey& key) {
  if (suspended()) {
    context_.events.after(suspended_until_ms_ - context_.events.now_ms() + 1,
                          [this, key] { record_changed(key); });
    return;
  }
  with_agent(0, [&](Agent& agent) { agent.record_changed(key, machine_.now()); });
}

void SimNode::kill_worker(std::int64_t down_ms) {
  if (!agent_) return;
  context_.log(machine_.name() + " worker dies");
  context_.marks.hit(Mark::agent_killed);
  agent_.reset();
  wish_.disarm();
  ++lives_;
  mail_.clear();
  suspended_until_ms_ = 0;
  machine_.worker_died();
  restart_after(down_ms);
}

void SimNode::kill_worker_soon(int calls) { wish_.arm(calls); }

void SimNode::restart_after(std::int64_t delay_ms) {
  context_.events.after(delay_ms, [this, boot = machine_.boot()] {
    if (boot == machine_.boot()) start_worker();
  });
}

void SimNode::suspend_worker(std::int64_t for_ms) {
  if (!agent_ || suspended()) return;
  context_.log(machine_.name() + " worker is suspended");
  context_.marks.hit(Mark::agent_suspended);
  suspended_until_ms_ = context_.events.now_ms() + for_ms;
  context_.events.after(for_ms, [this, life = lives_] {
    while (life == lives_ && agent_ && !mail_.empty()) {
      const Mail mail = std::move(mail_.front());
      mail_.pop_front();
      handle(mail);
    }
  });
}

void SimNode::reboot(std::int64_t down_ms, bool power_cut) {
  context_.log(machine_.name() + (power_cut ? " loses power" : " reboots"));
  booting_ = true;
  agent_.reset();
  wish_.disarm();
  ++lives_;
  mail_.clear();
  suspended_until_ms_ = 0;
  machine_.worker_died();
  if (power_cut) {
    machine_.lose_power();
    highest_epoch_ = machine_.high_epoch;
  } else {
    machine_.reboot();
  }
  restart_after(down_ms);
}

void SimNode::heal() { wish_.disarm(); }

void SimNode::mark_said(const Message& message) {
  if (const auto* report = std::get_if<LaunchReport>(&message.body)) mark_said(*report);
  if (const auto* hello = std::get_if<Hello>(&message.body)) {
    for (const LaunchReport& report : hello->launches) mark_said(report);
  }
}

void SimNode::mark_said(const LaunchReport& report) {
  Marks& marks = context_.marks;
  switch (report.state) {
    case LaunchState::Starting:
      return marks.hit(Mark::said_starting);
    case LaunchState::Running:
      return marks.hit(Mark::said_running);
    case LaunchState::NeverStarted:
      return marks.hit(Mark::said_never_started);
    case LaunchState::Lost:
      return marks.hit(Mark::said_lost);
    case LaunchState::Absent:
      if (report.reason.starts_with("stopped before")) marks.hit(Mark::stopped_before_start);
      return marks.hit(Mark::said_absent);
    case LaunchState::Exited:
      marks.hit(said_exited_.insert(report.key).second ? Mark::said_exited
                                                       : Mark::said_exited_again);
  }
}

}  // namespace hyades
