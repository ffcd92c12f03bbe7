#include "core/queue_order.hpp"

#include "core/words.hpp"

namespace hyades {

namespace {

constexpr Word<QueueOrder> kOrders[] = {{QueueOrder::Fcfs, "fcfs"},
                                        {QueueOrder::Sjf, "sjf"},
                                        {QueueOrder::Saf, "saf"},
                                        {QueueOrder::Lxf, "lxf"},
                                        {QueueOrder::Wfp3, "wfp3"},
                                        {QueueOrder::Unicep, "unicep"},
                                        {QueueOrder::F1, "f1"},
                                        {QueueOrder::F2, "f2"},
                                        {QueueOrder::F3, "f3"},
                                        {QueueOrder::F4, "f4"},
                                        {QueueOrder::Multifactor, "mf"},
                                        {QueueOrder::Index, "index"},
                                        {QueueOrder::Learned, "learned"},
                                        {QueueOrder::LookaheadWait, "lookahead-wait"},
                                        {QueueOrder::LookaheadSlowdown, "lookahead-slowdown"}};

constexpr Word<Backfill> kBackfills[] = {{Backfill::None, "none"},
                                         {Backfill::Easy, "easy"},
                                         {Backfill::EasyFcfs, "easy-fcfs"},
                                         {Backfill::EasySjbf, "easy-sjbf"},
                                         {Backfill::Conservative, "cons"}};

constexpr Word<RunTimes> kRunTimes[] = {
    {RunTimes::Request, "request"}, {RunTimes::LastTwo, "last2"}, {RunTimes::Learned, "gbdt"}};

template <typename E, std::size_t N>
std::vector<E> values_of(const Word<E> (&table)[N]) {
  std::vector<E> values;
  for (const Word<E>& entry : table) values.push_back(entry.value);
  return values;
}

}  // namespace

std::string_view to_string(QueueOrder order) { return word_of(kOrders, order); }
std::string_view to_string(Backfill backfill) { return word_of(kBackfills, backfill); }
std::string_view to_string(Objective objective) {
  return objective == Objective::Wait ? "wait" : "slowdown";
}
std::string_view to_string(RunTimes run_times) { return word_of(kRunTimes, run_times); }

bool parse_queue_order(std::string_view word, QueueOrder& out) {
  return parse_word(kOrders, word, out);
}

bool parse_backfill(std::string_view word, Backfill& out) {
  return parse_word(kBackfills, word, out);
}

bool parse_run_times(std::string_view word, RunTimes& out) {
  return parse_word(kRunTimes, word, out);
}

const std::vector<QueueOrder>& all_queue_orders() {
  static const std::vector<QueueOrder> orders = values_of(kOrders);
  return orders;
}

const std::vector<QueueOrder>& fixed_queue_orders() {
  static const std::vector<QueueOrder> orders = [] {
    std::vector<QueueOrder> all = all_queue_orders();
    std::erase_if(all, is_advised);
    return all;
  }();
  return orders;
}

const std::vector<Backfill>& all_backfills() {
  static const std::vector<Backfill> backfills = values_of(kBackfills);
  return backfills;
}

const std::vector<RunTimes>& all_run_times() {
  static const std::vector<RunTimes> run_times = values_of(kRunTimes);
  return run_times;
}

}  // namespace hyades
