#include "core/job_counter.hpp"

#include <algorithm>
#include <limits>

namespace hyades {
namespace {

template <typename List>
auto find_name(List& list, const std::string& name) {
  return std::find_if(list.begin(), list.end(), [&](const auto& e) { return e.name == name; });
}

std::string reason_of(const std::vector<MissingCounter>& missing, const std::string& name) {
  const auto found = find_name(missing, name);
  return found == missing.end() ? "not counted on every node of the job" : found->why;
}

void note_missing(std::vector<MissingCounter>& missing, const std::string& name,
                  const std::string& why) {
  if (missing.size() >= job_counters_max || find_name(missing, name) != missing.end()) return;
  missing.push_back({name, why});
}

}  // namespace

bool is_counter_name(std::string_view text) {
  constexpr const char* allowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-";
  return !text.empty() && text.size() <= counter_name_bytes_max &&
         text.find_first_not_of(allowed) == text.npos;
}

bool is_counter_reason(std::string_view text) {
  return text.size() <= counter_reason_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void add_counters(std::vector<JobCounter>& sum, std::vector<MissingCounter>& missing,
                  const std::vector<JobCounter>& part,
                  const std::vector<MissingCounter>& part_missing) {
  for (auto at = sum.begin(); at != sum.end();) {
    const auto other = find_name(part, at->name);
    if (other == part.end()) {
      note_missing(missing, at->name, reason_of(part_missing, at->name));
      at = sum.erase(at);
      continue;
    }
    at->value = add_without_overflow(at->value, other->value);
    at->running_share = std::min(at->running_share, other->running_share);
    at->user_only = at->user_only || other->user_only;
    ++at;
  }
  for (const JobCounter& other : part) {
    if (find_name(sum, other.name) == sum.end()) {
      note_missing(missing, other.name, reason_of({}, other.name));
    }
  }
  for (const MissingCounter& other : part_missing) note_missing(missing, other.name, other.why);
}

std::int64_t add_without_overflow(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  const bool over = __builtin_add_overflow(a, b, &sum);
  return over ? std::numeric_limits<std::int64_t>::max() : sum;
}

}  // namespace hyades
