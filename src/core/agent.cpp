#include "core/agent.hpp"

#include <algorithm>
#include <utility>

#include "core/failpoint.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

namespace {
constexpr BootMs kHelloEvery_ms = 500;
constexpr BootMs kRepeatResultEvery_ms = 2000;
// What keeps a launch's power from going down is told again at most so often.
constexpr BootMs kTellObstacleEvery_ms = 10'000;
// The spool tells of every change; this catches what it may have missed (a full event queue).
constexpr BootMs kRescanEvery_ms = 5000;

bool is_over(LaunchState state) {
  return state == LaunchState::Exited || state == LaunchState::NeverStarted ||
         state == LaunchState::Lost;
}

std::vector<IdSet> domains_of(const Inventory& inventory) {
  std::vector<IdSet> domains;
  for (const MemoryDomain& domain : inventory.domains) domains.push_back(domain.cores);
  return domains;
}

// The master looked at its clock at some moment since the heartbeat was sent.
WallMs least_difference(const Renewal& renewal, const Now& now) {
  const WallMs most = now.wall_ms - renewal.master_ms;
  const WallMs least = most - std::max<BootMs>(now.boot_ms - renewal.echo_ms, 0);
  return std::clamp<WallMs>(0, least, most);
}

const Figure* find_figure(const JobFigures& job, std::string_view name) {
  const auto found = std::find_if(job.figures.begin(), job.figures.end(),
                                  [&](const Figure& figure) { return figure.name == name; });
  return found == job.figures.end() ? nullptr : &*found;
}

bool is_alone(const LaunchOrder& order) { return order.placement.shares.size() == 1; }
}  // namespace

Agent::Agent(Identity identity, Spool& spool, Spawner& spawner, PowerCaps* power)
    : identity_(std::move(identity)),
      spool_(spool),
      spawner_(spawner),
      lender_(domains_of(identity_.inventory)),
      power_(power),
      capper_(power == nullptr ? std::vector<PowerZone>() : power->zones()) {
  for (const SpoolRecord& record : spool_.records()) {
    Launch& launch = launches_[record.key];
    launch.report = judge(record);
    if (is_over(launch.report.state)) continue;
    see_cores(record, {});
    // An earlier worker may have lent it more, and whom that belongs to now, nobody remembers.
    const bool may_have_more = record.elastic > 0 && !record.cores.empty();
    if (may_have_more && !HYADES_DEFECT("forget_loans"))
      spawner_.set_cores(record.key, record.cores);
  }
}

void Agent::receive(const Message& message, const Now& now) {
  if (message.epoch < spool_.high_epoch() && !HYADES_DEFECT("no_epoch_check")) {
    outbox_.push_back({message.epoch, EpochRefused{spool_.high_epoch()}});
    return;
  }
  spool_.raise_epoch(message.epoch);
  epoch_ = message.epoch;
  std::visit([&](const auto& body) { on(body, now); }, message.body);
}

void Agent::record_changed(const LaunchKey& key, const Now& now) { refresh(key, now, false); }

void Agent::tick(const Now& now) {
  if (!welcomed_ && (!greeted_ || now.boot_ms - hello_ms_ >= kHelloEvery_ms)) say_hello(now);
  if (welcomed_ && now.boot_ms - heartbeat_ms_ >= settings_.heartbeat_ms) {
    heartbeat_ms_ = now.boot_ms;
    send(Heartbeat{now.boot_ms, health_, health_known_, identity_.boot_id});
  }
  if (now.boot_ms - rescan_ms_ >= kRescanEvery_ms) {
    rescan_ms_ = now.boot_ms;
    for (const SpoolRecord& record : spool_.records()) refresh(record.key, now, false);
  }
  if (welcomed_) lend(lender_.turn(spawner_.fixed_cores(), now.boot_ms), now);
  cap_power(now);
  for (auto& [key, launch] : launches_) {
    if (is_over(launch.report.state) && now.boot_ms - launch.reported_ms >= kRepeatResultEvery_ms) {
      report(launch, now);
    }
  }
}

std::vector<Message> Agent::take_outbox() { return std::exchange(outbox_, {}); }

