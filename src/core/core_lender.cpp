#include "core/core_lender.hpp"

#include <algorithm>
#include <cmath>

#include "core/test_hooks.hpp"

namespace hyades {
namespace {

// Who keeps so much of its cores busy at every look could use more; who does not, needs so many
// that those are busy to this degree.
constexpr double kBusy = 0.9;
// Where jobs come and go, lending is work for nothing: the pause doubles with every core that has
// to be given back, up to the first of these, until none had to for the second.
constexpr BootMs kQuietMost_ms = 60'000;
constexpr BootMs kCalm_ms = 600'000;

std::string counted(int cores) { return std::to_string(cores) + (cores == 1 ? " core" : " cores"); }

}  // namespace

void CoreLender::configure(const NodeSettings& settings, int cores) {
  enabled_ = settings.lend_cores;
  every_ms_ = BootMs{settings.lend_every_s} * 1000;
  cores_ = cores;
}

CoreLender::Change CoreLender::changed(const LaunchKey& key, Launch& launch, IdSet lent,
                                       std::string why) {
  launch.was_lent = launch.was_lent || !lent.empty();
  launch.loan = {std::move(lent), std::move(why)};
  launch.looks = 0;
  Change change{.key = key, .cores = launch.own, .loan = launch.loan};
  change.cores.insert_all(launch.loan.cores);
  return change;
}

std::vector<CoreLender::Change> CoreLender::arrives(const LaunchKey& key, const IdSet& own,
                                                    int elastic, BootMs now_ms) {
  Launch& arriving = launches_[key];
  if (!arriving.own.empty() || own.empty()) return {};
  arriving.own = own;
  arriving.elastic = own.to_string().size() <= kKnownCoresBytesMost ? elastic : 0;
  std::vector<Change> changes;
  for (auto& [other, launch] : launches_) {
    const IdSet taken = launch.loan.cores.common(own);
    if (taken.empty() || HYADES_DEFECT("keep_lent_cores")) continue;
    changes.push_back(changed(other, launch, launch.loan.cores.without(taken),
                              "job " + std::to_string(key.job) + " was given " +
                                  counted(taken.size()) + " that it had been lent"));
  }
  if (!changes.empty()) taken_back(now_ms);
  return changes;
}

void CoreLender::taken_back(BootMs now_ms) {
  const bool calm = quiet_ms_ == 0 || now_ms - taken_back_ms_ >= kCalm_ms;
  quiet_ms_ = calm ? every_ms_ : std::min(2 * quiet_ms_, std::max(kQuietMost_ms, every_ms_));
  taken_back_ms_ = now_ms;
  due_ms_ = std::max(due_ms_, now_ms + quiet_ms_);
}

void CoreLender::uses(const LaunchKey& key, double cores_busy) {
  const auto found = launches_.find(key);
  if (found == launches_.end() || !(cores_busy >= 0)) return;
  Launch& launch = found->second;
  const bool first = launch.looks++ == 0;
  launch.least_busy = first ? cores_busy : std::min(launch.least_busy, cores_busy);
  launch.sum_busy = first ? cores_busy : launch.sum_busy + cores_busy;
}

// Why nothing may be lent now; "": it may.
std::string CoreLender::obstacle(const std::string& fixed) const {
  if (!enabled_) return "lend_cores is off";
  if (!fixed.empty()) return fixed;
  for (const auto& [key, launch] : launches_) {
    if (launch.own.empty())
      return "it is not known which cores job " + std::to_string(key.job) + " has";
  }
  return "";
}

IdSet CoreLender::idle() const {
  IdSet idle = IdSet::first(cores_);
  for (const auto& [key, launch] : launches_) idle = idle.without(launch.own);
  return idle;
}

std::vector<CoreLender::Change> CoreLender::take_all_back(const std::string& why) {
  std::vector<Change> changes;
  for (auto& [key, launch] : launches_) {
    if (!launch.loan.cores.empty()) changes.push_back(changed(key, launch, {}, why));
  }
  return changes;
}

// What was taken back may have been so in vain: that cores cannot be set may be how it is known.
std::vector<CoreLender::Change> CoreLender::say_again(BootMs now_ms) {
  std::vector<Change> changes;
  if (now_ms < due_ms_) return changes;
  due_ms_ = now_ms + every_ms_;
  for (const auto& [key, launch] : launches_) {
    if (launch.was_lent) changes.push_back({key, launch.own, launch.loan});
  }
  return changes;
}

// Jobs may have fewer cores of the node than when these were lent.
std::vector<CoreLender::Change> CoreLender::keep_within() {
  std::vector<Change> changes;
  for (auto& [key, launch] : launches_) {
    const IdSet kept = launch.loan.cores.common(IdSet::first(cores_));
    if (kept.size() == launch.loan.cores.size()) continue;
    changes.push_back(changed(key, launch, kept, "the node has fewer cores for jobs than before"));
  }
  return changes;
}

std::vector<CoreLender::Wish> CoreLender::wishes() {
  std::vector<Wish> wishes;
  for (auto& [key, launch] : launches_) {
    if (!launch.may_borrow()) continue;
    const int has = launch.has();
    int most = has;  // nobody has looked since the last change
    if (launch.looks > 0 && launch.least_busy >= kBusy * has) {
      most = 2 * has;
    } else if (launch.looks > 0) {
      const double needs = std::min<double>(has, launch.sum_busy / launch.looks / kBusy);
      most = std::clamp(static_cast<int>(std::ceil(needs)), launch.own.size(), has);
    }
    wishes.push_back({&key, &launch, std::min(most, launch.elastic), launch.own.size()});
  }
  return wishes;
}

// Core after core to where it adds most. What is left then stays where it is: taking it away would
// help nobody.
void CoreLender::share_out(std::vector<Wish>& wishes, int idle) {
  const auto gain = [](const Wish& wish) {
    if (wish.given >= wish.most) return 0.0;
    return wish.launch->own.size() * std::log1p(1.0 / wish.given);
  };
  for (; idle > 0; --idle) {
    const auto best =
        std::max_element(wishes.begin(), wishes.end(),
                         [&](const Wish& a, const Wish& b) { return gain(a) < gain(b); });
    if (best == wishes.end() || gain(*best) <= 0) break;
    ++best->given;
  }
  for (Wish& wish : wishes) {
    const int kept = std::clamp(wish.launch->has() - wish.given, 0, idle);
    wish.given += kept;
    idle -= kept;
  }
}

// Of the domains of `near` first, and from the highest down: jobs are given the lowest that are
// free, so that these are taken back last.
IdSet CoreLender::best_of(const IdSet& from, const IdSet& near, int count) const {
  IdSet close;
  for (const IdSet& domain : domains_) {
    if (!domain.common(near).empty()) close.insert_all(from.common(domain).without(close));
  }
  IdSet best = close.highest(std::min(count, close.size()));
  best.insert_all(from.without(close).highest(count - best.size()));
  return best;
}

std::vector<CoreLender::Change> CoreLender::turn(const std::string& fixed, BootMs now_ms) {
  obstacle_ = obstacle(fixed);
  if (!obstacle_.empty()) {
    std::vector<Change> changes = take_all_back(obstacle_);
    return changes.empty() && !fixed.empty() ? say_again(now_ms) : changes;
  }
  std::vector<Change> changes = keep_within();
  if (cores_ == 0 || now_ms < due_ms_) return changes;
  due_ms_ = now_ms + every_ms_;
  IdSet free = idle();
  const int idle = free.size();
  std::vector<Wish> all = wishes();
  share_out(all, idle);
  for (const Wish& wish : all) {  // first what is taken away
    Launch& launch = *wish.launch;
    if (wish.given < launch.has()) {
      IdSet kept = best_of(launch.loan.cores, launch.own, wish.given - launch.own.size());
      changes.push_back(
          changed(*wish.key, launch, std::move(kept), "other jobs of the node make more of them"));
    }
    free = free.without(launch.loan.cores);
  }
  for (const Wish& wish : all) {
    Launch& launch = *wish.launch;
    if (wish.given <= launch.has()) continue;
    const double busy = 100 * launch.sum_busy / launch.looks / launch.has();
    std::string why = "it kept its " + counted(launch.has()) + " " +
                      std::to_string(static_cast<int>(std::lround(std::min(busy, 100.0)))) +
                      " % busy, and " + counted(idle) + " of the node had no job";
    IdSet more = best_of(free, launch.own, wish.given - launch.has());
    free = free.without(more);
    more.insert_all(launch.loan.cores);
    changes.push_back(changed(*wish.key, launch, std::move(more), std::move(why)));
  }
  for (const Wish& wish : all) wish.launch->looks = 0;
  return changes;
}

const CoreLoan& CoreLender::loan(const LaunchKey& key) const {
  static const CoreLoan none;
  const auto found = launches_.find(key);
  return found == launches_.end() ? none : found->second.loan;
}

int CoreLender::lent() const {
  int sum = 0;
  for (const auto& [key, launch] : launches_) sum += launch.loan.cores.size();
  return sum;
}

int CoreLender::holders() const {
  return static_cast<int>(std::count_if(launches_.begin(), launches_.end(), [](const auto& entry) {
    return !entry.second.loan.cores.empty();
  }));
}

std::string CoreLender::state() const {
  if (!obstacle_.empty()) return obstacle_;
  if (holders() == 0) return "no core is lent";
  return counted(lent()) + " lent to " + std::to_string(holders()) +
         (holders() == 1 ? " job" : " jobs");
}

}  // namespace hyades
