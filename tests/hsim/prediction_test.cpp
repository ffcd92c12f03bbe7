// Predicted run times and the reserve: nothing of the future is used, models survive the way to
// another process and nothing else does, and a long job leaves room.
#include <gtest/gtest.h>

#include <map>

#include "hsim/forecast_probe.hpp"
#include "policy/backfill_policy.hpp"
#include "policy/boosting/boost_run_model.hpp"
#include "trace/workload_model.hpp"

namespace hyades {
namespace {

// Users whose jobs ask for an hour and run for what their user's jobs always run for.
Workload habitual_users(int jobs) {
  Workload workload{"habits", 64, 0, {}};
  for (int i = 0; i < jobs; ++i) {
    const int user = i % 7;
    workload.jobs.push_back({.id = i + 1,
                             .submit_s = i * 40,
                             .run_s = 60 + 400 * user + i % 5,
                             .request_s = 3600,
                             .procs = 1 + i % 9,
                             .user = user,
                             .executable = user});
  }
  return workload;
}

Workload half_of(const Workload& all) { return cut(all, {all.jobs.size() / 2, 0}); }

std::span<const TraceJob> before_half_of(const Workload& all) {
  return std::span(all.jobs).first(all.jobs.size() / 2);
}

TEST(Prediction, LearnsHabitsThatRequestsDoNotTell) {
  const Workload all = habitual_users(2000);
  ModelShelf shelf;
  const auto samples = forecasts_of(half_of(all), before_half_of(all), shelf);
  EXPECT_GT(errors_of(samples, &ForecastSample::request_s).wape, 1);
  EXPECT_LT(errors_of(samples, &ForecastSample::last_two_s).wape, 0.1);
  EXPECT_LT(errors_of(samples, &ForecastSample::learned_s).wape, 0.1);
}

// What happens after a job's submission must not change what was predicted for it: with the log cut
// off there, and all that had not ended by then running for another time, it is the same.
TEST(Prediction, KnowsNothingOfTheFuture) {
  Workload all = habitual_users(1200);
  for (TraceJob& job : all.jobs) job.run_s += (job.id * 7919) % 900;
  const Workload window = half_of(all);
  ModelShelf shelf;
  const auto whole = forecasts_of(window, before_half_of(all), shelf);
  for (const std::size_t last : {20u, 250u, 400u, 599u}) {
    Workload known = cut(window, {0, last + 1});
    const std::int64_t now_s = known.jobs.back().submit_s;
    int changed = 0;
    for (TraceJob& job : known.jobs) {
      if (job.submit_s + job.run_s < now_s) continue;  // has surely not ended
      job.run_s = job.request_s;
      ++changed;
    }
    ASSERT_GT(changed, 0);
    const auto cut_short = forecasts_of(known, before_half_of(all), shelf);
    EXPECT_EQ(cut_short[last].learned_s, whole[last].learned_s) << last;
    EXPECT_EQ(cut_short[last].last_two_s, whole[last].last_two_s) << last;
    EXPECT_EQ(cut_short[last].q90_s, whole[last].q90_s) << last;
  }
}

TEST(Prediction, OfThePastOnlyWhatHadEndedIsKnown) {
  Workload all = habitual_users(10);
  all.jobs[2].run_s = 3600;   // still runs when the window begins
  all.jobs[3].wait_s = 3000;  // had not even started
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(pool_of(64, QueueOrder::Saf, Backfill::Easy));
  for (int i = 0; i < 5; ++i) all.jobs[static_cast<std::size_t>(i)].run_s = i == 2 ? 3600 : 1;
  const Workload window = cut(all, {5, 0});
  const auto past = past_before(std::span(all.jobs).first(5), window, options);
  ASSERT_EQ(past.size(), 3u);
  for (const JobOutcomeFacts& facts : past) {
    EXPECT_LT(facts.end_ms, origin_ms(window));
    EXPECT_EQ(facts.asked.queue, "batch");
  }
}

std::vector<RunExample> examples(int count) {
  std::vector<RunExample> all;
  for (int i = 0; i < count; ++i) {
    ModelRow row{};
    row[0] = static_cast<float>(i % 10);
    row[40] = static_cast<float>(i % 3);
    all.push_back(run_example(row, i % 10 < 5 ? 100 : 1800, 3600));
  }
  return all;
}

TEST(RunModel, SaysWhatTheExamplesSaid) {
  const RunModel model = boost_run_model(examples(600));
  ModelRow row{};
  row[0] = 2;
  EXPECT_NEAR(model.forecast(row, 3600).run_s, 100, 30);
  EXPECT_NEAR(model.forecast(row, 3600).inverse_s, 1.0 / 100, 1e-3);
  row[0] = 8;
  EXPECT_NEAR(model.forecast(row, 3600).run_s, 1800, 60);
  EXPECT_NEAR(model.forecast(row, 3600).inverse_s, 1.0 / 1800, 1e-3);
  // Never more than is asked for, never less than a second.
  EXPECT_LE(model.forecast(row, 5).run_s, 5);
  EXPECT_GE(model.forecast(row, 1).run_s, 1);
}

TEST(RunModel, TheSameExamplesMakeTheSameModel) {
  EXPECT_EQ(to_bytes(boost_run_model(examples(300))), to_bytes(boost_run_model(examples(300))));
  EXPECT_THROW(boost_run_model({}), std::runtime_error);
}

TEST(RunModel, NothingDamagedIsAModel) {
  const std::string bytes = to_bytes(boost_run_model(examples(300)));
  const auto again = run_model_from(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_bytes(*again), bytes);
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    EXPECT_FALSE(run_model_from(std::string_view(bytes).substr(0, size)));
  }
  EXPECT_FALSE(run_model_from(bytes + "x"));
  // A flipped bit may still make a model; then it answers within bounds.
  for (std::size_t bit = 0; bit < 400; ++bit) {
    std::string other = bytes;
    const std::size_t at = (bit * 7919) % bytes.size();
    other[at] = static_cast<char>(other[at] ^ (1 << (bit % 8)));
    const auto model = run_model_from(other);
    if (!model) continue;
    const RunForecast forecast = model->forecast(ModelRow{}, 3600);
    EXPECT_GE(forecast.run_s, 1);
    EXPECT_LE(forecast.run_s, 3600);
    EXPECT_GT(forecast.inverse_s, 0);
  }
}

TEST(RunModel, ExamplesSurviveTheWay) {
  const auto all = examples(20);
  const auto again = run_examples_from(to_bytes(all));
  ASSERT_TRUE(again);
  EXPECT_EQ(to_bytes(*again), to_bytes(all));
  EXPECT_FALSE(run_examples_from(to_bytes(all).substr(1)));
}

// ---- the reserve
// ---------------------------------------------------------------------------------

std::vector<std::int64_t> starts(std::vector<TraceJob> jobs, double reserve) {
  Workload workload{"pool", 100, 0, std::move(jobs)};
  ClusterConfig config = pool_of(100, QueueOrder::Fcfs, Backfill::Easy);
  config.queues.front().reserve = reserve;
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(config);
  BackfillPolicy policy;
  std::vector<std::int64_t> out;
  for (const ReplayedJob& job : replay(workload, policy, options).jobs) out.push_back(job.start_s);
  return out;
}

TraceJob job_of(std::int64_t id, std::int64_t submit_s, std::int64_t run_s, int procs) {
  return {.id = id, .submit_s = submit_s, .run_s = run_s, .request_s = run_s, .procs = procs};
}

constexpr std::int64_t kLong = 7200, kShort = 600;

TEST(Reserve, ALongJobStartsOnlyBesideIt) {
  // 90 are taken until 600: 6 long ones would leave 4 free, which is less than 5.
  const std::vector<TraceJob> jobs = {job_of(1, 0, kShort, 90), job_of(2, 1, kLong, 6)};
  EXPECT_EQ(starts(jobs, 0.05), (std::vector<std::int64_t>{0, 600}));
  EXPECT_EQ(starts(jobs, 0), (std::vector<std::int64_t>{0, 1}));
}

TEST(Reserve, AShortJobMayHaveAll) {
  const std::vector<TraceJob> jobs = {job_of(1, 0, kShort, 90), job_of(2, 1, kShort, 10)};
  EXPECT_EQ(starts(jobs, 0.05), (std::vector<std::int64_t>{0, 1}));
}

TEST(Reserve, IsWaivedForWhoCouldNeverStartBesideIt) {
  EXPECT_EQ(starts({job_of(1, 0, kLong, 96)}, 0.05), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(starts({job_of(1, 0, kLong, 100)}, 0.05), (std::vector<std::int64_t>{0}));
}

// The first one waits for 60 and 5 beside them, which is at 600 when 50 end: a job that would last
// longer may take no more than what is left of them then.
TEST(Reserve, HoldsAtAReservedStart) {
  const std::vector<TraceJob> common = {job_of(1, 0, kShort, 50), job_of(2, 0, kLong, 30),
                                        job_of(3, 1, kLong, 60)};
  auto with = [&](TraceJob last) {
    std::vector<TraceJob> jobs = common;
    jobs.push_back(last);
    return starts(jobs, 0.05);
  };
  EXPECT_EQ(with(job_of(4, 2, kLong, 5))[3], 2);    // 60 + 5 + 5 fit into 70
  EXPECT_GT(with(job_of(4, 2, kLong, 6))[3], 600);  // 60 + 6 + 5 do not
  EXPECT_EQ(with(job_of(4, 2, 500, 20))[3], 2);     // has ended by then
  EXPECT_EQ(with(job_of(4, 2, kLong, 5))[2], 600);
}

}  // namespace
}  // namespace hyades
