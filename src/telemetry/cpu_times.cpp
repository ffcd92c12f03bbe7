#include "telemetry/cpu_times.hpp"

#include <string_view>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr std::size_t first_line = 512;  // the sum of all processors is all we want

}  // namespace

CpuTimes::CpuTimes(const std::string& root) : file_(root + "/proc/stat", first_line) {}

// Older kernels have fewer columns; user to idle have always been there.
bool CpuTimes::read(Ticks& ticks) {
  if (!file_.read()) return why_ = file_.why(), false;
  std::string_view rest;
  ticks = {};
  bool good = line_after(file_.text(), "cpu ", rest);
  for (int field = 0; good && field < kFields; ++field) {
    const std::string_view word = next_word(rest);
    if (word.empty() && field > Idle) break;
    good = parse_count(word, ticks[static_cast<std::size_t>(field)]);
  }
  why_ = good ? "" : file_.path() + ": no line of processor times";
  return good;
}

CpuTimes::Answer CpuTimes::look(CpuShares& shares) {
  Ticks now;
  if (!read(now)) return Answer::Trouble;
  if (!has_last_) {
    last_ = now;
    has_last_ = true;
    return Answer::NotYet;
  }
  std::array<double, kFields> step = {};
  double total = 0;
  for (std::size_t field = 0; field < kFields; ++field) {
    // The kernel corrects idle and iowait downwards now and then: nothing was gained then. The
    // others only grow; if one shrank, these are not the times that we knew.
    const bool may_shrink = field == Idle || field == Iowait;
    if (now[field] < last_[field] && !may_shrink) {
      last_ = now;
      why_ = file_.path() + ": the processor times went backwards";
      return Answer::Trouble;
    }
    step[field] = now[field] > last_[field] ? static_cast<double>(now[field] - last_[field]) : 0.0;
    total += step[field];
  }
  if (total <= 0) return Answer::NotYet;
  last_ = now;
  const double percent = 100 / total;
  shares.user = (step[User] + step[Nice]) * percent;
  shares.system = (step[System] + step[Irq] + step[Softirq]) * percent;
  shares.iowait = step[Iowait] * percent;
  shares.steal = step[Steal] * percent;
  shares.idle = step[Idle] * percent;
  return Answer::Shares;
}

}  // namespace hyades
