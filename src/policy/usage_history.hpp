// What became of the jobs that have ended: of a user, and of each kind of a user's jobs.
//
// Fed with each job that ends, in any order. Bounded: of one kind the last RecentJobs::kept jobs,
// and so many kinds; beyond that, the one whose last job ended longest ago is forgotten. What was
// fed the same jobs in whatever order answers the same, unless kinds had to be forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "policy/recent_jobs.hpp"

namespace hyades {

class UsageHistory {
 public:
  struct Bounds {
    std::size_t users = 2048;
    std::size_t names = 8192;
    std::size_t requests = 8192;
    std::size_t sizes = 8192;
    std::size_t limits = 8192;
  };

  UsageHistory() : UsageHistory(Bounds{}) {}
  explicit UsageHistory(const Bounds& bounds);

  void add(const JobOutcomeFacts& facts);

  // Of jobs that ended before `now_ms`, of the same user;
  RecentSummary by_user(const AskedFacts& asked, WallMs now_ms) const;
  // and of the same name, in which all numbers are alike: "train-17" and "train-18" are one;
  RecentSummary by_name(const AskedFacts& asked, WallMs now_ms) const;
  // and that asked for as many cores and as much time;
  RecentSummary by_request(const AskedFacts& asked, WallMs now_ms) const;
  // and that asked for as many cores;
  RecentSummary by_size(const AskedFacts& asked, WallMs now_ms) const;
  // and that asked for as much time.
  RecentSummary by_limit(const AskedFacts& asked, WallMs now_ms) const;

  // Kinds of jobs, for those who watch what memory goes where.
  std::size_t size() const {
    return users_.size() + names_.size() + requests_.size() + sizes_.size() + limits_.size();
  }
  std::uint64_t added() const { return added_; }

 private:
  // Names are kept as their hash: they may be long.
  struct Key {
    std::uint32_t uid = 0;
    std::uint64_t kind = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  class Table {
   public:
    explicit Table(std::size_t most) : most_(most) {}
    void add(const Key& key, const PastJob& job);
    RecentSummary look(const Key& key, WallMs now_ms) const;
    std::size_t size() const { return kinds_.size(); }

   private:
    std::size_t most_;
    std::map<Key, RecentJobs> kinds_;
    std::set<std::pair<WallMs, Key>> by_end_;  // of their last job
  };

  static Key user_key(const AskedFacts& asked) { return {asked.uid, 0}; }
  static Key name_key(const AskedFacts& asked);
  static Key request_key(const AskedFacts& asked);
  static Key size_key(const AskedFacts& asked);
  static Key limit_key(const AskedFacts& asked);

  Table users_;
  Table names_;
  Table requests_;
  Table sizes_;
  Table limits_;
  std::uint64_t added_ = 0;
};

}  // namespace hyades
