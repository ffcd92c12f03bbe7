#include "core/power_capper.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace hyades {
namespace {

constexpr int kStepPercent = 5;
// So often progress must have been seen before it is a speed.
constexpr int kStepsLeast = 5;
// Jobs go from phase to phase: what was measured without a cap is held to be true for so long,
constexpr BootMs kHeld_ms = 1'800'000;
constexpr BootMs kHeldLooks = 10;  // or for as many times as long as that took.
// After a cap had to be lifted, the next attempt waits: twice as long each time, up to this.
constexpr BootMs kPauseMost_ms = 3'600'000;
constexpr BootMs kPauseLooks = 6;  // the first time
// Who shows no progress for so many looks under a cap, is given all power again.
constexpr BootMs kBlindLooks = 12;

std::string name_of(const LaunchKey& key) { return "job " + std::to_string(key.job); }

std::string percent_text(double percent) {
  return std::to_string(static_cast<int>(std::lround(percent))) + " %";
}

}  // namespace

void PowerCapper::configure(const NodeSettings& settings) {
  const BootMs every_ms = BootMs{settings.cap_every_s} * 1000;
  settings_changed_ = settings_changed_ || enabled_ != settings.cap_power ||
                      least_percent_ != settings.cap_least_percent || every_ms_ != every_ms;
  enabled_ = settings.cap_power;
  least_percent_ = settings.cap_least_percent;
  every_ms_ = every_ms;
}

// ---- who is there ------------------------------------------------------------------------------

void PowerCapper::arrives(const LaunchKey& key, const IdSet& cores, int margin,
                          const std::string& unwilling) {
  const auto [found, is_new] = launches_.try_emplace(key);
  if (!is_new && (!found->second.cores.empty() || cores.empty())) return;
  found->second.cores = cores;
  found->second.margin = margin;
  found->second.unwilling = unwilling;
  found->second.is_other = members_changed_ = true;
}

void PowerCapper::moves(const LaunchKey& key, const IdSet& cores) {
  const auto found = launches_.find(key);
  if (found == launches_.end() || found->second.cores == cores) return;
  found->second.cores = cores;
  found->second.is_other = members_changed_ = true;
}

void PowerCapper::leaves(const LaunchKey& key) {
  if (launches_.erase(key) > 0) members_changed_ = true;
}

// Then it may be on any of them.
bool PowerCapper::is_elsewhere(const Launch& launch) const {
  IdSet rest = launch.cores;
  for (const PowerZone& zone : zones_) rest = rest.without(zone.cores);
  return launch.cores.empty() || !rest.empty();
}

std::vector<PowerCapper::Group> PowerCapper::groups_of_now() const {
  std::vector<Group> groups;
  for (std::size_t zone = 0; zone < zones_.size(); ++zone) {
    Group joined;
    joined.zones.push_back(zone);
    std::set<LaunchKey> launches;
    for (const auto& [key, launch] : launches_) {
      const bool here = !launch.cores.common(zones_[zone].cores).empty();
      if (here || is_elsewhere(launch)) launches.insert(key);
    }
    std::erase_if(groups, [&](const Group& other) {
      const bool meet = std::any_of(other.launches.begin(), other.launches.end(),
                                    [&](const LaunchKey& key) { return launches.contains(key); });
      if (!meet) return false;
      launches.insert(other.launches.begin(), other.launches.end());
      joined.zones.insert(joined.zones.end(), other.zones.begin(), other.zones.end());
      return true;
    });
    joined.launches.assign(launches.begin(), launches.end());
    std::sort(joined.zones.begin(), joined.zones.end());
    groups.push_back(std::move(joined));
  }
  return groups;
}

