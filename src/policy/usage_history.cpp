#include "policy/usage_history.hpp"

#include <algorithm>

#include "core/checksum.hpp"

namespace hyades {
namespace {

std::uint64_t hash_of(const Checksum& sum) { return static_cast<std::uint64_t>(sum.value()); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

UsageHistory::UsageHistory(const Bounds& bounds)
    : users_(std::max<std::size_t>(bounds.users, 1)),
      names_(std::max<std::size_t>(bounds.names, 1)),
      requests_(std::max<std::size_t>(bounds.requests, 1)),
      sizes_(std::max<std::size_t>(bounds.sizes, 1)),
      limits_(std::max<std::size_t>(bounds.limits, 1)) {}

UsageHistory::Key UsageHistory::name_key(const AskedFacts& asked) {
  std::string kind;  // each number in it is one '\0', which no name has
  bool in_number = false;
  for (const char c : asked.name) {
    if (!is_digit(c)) {
      kind += c;
    } else if (!in_number) {
      kind += '\0';
    }
    in_number = is_digit(c);
  }
  return {asked.uid, hash_of(Checksum().add(kind))};
}

UsageHistory::Key UsageHistory::request_key(const AskedFacts& asked) {
  return {asked.uid, hash_of(Checksum().add(std::int64_t{asked.cores}).add(asked.time_limit_s))};
}

UsageHistory::Key UsageHistory::size_key(const AskedFacts& asked) {
  return {asked.uid, static_cast<std::uint64_t>(asked.cores)};
}

UsageHistory::Key UsageHistory::limit_key(const AskedFacts& asked) {
  return {asked.uid, static_cast<std::uint64_t>(asked.time_limit_s)};
}

void UsageHistory::add(const JobOutcomeFacts& facts) {
  const auto past = remember(facts);
  if (!past) return;
  ++added_;
  users_.add(user_key(facts.asked), *past);
  names_.add(name_key(facts.asked), *past);
  requests_.add(request_key(facts.asked), *past);
  sizes_.add(size_key(facts.asked), *past);
  limits_.add(limit_key(facts.asked), *past);
}

RecentSummary UsageHistory::by_user(const AskedFacts& asked, WallMs now_ms) const {
  return users_.look(user_key(asked), now_ms);
}

RecentSummary UsageHistory::by_name(const AskedFacts& asked, WallMs now_ms) const {
  return names_.look(name_key(asked), now_ms);
}

RecentSummary UsageHistory::by_request(const AskedFacts& asked, WallMs now_ms) const {
  return requests_.look(request_key(asked), now_ms);
}

RecentSummary UsageHistory::by_size(const AskedFacts& asked, WallMs now_ms) const {
  return sizes_.look(size_key(asked), now_ms);
}

RecentSummary UsageHistory::by_limit(const AskedFacts& asked, WallMs now_ms) const {
  return limits_.look(limit_key(asked), now_ms);
}

void UsageHistory::Table::add(const Key& key, const PastJob& job) {
  const auto [entry, is_new] = kinds_.try_emplace(key);
  if (!is_new) by_end_.erase({entry->second.last_end_ms(), key});
  entry->second.add(job);
  by_end_.insert({entry->second.last_end_ms(), key});
  if (kinds_.size() <= most_) return;
  kinds_.erase(by_end_.begin()->second);
  by_end_.erase(by_end_.begin());
}

RecentSummary UsageHistory::Table::look(const Key& key, WallMs now_ms) const {
  const auto found = kinds_.find(key);
  return found == kinds_.end() ? RecentSummary{} : found->second.look(now_ms);
}

}  // namespace hyades
