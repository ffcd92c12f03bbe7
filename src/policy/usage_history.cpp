#include "policy/usage_history.hpp"

#include <algorithm>

namespace hyades {
namespace {

// FNV-1a.
constexpr std::uint64_t kHashStart = 14695981039346656037u;

std::uint64_t mix(std::uint64_t hash, unsigned char byte) { return (hash ^ byte) * 1099511628211u; }

std::uint64_t mix(std::uint64_t hash, std::int64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    const auto byte = static_cast<std::uint64_t>(number) >> shift;
    hash = mix(hash, static_cast<unsigned char>(byte & 0xff));
  }
  return hash;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

UsageHistory::UsageHistory(const Bounds& bounds)
    : users_(std::max<std::size_t>(bounds.users, 1)),
      names_(std::max<std::size_t>(bounds.names, 1)),
      requests_(std::max<std::size_t>(bounds.requests, 1)) {}

UsageHistory::Key UsageHistory::name_key(const AskedFacts& asked) {
  std::uint64_t hash = kHashStart;
  bool in_number = false;
  for (const char c : asked.name) {
    if (!is_digit(c)) {
      hash = mix(hash, static_cast<unsigned char>(c));
    } else if (!in_number) {
      hash = mix(hash, static_cast<unsigned char>('\0'));  // no name has one
    }
    in_number = is_digit(c);
  }
  return {asked.uid, hash};
}

UsageHistory::Key UsageHistory::request_key(const AskedFacts& asked) {
  return {asked.uid, mix(mix(kHashStart, asked.cores), asked.time_limit_s)};
}

void UsageHistory::add(const JobOutcomeFacts& facts) {
  const auto past = remember(facts);
  if (!past) return;
  ++added_;
  users_.add(user_key(facts.asked), *past);
  names_.add(name_key(facts.asked), *past);
  requests_.add(request_key(facts.asked), *past);
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
