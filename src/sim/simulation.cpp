#include "sim/simulation.hpp"

namespace hyades {

namespace {
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;
}  // namespace

Simulation::Simulation(std::uint64_t seed, SimOptions options, std::FILE* trace)
    : options_(std::move(options)),
      trace_(trace),
      oracle_(options_, marks_),
      context_{events_, Prng(seed), marks_, trace_, oracle_, options_},
      wires_(
          context_,
          [this](int node, const Message& message, Epoch epoch) {
            nodes_[static_cast<std::size_t>(node)]->deliver(message, epoch);
          },
          [this](Epoch epoch) { plan_turn(epoch, 1); }),
      clients_(context_, [this](const Request& request) {
        SimMaster* const master = current();
        if (!master) return false;
        master->door().push(request);
        plan_turn(master->epoch(), 1);
        return true;
      }) {
  for (std::size_t i = 0; i < options_.nodes.size(); ++i) {
    nodes_.push_back(std::make_unique<SimNode>(context_, wires_, static_cast<int>(i)));
  }
}

Simulation::Summary Simulation::run() {
  for (const auto& node : nodes_) {
    const bool late = !options_.plain && context_.strikes(150, Mark::node_joined_late);
    const std::int64_t after_ms =
        late ? context_.random.skewed(3'000, hour_ms) : context_.random.between(0, 3'000);
    events_.after(after_ms, [&node = *node] { node.start_worker(); });
  }
  start_master(false);
  clients_.start();
  plan_faults();
  // The last faults strike while much is being stopped: what gets lost here must be found again.
  run_until(options_.load_ms - context_.random.skewed(1'000, 5 * minute_ms));
  if (!options_.plain) clients_.rush();
  if (SimMaster* const master = current(); master && options_.kill_master_ms > 0) {
    if (context_.random.chance(500))
      master->store().die_at(FaultyStore::Death::AfterCommit);
    else
      kill_master();
  }
  run_until(options_.load_ms);
  heal();
  run_to_the_end();
  return {trace_.hash(), events_.now_ms(), oracle_.committed_jobs(), oracle_.processes(),
          events_.ran()};
}

// ---- phases ------------------------------------------------------------------------------------

void Simulation::run_until(std::int64_t until_ms) {
  while (events_.run_next(until_ms)) {
  }
}

void Simulation::heal() {
  context_.log("everything is healed");
  context_.healed = true;
  disk_ = {};
  step_master_clock(-wall_offset_ms_);  // somebody sets the clock right
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    wires_.cut_off(static_cast<int>(i), false);
    nodes_[i]->heal();
  }
  for (auto& [epoch, master] : masters_) {
    master->store().heal();
    master->link().die_after(0);
    master->door().die_after(0);
  }
}

// The operator cleans up once a minute; by then all that was asked for must come to pass.
void Simulation::run_to_the_end() {
  const std::int64_t healed_ms = events_.now_ms();
  last_commit_ms_ = healed_ms;
  while (!oracle_.all_ended() || !clients_.idle()) {
    clients_.clean_up();
    run_until(events_.now_ms() + minute_ms);
    if (events_.now_ms() > healed_ms + 10 * minute_ms) oracle_.check_stopped();
    const bool stuck = events_.now_ms() > last_commit_ms_ + 8 * hour_ms;
    if (stuck || events_.now_ms() > healed_ms + 240 * hour_ms) {
      oracle_.check_all_ended();
      throw Violation("progress", "clients wait for answers and nothing happens");
    }
  }
  run_until(events_.now_ms() + 10 * minute_ms);
  oracle_.check_all_ended();
  oracle_.check_kept(store_);
  check_spools();
  if (SimMaster* const master = current()) {
    oracle_.check_live(master->driver().controller().jobs(), store_);
  }
}

void Simulation::check_spools() {
  for (const auto& node : nodes_) {
    for (const auto& [key, record] : node->machine().records()) {
      throw Violation("spool", node->machine().name() + " still keeps a record of " +
                                   to_string(key) + ", which has ended");
    }
  }
}

// ---- masters -----------------------------------------------------------------------------------

SimMaster* Simulation::current() {
  const auto found = masters_.find(epoch_);
  return found == masters_.end() ? nullptr : found->second.get();
}

void Simulation::start_master(bool renumber) {
  ++epoch_;
  context_.log("master " + std::to_string(epoch_) + " starts");
  wires_.join(epoch_, renumber);
  masters_[epoch_] = std::make_unique<SimMaster>(
      context_, epoch_, wires_, store_, disk_, wall_offset_ms_,
      [this](const Batch& batch) { committed(batch); },
      [this](const Reply& reply) { clients_.answered(reply); });
  oracle_.check_live(masters_[epoch_]->driver().controller().jobs(), store_);
  keep_turning(epoch_);
}

void Simulation::committed(const Batch& batch) {
  last_commit_ms_ = events_.now_ms();
  for (const JobEvent& event : batch.job_events) {
    const Requeued* const requeued = std::get_if<Requeued>(&event.what);
    context_.log(std::string("commit ") + event_name(event) + " job " + std::to_string(event.job) +
                 (requeued ? ": " + requeued->reason : ""));
  }
  for (const NodeEvent& event : batch.node_events) {
    context_.log(std::string("commit ") + event_name(event) + " " + event.node);
  }
  oracle_.committed(batch);
}

void Simulation::master_died(Epoch epoch, const std::string& why) {
  context_.log("master " + std::to_string(epoch) + " " + why);
  masters_.erase(epoch);
  turn_planned_.erase(epoch);
  wires_.leave(epoch);
  if (epoch != epoch_) return;
  const bool renumber = context_.random.chance(300);
  events_.after(context_.random.skewed(300, 30'000), [this, epoch, renumber] {
    if (epoch == epoch_) start_master(renumber);
  });
}

void Simulation::keep_turning(Epoch epoch) {
  if (!masters_.count(epoch)) return;
  plan_turn(epoch, 0);
  events_.after(options_.master_tick_ms, [this, epoch] { keep_turning(epoch); });
}

void Simulation::plan_turn(Epoch epoch, std::int64_t delay_ms) {
  if (!masters_.count(epoch)) return;
  bool& planned = turn_planned_[epoch];
  if (planned) return;
  planned = true;
  events_.after(delay_ms, [this, epoch] { turn(epoch); });
}

void Simulation::turn(Epoch epoch) {
  const auto found = masters_.find(epoch);
  if (found == masters_.end()) return;
  turn_planned_[epoch] = false;
  SimMaster& master = *found->second;
  if (master.suspended) return;
  const auto result = master.turn();
  if (watcher_ && result && epoch == epoch_) watcher_(master.driver().controller());
  if (!result) return master_died(epoch, "dies");
  fence(master);
  if (*result == Driver::Turn::Fatal) {
    marks_.hit(Mark::master_gave_up);
    master_died(epoch, "gives up: " + master.driver().fatal_reason());
  } else if (*result == Driver::Turn::Deposed) {
    if (epoch == epoch_) throw Violation("epoch", "a master was deposed and has no successor");
    marks_.hit(Mark::old_master_deposed);
    master_died(epoch, "is deposed");
  }
}

}  // namespace hyades