int Agent::running() const {
  int count = 0;
  for (const auto& [key, launch] : launches_) {
    count += launch.report.state == LaunchState::Running ? 1 : 0;
  }
  return count;
}

void Agent::on(const Welcome& welcome, const Now& now) {
  if (!welcome.accepted) {
    refusal_ = welcome.reason;
    return;
  }
  settings_ = welcome.settings;
  lender_.configure(settings_, std::min(welcome.cores, identity_.inventory.cores));
  capper_.configure(settings_);
  if (welcomed_) return;  // the settings have changed
  welcomed_ = true;
  heartbeat_ms_ = now.boot_ms;
  // What changed since the Hello that is answered here would otherwise wait for the next rescan.
  for (auto& [key, launch] : launches_) report(launch, now);
}

void Agent::on(const SayHello&, const Now& now) { say_hello(now); }

void Agent::on(const Renewal& renewal, const Now& now) {
  clock_off_ms_ = least_difference(renewal, now);
  for (const LaunchKey& key : renewal.leases) {
    if (launches_.contains(key)) spool_.renew_lease(key, renewal.echo_ms);
  }
}

void Agent::on(const LaunchOrder& order, const Now& now) {
  const LaunchKey& key = order.key;
  if (spool_.look(key)) {
    refresh(key, now, true);
    return;
  }
  if (order.own_share().boot_id != identity_.boot_id && !HYADES_DEFECT("any_boot")) {
    // It was meant for a boot that is over, in which it may have been obeyed: a power cut takes the
    // traces. The master, which repeats the order, has yet to hear of the reboot.
    if (now.boot_ms - hello_ms_ >= kHelloEvery_ms) say_hello(now);
    return;
  }
  if (order.spec.lease_s > 0 &&
      now.boot_ms - order.lease_base_ms >= BootMs{order.spec.lease_s} * 1000) {
    // It was on its way for as long as the master waits before it starts the job elsewhere. If the
    // master still wants it, it repeats the order, with a later base.
    return;
  }
  if (key.sequence <= spool_.high_sequence() && !HYADES_DEFECT("forget_high_sequence")) {
    report_absent(key, "the order came too late");
    return;
  }
  switch (spool_.claim(key)) {
    case ClaimResult::Claimed:
      break;
    case ClaimResult::Exists:
      refresh(key, now, true);
      return;
    case ClaimResult::Full:
    case ClaimResult::Failed:
      spool_.raise_sequence(key.sequence);
      report_absent(key, "spool: " + spool_.last_error(), true);
      return;
  }
  HYADES_FAILPOINT("agent_after_claim");
  // Also so that a disk that fills up later cannot stop its renewal.
  if (order.spec.lease_s > 0) spool_.renew_lease(key, order.lease_base_ms);
  launches_[key].report = {.key = key, .state = LaunchState::Starting, .reason = ""};
  lend(lender_.arrives(key, order.own_share().cores, order.spec.elastic, now.boot_ms), now);
  // On several nodes the parts wait for one another: what each of them lost would add up, and none
  // could tell.
  capper_.arrives(key, order.own_share().cores, is_alone(order) ? order.spec.power_margin : 0,
                  is_alone(order) || order.spec.power_margin <= 0 ? "" : "runs on several nodes");
  if (!HYADES_DEFECT("keep_power_cap")) cap_power(now);  // it has agreed to none that there is
  if (spawner_.start(order)) return refresh(key, now, true);
  spool_.release(key);
  lender_.leaves(key);
  capper_.leaves(key);
  Launch& launch = launches_[key];
  if (const auto record = spool_.look(key)) launch.report = judge(*record);
  if (!launch.report.node_fault) {  // the record does not say why
    launch.report.state = LaunchState::NeverStarted;
    launch.report.reason = "the node's launcher did not take the order";
    launch.report.node_fault = true;
  }
  report(launch, now);
}

void Agent::on(const QueryOrder& order, const Now& now) {
  if (spool_.look(order.key)) {
    refresh(order.key, now, true);
  } else {
    make_absent(order.key, "the node has no record of it");
  }
}

