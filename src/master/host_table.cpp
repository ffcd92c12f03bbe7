#include "master/host_table.hpp"

#include <algorithm>

namespace hyades {

namespace {

using namespace std::chrono_literals;

constexpr HostTable::Duration kPauseMin = 10s;
constexpr HostTable::Duration kPauseMax = 60s;
// A node is silent at first: it has to say hello, and the master to note it.
constexpr HostTable::Duration kSettles = 15s;
// Probes of a node that answers, while it is left to find its way back by itself.
constexpr HostTable::Duration kLooksAgain = 5s;
// A cut cable that was mended: TCP tries again ever more rarely, but in the end it does.
constexpr HostTable::Duration kFindsBack = 30s;
constexpr HostTable::Duration kBetweenPlanned = 30s;
constexpr int kMostDoublings = 5;

// Whoever is started and never heard (refused by the master, say), or cannot be started, must not
// disturb all others for ever.
HostTable::Duration penalty(const HostTable::Host& host) {
  return host.in_vain == 0 ? 0ms : kBetweenPlanned * (1 << std::min(host.in_vain, kMostDoublings));
}

}  // namespace

HostTable::HostTable(std::vector<HostEntry> entries) {
  for (HostEntry& entry : entries) hosts_.push_back({.entry = std::move(entry)});
}

HostTable::Host* HostTable::get(const std::string& name) {
  const auto found = std::find_if(hosts_.begin(), hosts_.end(),
                                  [&](const Host& host) { return host.entry.name == name; });
  return found == hosts_.end() ? nullptr : &*found;
}

const HostTable::Host* HostTable::find(const std::string& name) const {
  return const_cast<HostTable*>(this)->get(name);
}

void HostTable::probing(const std::string& name) {
  if (Host* const host = get(name)) host->probing = true;
}

void HostTable::answered(const std::string& name, const ProbeResult& result, Time now) {
  Host* const host = get(name);
  if (host == nullptr) return;
  host->probing = false;
  host->probed = true;
  host->ready = result.good;
  host->why = result.why;
  if (!result.good) {
    host->served_since = {};
    host->pause = std::clamp(host->pause * 2, kPauseMin, kPauseMax);
  } else {
    host->pause = kLooksAgain;
    if (!result.served) host->served_since = {};
    if (result.served && host->served_since == Time{}) host->served_since = now;
  }
  host->next_probe = now + host->pause;
  host->machine = result.machine;
  refuse_twins();
}

void HostTable::on_machine(const std::string& name, const std::string& machine) {
  if (Host* const host = get(name)) host->machine = machine;
}

void HostTable::refuse_twins() {
  for (auto host = hosts_.begin(); host != hosts_.end(); ++host) {
    if (!host->ready || host->machine.empty()) continue;
    const auto first = std::find_if(hosts_.begin(), hosts_.end(), [&](const Host& other) {
      if (&other == &*host || other.machine != host->machine) return false;
      return other.heard || other.member || (other.ready && &other < &*host);
    });
    if (first == hosts_.end() || host->heard || host->member) continue;
    host->ready = false;
    host->why =
        "is the same machine as " + first->entry.name + "; name each machine once in the host file";
    host->pause = kPauseMax;
    host->next_probe += kPauseMax - kLooksAgain;
  }
}

void HostTable::formed(const std::vector<std::string>& members, bool planned, Time now) {
  world_ = true;
  formed_ = now;
  if (planned) planned_ = now;
  any_planned_ = any_planned_ || planned;
  asked_ = false;
  for (Host& host : hosts_) {
    host.member = std::find(members.begin(), members.end(), host.entry.name) != members.end();
    host.heard = false;
    host.was_heard = false;
    if (!host.member) continue;
    host.ready = false;
    host.why.clear();
    host.served_since = {};
    host.pause = 0ms;
    host.next_probe = now + kSettles;
  }
}

void HostTable::ended(Time now) {
  world_ = false;
  for (Host& host : hosts_) {
    if (host.was_heard) host.in_vain = 0;
    if (host.member && !host.was_heard && now >= formed_ + kSettles) ++host.in_vain;
    // Who was there a moment ago, or not yet given up, is there; of the others it has to be asked.
    host.ready = host.ready || (host.member && host.why.empty());
    host.member = false;
    host.heard = false;
  }
}

void HostTable::blame(const std::string& name, const std::string& why, Time now) {
  Host* const host = get(name);
  if (host == nullptr) return;
  ++host->in_vain;
  host->barred_until = now + penalty(*host);
  answered(name, {.why = why}, now);
}

void HostTable::forget_answers(Time now) {
  for (Host& host : hosts_) {
    if (!host.ready) continue;
    host.ready = false;
    host.next_probe = now;
  }
}

void HostTable::heard(const std::set<std::string>& names, Time now) {
  for (Host& host : hosts_) {
    const bool before = host.heard;
    host.heard = host.member && names.contains(host.entry.name);
    if (host.heard) {
      host.was_heard = true;
      host.ready = false;
      host.why.clear();
      host.served_since = {};
      host.pause = 0ms;
    } else if (before) {
      host.why = "was heard no more";
      host.next_probe = now;
    }
  }
}

std::vector<std::string> HostTable::ask_back(const std::vector<std::string>& names, Time now) {
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    if (get(name) == nullptr) unknown.push_back(name);
  }
  for (Host& host : hosts_) {
    const bool meant =
        names.empty() || std::find(names.begin(), names.end(), host.entry.name) != names.end();
    if (!meant || host.heard) continue;
    host.ready = false;
    host.next_probe = now;
    host.pause = 0ms;
    host.barred_until = {};
    asked_ = true;
  }
  return unknown;
}

std::vector<std::string> HostTable::due(Time now) const {
  std::vector<std::string> names;
  for (const Host& host : hosts_) {
    if (!host.heard && !host.probing && host.next_probe <= now) names.push_back(host.entry.name);
  }
  return names;
}

bool HostTable::wants_in(const Host& host, Time now) const {
  if (host.heard || !host.ready) return false;
  if (asked_) return true;
  if (now < host.barred_until || now < formed_ + penalty(host)) return false;
  if (!host.member) return true;
  // Its worker lives: most likely only the way to it is disturbed, and TCP will find it again.
  const bool may_find_back = host.served_since != Time{} && now < host.served_since + kFindsBack;
  return (host.was_heard || now >= formed_ + kSettles) && !may_find_back;
}

bool HostTable::worth_reforming(Time now) const {
  if (!world_) return false;
  if (!asked_ && any_planned_ && now < planned_ + kBetweenPlanned) return false;
  // All that were asked for at once join at once.
  if (asked_ && any_probing()) return false;
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const Host& host) { return wants_in(host, now); });
}

std::vector<std::string> HostTable::candidates(Time now) const {
  std::vector<std::string> names;
  for (const Host& host : hosts_) {
    if (now < host.barred_until) continue;
    if (host.ready || (host.member && host.heard)) names.push_back(host.entry.name);
  }
  return names;
}

bool HostTable::wish_settled(Time now) {
  if (any_probing() || !due(now).empty() || worth_reforming(now)) return false;
  asked_ = false;
  return true;
}

bool HostTable::any_probing() const {
  return std::any_of(hosts_.begin(), hosts_.end(), [](const Host& host) { return host.probing; });
}

std::string HostTable::state_of(const Host& host) {
  if (host.heard) return "up";
  if (host.ready) return "joining";
  if (host.member && host.why.empty()) return "starting";
  return host.probed || !host.why.empty() ? "absent" : "asked";
}

}  // namespace hyades
