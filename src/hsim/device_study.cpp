#include "hsim/device_study.hpp"

#include <iterator>

#include "hsim/device_fluid.hpp"

namespace hyades {
namespace {

constexpr DeviceRule kRules[] = {DeviceRule::FirstFit,    DeviceRule::Patient,
                                 DeviceRule::PhaseTwo,    DeviceRule::AsNamed,
                                 DeviceRule::Random,      DeviceRule::FastestFirst,
                                 DeviceRule::Matching,    DeviceRule::PricedMatching,
                                 DeviceRule::EarliestEnd, DeviceRule::PricedChoice};
constexpr SharePolicy kShares[] = {SharePolicy::MostThroughput, SharePolicy::MaxMinFair};

}  // namespace

std::vector<DeviceRow> study_devices(
    const DeviceStudy& study, const ThroughputTable& table,
    const std::function<void(std::size_t done, std::size_t all)>& progress) {
  std::vector<DeviceRow> rows;
  const std::size_t each = study.orders.size() * (std::size(kRules) + 1) + std::size(kShares);
  const std::size_t all = study.fleets.size() * study.traces.size() * each;
  for (const DeviceFleet& fleet : study.fleets) {
    for (const DeviceTrace& whole : study.traces) {
      std::size_t left_out = 0;
      const DeviceTrace trace = held_by(fleet, table, whole, left_out);
      const auto add = [&](const std::string& order, const std::string& rule,
                           const DeviceOutcome& outcome) {
        rows.push_back({fleet.text(), trace.name, order, rule, left_out, measure(trace, outcome),
                        outcome.device_hours});
        progress(rows.size(), all);
      };
      for (const QueueOrder order : study.orders) {
        const std::string word(to_string(order));
        for (const DeviceRule rule : kRules) {
          add(word, name_of(rule),
              replay_devices(trace, fleet, table, {order, rule, study.seed, {}}));
        }
        const DeviceFleet same = homogeneous(fleet, table);
        add(word, kHomogeneous,
            replay_devices(trace, same, table, {order, DeviceRule::FirstFit, study.seed, {}}));
      }
      for (const SharePolicy policy : kShares) {
        add(kAnyOrder, name_of(policy), replay_shares(trace, fleet, table, policy));
      }
    }
  }
  return rows;
}

const DeviceRow* blind_row(const std::vector<DeviceRow>& rows, const DeviceRow& beside) {
  for (const DeviceRow& row : rows) {
    if (row.fleet == beside.fleet && row.trace == beside.trace &&
        (row.order == beside.order || beside.order == kAnyOrder) &&
        row.rule == name_of(DeviceRule::FirstFit)) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace hyades