// Whoever comes to a zone has not agreed to what its cap is, and what was measured there is not
// what will be. Where jobs come and go, capping is work for nothing: there it pauses, too.
void PowerCapper::regroup(BootMs now_ms, std::vector<Change>& changes) {
  if (!members_changed_) return;
  members_changed_ = false;
  std::vector<Group> groups = groups_of_now();
  const auto is_other = [&](const LaunchKey& key) { return launches_.at(key).is_other; };
  for (Group& old : groups_) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& now) {
      return now.zones == old.zones && now.launches == old.launches &&
             std::none_of(now.launches.begin(), now.launches.end(), is_other);
    });
    if (same != groups.end()) {
      *same = std::move(old);
      continue;
    }
    if (old.percent != 100) old.pause_ms = next_pause(old);
    std::erase_if(old.launches, [&](const LaunchKey& key) { return !launches_.contains(key); });
    set(old, Stage::Waiting, 100, "the jobs on its processors are others now", now_ms, changes);
    for (Group& heir : groups) {
      const bool has = std::find_first_of(heir.zones.begin(), heir.zones.end(), old.zones.begin(),
                                          old.zones.end()) != heir.zones.end();
      if (has) heir.pause_ms = std::max(heir.pause_ms, old.pause_ms);
    }
  }
  for (Group& group : groups) {
    if (group.since_ms != 0) continue;
    group.since_ms = now_ms;
    group.due_ms = now_ms + group.pause_ms;
  }
  for (auto& [key, launch] : launches_) launch.is_other = false;
  groups_ = std::move(groups);
}

// ---- how fast they are -------------------------------------------------------------------------

// What stands still says nothing: some programs tell of their progress once in minutes.
void PowerCapper::Speed::add(double done, BootMs at_ms) {
  if (known_ && done == done_) return;
  const bool grows = known_ && done > done_ && at_ms > done_ms_;
  known_ = true;
  done_ = done;
  done_ms_ = at_ms;
  if (!grows) {
    started_ = false;  // the work begins anew, or it is seen for the first time
  } else if (!started_) {
    started_ = true;
    go_on();
  } else {
    ++steps_;
  }
}

bool PowerCapper::Speed::known() const { return started_ && steps_ >= kStepsLeast; }

void PowerCapper::progresses(const LaunchKey& key, const std::string& unit, double done,
                             BootMs at_ms) {
  const auto found = launches_.find(key);
  if (found == launches_.end() || !std::isfinite(done)) return;
  Launch& launch = found->second;
  if (unit != launch.unit) {
    launch.speed.forget();
    launch.is_other = members_changed_ = true;
    launch.unit = unit;
  }
  launch.speed.add(done, at_ms);
}

bool PowerCapper::measured(const Group& group) const {
  return std::all_of(group.launches.begin(), group.launches.end(),
                     [&](const LaunchKey& key) { return launches_.at(key).speed.known(); });
}

std::string PowerCapper::unmeasured(const Group& group) const {
  for (const LaunchKey& key : group.launches) {
    const Speed& speed = launches_.at(key).speed;
    if (speed.known()) continue;
    return name_of(key) + (speed.seen() ? " has told too little of its progress yet"
                                        : " shows no progress (hreport progress=...)");
  }
  return "";
}

PowerCapper::Worst PowerCapper::worst(const Group& group) const {
  Worst worst;
  for (const LaunchKey& key : group.launches) {
    const Launch& launch = launches_.at(key);
    const double lost = std::max(100 * (1 - launch.speed.get() / launch.uncapped), 0.0);
    if (worst.margin == 0 || lost - launch.margin > worst.lost_percent - worst.margin) {
      worst = {key, lost, launch.margin};
    }
  }
  return worst;
}

std::string PowerCapper::words_for(const Group& group, const Worst& worst) {
  return "at " + percent_text(group.percent) + " " + name_of(worst.key) + " lost " +
         percent_text(worst.lost_percent) + " of its speed, and can do with " +
         percent_text(worst.margin) + " less";
}

// ---- what is done ------------------------------------------------------------------------------

// Why the group may not be capped; "": it may.
std::string PowerCapper::obstacle(const std::string& fixed, const Group& group) const {
  if (!enabled_) return "cap_power is off";
  if (!fixed.empty()) return fixed;
  for (const LaunchKey& key : group.launches) {
    const Launch& launch = launches_.at(key);
    if (launch.cores.empty()) return "it is not known which cores " + name_of(key) + " has";
    if (is_elsewhere(launch)) return name_of(key) + " has cores that are in no package";
    if (launch.margin <= 0) {
      return name_of(key) + ' ' +
             (launch.unwilling.empty() ? "is to run as fast as it can" : launch.unwilling);
    }
  }
  return group.percent < least_percent_ ? no_lower() : "";
}

