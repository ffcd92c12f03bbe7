#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "core/prng.hpp"
#include "master/advisor_process.hpp"
#include "measurements.hpp"
#include "policy/global_state.hpp"
#include "process_meter.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "Advice";
constexpr int kCores = 4'096;

// As much as ever is sent: every place for a job is taken.
GlobalQuestion full_question() {
  Prng random(1);
  GlobalQuestion question{"batch", 1'750'000'000'000};
  RolloutScene& scene = question.scene;
  scene.cores = kCores;
  const auto per_job = static_cast<int>(kCores / RolloutScene::running_most);
  for (std::size_t i = 0; i < RolloutScene::running_most; ++i) {
    const WallMs end_ms = random.between(1'000, 8 * 3'600'000);
    scene.running.push_back({end_ms, 2 * end_ms, per_job});
  }
  const std::size_t jobs = RolloutScene::waiting_most + RolloutScene::coming_most;
  for (std::size_t i = 0; i < jobs; ++i) {
    SceneJob job;
    const bool comes = i >= RolloutScene::waiting_most;
    job.submit_ms = comes ? static_cast<WallMs>(i) * 50'000 : static_cast<WallMs>(i) - 1'000;
    job.limit_s = static_cast<std::int32_t>(random.skewed(60, 86'400));
    job.run_s = job.limit_s / 2.0;
    job.inverse_s = 1 / std::max(job.run_s, shortest_run_s);
    job.cores = static_cast<std::int32_t>(random.skewed(1, kCores / 4));
    scene.jobs.push_back(job);
  }
  return question;
}

double answer_ms(Adviser& advisor, const GlobalQuestion& question) {
  const auto begin = std::chrono::steady_clock::now();
  advisor.ask(question);
  const std::optional<AdviserReply> reply = advisor.answer();
  if (!reply || !reply->advice) {
    throw std::runtime_error("hyades-advisor: " + (reply ? reply->failure : "no answer"));
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace

void measure_advice(Bench& bench) {
  // It is built where there is LibTorch.
  if (access(program_beside_us("hyades-advisor").c_str(), X_OK) != 0) return;
  bench.report.explain(
      kSection,
      "Wall time from a question of the scheduler to the answer of `hyades-advisor`, which nobody "
      "waits for: " +
          std::to_string(RolloutScene::waiting_most) + " jobs wait on " + std::to_string(kCores) +
          " cores, " + std::to_string(RolloutScene::coming_most) + " are to come, " +
          std::to_string(RolloutScene::running_most) +
          " run; the median of repetitions (lowest to highest). *First*: the program is started, "
          "loads its library and the installed model.");
  AdvisorProcess advisor({.waits = true});
  GlobalQuestion question = full_question();
  const auto row = [&](const std::string& name) {
    bench.progress.say("advice: " + name);
    SampleSet samples;
    const int times = bench.options.smoke ? 2 : 51;
    for (int i = 0; i < times; ++i) samples.add(answer_ms(advisor, question));
    bench.report.add(kSection, name, samples, "ms");
  };
  bench.progress.say("advice: the first answer");
  bench.report.add({.section = kSection,
                    .name = "learned, first",
                    .value = answer_ms(advisor, question),
                    .unit = "ms"});
  row("learned, and played beside hand-set");
  question.look_ahead = Objective::Slowdown;
  row("lookahead-slowdown");
  question.look_ahead = Objective::Wait;
  row("lookahead-wait");
  bench.report.add({.section = kSection,
                    .name = "resident memory of hyades-advisor",
                    .value = static_cast<double>(memory_use(advisor.process()).rss_kib) / 1024,
                    .unit = "MiB",
                    .bar = Bar::Below,
                    .limit = 400});
}

}  // namespace hyades