void Agent::on(const StopOrder& order, const Now& now) {
  if (!spool_.look(order.key)) {
    make_absent(order.key, "stopped before the order to start it arrived");
    return;
  }
  Launch& launch = launches_[order.key];
  launch.stop = order.reason;
  launch.stop_grace_s = order.grace_s;
  refresh(order.key, now, true);
}

void Agent::on(const SignalOrder& order, const Now&) {
  const auto found = launches_.find(order.key);
  if (found != launches_.end() && found->second.report.state == LaunchState::Running) {
    spawner_.signal(order.key, order.signal, order.batch_only);
  }
}

void Agent::on(const RetireOrder& order, const Now&) {
  const auto record = spool_.look(order.key);
  if (record && !is_over(judge(*record).state)) return;  // not over: nobody may forget it
  HYADES_FAILPOINT("agent_before_remove");
  spool_.remove(order.key);
  launches_.erase(order.key);
  lender_.leaves(order.key);
  capper_.leaves(order.key);
}

void Agent::say_hello(const Now& now) {
  greeted_ = true;
  hello_ms_ = now.boot_ms;
  Hello hello{.node = identity_.node,
              .boot_id = identity_.boot_id,
              .inventory = identity_.inventory,
              .pid = identity_.pid,
              .launches = {},
              .address = identity_.address,
              .sent_ms = now.boot_ms};
  for (auto& [key, launch] : launches_) {
    launch.reported_ms = launch.report.sent_ms = now.boot_ms;
    hello.launches.push_back(launch.report);
  }
  send(std::move(hello));
}

void Agent::report(Launch& launch, const Now& now) {
  launch.reported_ms = launch.report.sent_ms = now.boot_ms;
  if (welcomed_) send(launch.report);
}

void Agent::pass_on(TelemetryReport report, const Now& now) {
  for (const JobFigures& job : report.jobs) {
    if (const Figure* busy = find_figure(job, kCoresBusyFigure)) {
      lender_.uses(job.key, busy->value);
    }
    const Figure* progress = find_figure(job, kProgressFigure);
    if (progress == nullptr) progress = find_figure(job, kInstructionsFigure);
    if (progress != nullptr) {
      capper_.progresses(job.key, progress->name, progress->value, now.boot_ms);
    }
  }
  if (!report.components.empty()) add_own_components(report);
  if (welcomed_) send(std::move(report));
}

void Agent::add_own_components(TelemetryReport& report) const {
  const auto count = [](int number) { return static_cast<double>(number); };
  report.components.push_back({.name = "lending",
                               .layer = "optimisation",
                               .running = spawner_.fixed_cores().empty() && settings_.lend_cores,
                               .text = lender_.state(),
                               .figures = {{"cores", "count", count(lender_.lent())},
                                           {"jobs", "count", count(lender_.holders())},
                                           {"changes", "count", count(loan_changes_)}}});
  report.components.push_back({.name = "power_caps",
                               .layer = "optimisation",
                               .running = fixed_power().empty() && settings_.cap_power,
                               .text = power_state(),
                               .figures = {{"packages", "count", count(capper_.capped())},
                                           {"changes", "count", count(cap_changes_)}}});
}

std::string Agent::power_state() const {
  const std::string fixed = fixed_power();
  if (fixed.empty()) return capper_.state();
  const std::string withheld = power_ == nullptr ? "" : power_->withheld();
  return withheld.empty() ? fixed : withheld + ": " + fixed;
}

std::string Agent::fixed_power() const {
  return power_ == nullptr ? "nothing here can be capped" : power_->fixed();
}

// Sets what is due and says to the master what has become of it, which says it to people.
void Agent::cap_power(const Now& now) {
  if (!welcomed_ || power_ == nullptr) return;
  for (const PowerCapper::Change& change :
       capper_.turn(fixed_power(), now.boot_ms, power_->withheld())) {
    power_->set(change.zone, change.percent);
    ++cap_changes_;
  }
  for (auto& [key, launch] : launches_) {
    if (is_over(launch.report.state)) continue;
    PowerCap cap = capper_.cap(key);
    if (cap == launch.report.cap) continue;
    // Why it is no lower is another with every neighbour that comes or goes.
    const bool is_news =
        cap.percent != launch.report.cap.percent || cap.why != launch.report.cap.why;
    const bool can_wait = launch.report.state == LaunchState::Starting ||
                          now.boot_ms - launch.reported_ms < kTellObstacleEvery_ms;
    if (!is_news && can_wait) continue;
    launch.report.cap = std::move(cap);
    report(launch, now);
  }
}