// A speed that was measured in part before is of neither cap.
void PowerCapper::set(Group& group, Stage stage, int percent, const std::string& why, BootMs now_ms,
                      std::vector<Change>& changes) {
  for (const LaunchKey& key : group.launches) {
    Launch& launch = launches_.at(key);
    launch.speed.start_anew();
    if (percent != group.percent) launch.cap = {percent, why};
  }
  if (percent != group.percent) {
    for (const std::size_t zone : group.zones) changes.push_back({zone, percent});
  }
  group.stage = stage;
  group.percent = percent;
  group.too_slow = 0;
  group.since_ms = now_ms;
  group.due_ms = now_ms + every_ms_;
}

BootMs PowerCapper::next_pause(const Group& group) const {
  const BootMs first = kPauseLooks * every_ms_;
  return std::min(std::max(2 * group.pause_ms, first), std::max(kPauseMost_ms, first));
}

void PowerCapper::wait(Group& group, BootMs for_ms, const std::string& why, BootMs now_ms,
                       std::vector<Change>& changes) {
  set(group, Stage::Waiting, 100, why, now_ms, changes);
  group.held_percent = 100;
  group.due_ms = now_ms + for_ms;
}

void PowerCapper::look_lower(Group& group, const Worst& worst, BootMs now_ms,
                             std::vector<Change>& changes) {
  const std::string why = words_for(group, worst);
  const int lower = group.percent - kStepPercent;
  const int higher = group.percent + kStepPercent;
  if (!worst.too_much() && lower >= least_percent_) {
    set(group, Stage::Lowering, lower, why, now_ms, changes);
  } else if (!worst.too_much()) {
    set(group, Stage::Holding, group.percent, "", now_ms, changes);
  } else if (higher < 100) {
    set(group, Stage::Holding, higher, why, now_ms, changes);
  } else {
    group.pause_ms = next_pause(group);
    wait(group, group.pause_ms, why, now_ms, changes);
  }
}

void PowerCapper::look(Group& group, BootMs now_ms, std::vector<Change>& changes) {
  if (group.stage == Stage::Measuring) {
    for (const LaunchKey& key : group.launches) {
      launches_.at(key).uncapped = launches_.at(key).speed.get();
    }
    group.measuring_took_ms = now_ms - group.since_ms;
    const int first = std::max(100 - kStepPercent, least_percent_);
    if (first == 100) return wait(group, kHeld_ms, "", now_ms, changes);
    return set(group, Stage::Lowering,
               std::max(std::min(first, group.held_percent), least_percent_),
               "it is known now how fast it is without a cap", now_ms, changes);
  }
  const Worst most = worst(group);
  if (group.stage == Stage::Lowering) return look_lower(group, most, now_ms, changes);
  group.too_slow = most.too_much() ? group.too_slow + 1 : 0;  // once may have been a checkpoint
  if (group.too_slow == 2) {
    group.pause_ms = next_pause(group);
    return wait(group, group.pause_ms, words_for(group, most), now_ms, changes);
  }
  if (now_ms - group.since_ms >= std::max(kHeld_ms, kHeldLooks * group.measuring_took_ms)) {
    group.pause_ms = 0;
    group.held_percent = group.percent;
    return set(group, Stage::Measuring, 100, "it is measured again how fast it is without", now_ms,
               changes);
  }
  for (const LaunchKey& key : group.launches) launches_.at(key).speed.go_on();
  group.due_ms = now_ms + every_ms_;
}

void PowerCapper::turn(Group& group, const std::string& wrong, BootMs now_ms,
                       std::vector<Change>& changes) {
  if (group.launches.empty()) return;
  if (!wrong.empty()) {
    if (group.stage != Stage::Waiting) wait(group, 0, wrong, now_ms, changes);
    return;
  }
  if (now_ms < group.due_ms) return;
  if (group.stage == Stage::Waiting) {
    return set(group, Stage::Measuring, 100, "", now_ms, changes);
  }
  const BootMs patience = std::max(kBlindLooks * every_ms_, 2 * group.measuring_took_ms);
  if (measured(group)) {
    look(group, now_ms, changes);
  } else if (group.percent != 100 && now_ms - group.due_ms >= patience) {
    group.pause_ms = next_pause(group);
    wait(group, group.pause_ms, "its jobs showed no progress by which to tell what it costs",
         now_ms, changes);
  }
}

