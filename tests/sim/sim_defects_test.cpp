// The simulation must notice when the code is wrong: each defect of core/test_hooks.hpp is switched
// on, and an oracle (not only an assertion in the code itself) has to catch it.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "core/test_hooks.hpp"
#include "seed_runner.hpp"

namespace hyades {
namespace {

struct Defect {
  const char* name;
  const char* what;  // would go wrong
};

class SimDefects : public testing::TestWithParam<Defect> {
 protected:
  void SetUp() override { active_defect = GetParam().name; }
  void TearDown() override { active_defect.clear(); }
};

TEST_P(SimDefects, IsCaughtByAnOracle) {
  constexpr std::uint64_t seeds_max = 300;
  const SeedRuns runs = run_seeds(1, seeds_max, true);
  const SeedResult* caught = nullptr;
  std::uint64_t assertions = 0;
  for (const SeedResult& result : runs.results) {
    if (result.oracle == "assertion") ++assertions;
    if (!caught && !result.oracle.empty() && result.oracle != "assertion") caught = &result;
  }
  ASSERT_NE(caught, nullptr) << "no oracle noticed " << GetParam().name << " in " << seeds_max
                             << " seeds (" << assertions << " assertions did)";
  std::cout << GetParam().name << " (" << GetParam().what << "): seed " << caught->seed << ", "
            << caught->what.substr(0, 120) << "\n";
}

constexpr Defect defects[] = {
    {"no_attempt_check", "reports of an old attempt are believed"},
    {"reply_before_commit", "clients are answered before the disk has it"},
    {"act_before_commit", "orders leave before the decision is durable"},
    {"no_resend", "an order that was lost is not sent again"},
    {"leaked_cores", "cores are not given back"},
    {"early_give_back", "cores are given back when a job is asked to stop"},
    {"forget_memory", "memory is not accounted for"},
    {"forget_high_sequence", "a late order starts a job again"},
    {"no_epoch_check", "a master that was replaced is obeyed"},
    {"cancel_not_durable", "a cancellation is not committed"},
    {"forget_stop", "a stop that a dead master had recorded is not sent"},
    {"requeue_without_proof", "a silent node's jobs start elsewhere"},
    {"no_sweep", "a job without its shepherd is taken for dead"},
    {"any_boot", "an order for an earlier boot is obeyed"},
    {"any_boots_heartbeat", "the clock of an earlier boot renews a lease"},
    {"ignore_reboot", "what a node forgot in a power cut is started again"},
    {"trust_unsynced_start", "a start that a power cut erased is taken for none"},
    {"lost_exit_code", "every job is said to have returned 0"},
    {"ignore_no_requeue", "a job that must not start twice does"},
    {"skip_dependency", "dependencies are not waited for"},
    {"ignore_hold", "held jobs start"},
    {"ignore_drain", "drained nodes get new jobs"},
    {"skip_limits", "limits of users are not kept"},
    {"ignore_token", "a repeated submission makes a second job"},
    {"script_before_companions", "a script starts before its companions do"},
    {"early_lease", "the master counts a lease as over before its node does"},
    {"grace_of_the_day", "the grace after a lease is that of the newest configuration"},
    {"keep_lent_cores", "cores that were lent are not taken back for their owner"},
    {"forget_loans", "a new worker does not take back what the one before had lent"},
    {"keep_power_cap", "a job starts on processors whose power is capped for others"},
    {"id_reuse", "ids start again after a restart"},
};

INSTANTIATE_TEST_SUITE_P(Each, SimDefects, testing::ValuesIn(defects),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace hyades