void Agent::lend(const std::vector<CoreLender::Change>& changes, const Now& now) {
  for (const CoreLender::Change& change : changes) capper_.moves(change.key, change.cores);
  if (!changes.empty()) cap_power(now);  // who comes to a package may not have agreed to its cap
  for (const CoreLender::Change& change : changes) {
    spawner_.set_cores(change.key, change.cores);
    ++loan_changes_;
    const auto found = launches_.find(change.key);
    if (found == launches_.end()) continue;
    found->second.report.loan = change.loan;
    report(found->second, now);
  }
}

// Of one that an earlier worker started, once it is known.
void Agent::see_cores(const SpoolRecord& record, const Now& now) {
  lend(lender_.arrives(record.key, record.cores, record.elastic, now.boot_ms), now);
  // What it said of its speed is not in the record: it runs on with all power.
  capper_.arrives(record.key, record.cores, 0,
                  "was started before this worker, which does not know what it agreed to");
}

void Agent::report_absent(const LaunchKey& key, std::string reason, bool node_fault) {
  send(LaunchReport{.key = key,
                    .state = LaunchState::Absent,
                    .exit = {},
                    .reason = std::move(reason),
                    .node_fault = node_fault});
}

// Says so only once it is true: refused if it ever comes, and nothing of it runs here.
void Agent::make_absent(const LaunchKey& key, std::string reason) {
  spool_.raise_sequence(key.sequence);
  if (spawner_.sweep(key)) report_absent(key, std::move(reason));
}

// The recovery table of schema/job_states.md.
LaunchReport Agent::judge(const SpoolRecord& record) {
  LaunchReport report{.key = record.key,
                      .started_ms = record.started_ms,
                      .exit = {},
                      .reason = "",
                      .step_port = record.step_port,
                      .loan = lender_.loan(record.key),
                      .cap = capper_.cap(record.key)};
  const bool started = record.started_ms != 0;
  if (record.exit) {
    report.state = LaunchState::Exited;
    report.exit = *record.exit;
  } else if (!record.same_boot && (started || record.refusal.empty())) {
    // "Not started" proves nothing here: the line that says so is not synced, and a power cut may
    // have taken it.
    report.state = started || !HYADES_DEFECT("trust_unsynced_start") ? LaunchState::Lost
                                                                     : LaunchState::NeverStarted;
    report.reason = "the node was rebooted";
  } else if (record.held) {
    report.state = started ? LaunchState::Running : LaunchState::Starting;
  } else if (!started) {
    report.state = LaunchState::NeverStarted;
    report.reason = "the launch died before the job could start";
    if (!record.refusal.empty()) {
      report.reason = record.refusal;
      report.node_fault = true;
    }
  } else if (HYADES_DEFECT("no_sweep") || spawner_.sweep(record.key)) {
    report.state = LaunchState::Lost;
    report.reason = "its shepherd was killed";
  } else {
    report.state = LaunchState::Running;  // something of it is left: look again later
  }
  return report;
}

void Agent::refresh(const LaunchKey& key, const Now& now, bool always) {
  const auto record = spool_.look(key);
  if (!record) return;
  Launch& launch = launches_[key];
  const LaunchState before = launch.report.state;
  launch.report = judge(*record);
  const LaunchState after = launch.report.state;
  if (is_over(after)) {
    lender_.leaves(key);
    capper_.leaves(key);
    launch.report.loan = {};
    launch.report.cap = {};
  } else {
    see_cores(*record, now);
  }
  if (after == LaunchState::Running && launch.stop != StopReason::None) {
    spawner_.stop(key, launch.stop, launch.stop_grace_s);
    launch.stop = StopReason::None;  // the master repeats the order if it must
  }
  if (always || after != before) report(launch, now);
}

}  // namespace hyades