// What was found out under other settings, and how long is to be waited by them, counts no more.
void PowerCapper::begin_anew(const std::string& fixed, BootMs now_ms,
                             std::vector<Change>& changes) {
  settings_changed_ = false;
  for (Group& group : groups_) {
    const std::string wrong = obstacle(fixed, group);
    group.pause_ms = 0;
    wait(group, 0, wrong.empty() ? "it is looked for anew, with other settings" : wrong, now_ms,
         changes);
  }
}

std::string PowerCapper::no_lower() const {
  return "no cap may be lower than " + percent_text(least_percent_) + " (cap_least)";
}

std::string PowerCapper::words_of_stage(const Group& group, BootMs now_ms) const {
  if (least_percent_ == 100) return no_lower();
  switch (group.stage) {
    case Stage::Waiting:
      return "the next attempt is made after a pause of " +
             std::to_string((group.pause_ms + 59'999) / 60'000) + " min at most";
    case Stage::Measuring:
      // It may take its time: some tell of their progress once in minutes.
      return now_ms < group.due_ms + every_ms_ ? "it is measured how fast it is with all power"
                                               : unmeasured(group);
    case Stage::Lowering:
      break;
    case Stage::Holding:
      if (group.percent - kStepPercent < least_percent_) return no_lower();
      break;
  }
  return "";
}

void PowerCapper::tell(Group& group, const std::string& wrong, BootMs now_ms) {
  group.obstacle = wrong.empty() ? words_of_stage(group, now_ms) : wrong;
  for (const LaunchKey& key : group.launches) tell(launches_.at(key), group.obstacle);
}

void PowerCapper::tell(Launch& launch, const std::string& obstacle) {
  const bool agreed = launch.margin > 0 || !launch.unwilling.empty();
  launch.cap.obstacle = agreed ? obstacle : "";
}

std::vector<PowerCapper::Change> PowerCapper::turn(const std::string& fixed, BootMs now_ms,
                                                   const std::string& withheld) {
  std::vector<Change> changes;
  regroup(now_ms, changes);
  if (settings_changed_) begin_anew(fixed, now_ms, changes);
  obstacle_ = !fixed.empty() ? fixed : enabled_ ? "" : "cap_power is off";
  for (auto& [key, launch] : launches_) tell(launch, obstacle_);  // there may be no zone at all
  for (Group& group : groups_) {
    const std::string wrong = obstacle(fixed, group);
    turn(group, wrong, now_ms, changes);
    tell(group, wrong, now_ms);
  }
  if (!withheld.empty()) {  // whoever has cores there runs with less than anybody wanted
    for (auto& [key, launch] : launches_) launch.cap.obstacle = withheld;
  }
  if (!fixed.empty() && now_ms - said_again_ms_ >= every_ms_) {
    // What was lifted may have been so in vain: that caps cannot be set may be how it is known.
    said_again_ms_ = now_ms;
    for (std::size_t zone = 0; zone < zones_.size(); ++zone) changes.push_back({zone, 100});
  }
  return changes;
}

// ---- what is told ------------------------------------------------------------------------------

PowerCap PowerCapper::cap(const LaunchKey& key) const {
  const auto found = launches_.find(key);
  return found == launches_.end() ? PowerCap{} : found->second.cap;
}

int PowerCapper::capped() const {
  int sum = 0;
  for (const Group& group : groups_) {
    if (group.percent != 100) sum += static_cast<int>(group.zones.size());
  }
  return sum;
}

std::string PowerCapper::state() const {
  if (!obstacle_.empty()) return obstacle_;
  const std::string all = std::to_string(zones_.size());
  std::string text = std::to_string(capped()) + " of " + all +
                     (zones_.size() == 1 ? " package" : " packages") + " capped";
  for (const Group& group : groups_) {
    if (group.launches.empty()) continue;
    for (const std::size_t zone : group.zones) {
      text += "; package " + std::to_string(zones_[zone].number) + " has " +
              percent_text(group.percent);
      if (!group.obstacle.empty()) text += ": " + group.obstacle;
    }
  }
  return text;
}

}  // namespace hyades
