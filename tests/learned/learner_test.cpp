// Learning: experience is drawn by the law that is promised, and what is worth doing is found out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "policy/learned/policy_learner.hpp"
#include "policy/learned/training_curves.hpp"
#include "small_training.hpp"

namespace hyades::learned {
namespace {

std::shared_ptr<const GlobalState> state_with(float figure) {
  auto state = std::make_shared<GlobalState>();
  for (GlobalFigures& frame : state->frames) frame[7] = figure;
  return state;
}

Experience lived(std::shared_ptr<const GlobalState> state, std::size_t choice, float gain) {
  Experience experience;
  experience.state = std::move(state);
  experience.choice = choice;
  experience.gain = gain;
  return experience;
}

TEST(ReplayMemory, DrawsInProportionToErrors) {
  ReplayMemory memory(8, 1);
  for (int i = 0; i < 5; ++i) memory.add(lived(state_with(0), 0, static_cast<float>(i)));
  const double errors[] = {0.09, 0.29, 0.59, 0, 1.99};  // a hundredth is added to each
  for (std::size_t i = 0; i < 5; ++i) memory.set_error(i, errors[i]);
  Prng random(1);
  std::array<int, 5> counts{};
  for (int i = 0; i < 2'000; ++i) {
    for (const auto& drawn : memory.draw(10, 0, random)) ++counts[drawn.place];
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const double expected = 20'000 * (errors[i] + 0.01) / 3.01;
    EXPECT_NEAR(counts[i], expected, 5 * std::sqrt(expected) + 1) << i;
  }
}

TEST(ReplayMemory, WeightsMakeUpForIt) {
  ReplayMemory memory(4, 1);
  for (int i = 0; i < 4; ++i) memory.add(lived(state_with(0), 0, static_cast<float>(i)));
  for (std::size_t i = 0; i < 4; ++i) memory.set_error(i, static_cast<double>(i + 1) - 0.01);
  Prng random(2);
  double sum = 0, weights = 0;
  for (int i = 0; i < 4'000; ++i) {
    for (const auto& drawn : memory.draw(4, 1, random)) {
      // Weights are scaled within a batch: by the rarest that was drawn.
      const double weight = static_cast<double>(drawn.weight);
      EXPECT_LE(weight, 1);
      sum += weight * static_cast<double>(drawn.experience->gain);
      weights += weight;
    }
  }
  EXPECT_NEAR(sum / weights, 1.5, 0.15);
}

TEST(ReplayMemory, KeepsTheNewest) {
  ReplayMemory memory(3, 0.6);
  for (int i = 0; i < 7; ++i) memory.add(lived(state_with(0), 0, static_cast<float>(i)));
  EXPECT_EQ(memory.size(), 3u);
  Prng random(3);
  for (const auto& drawn : memory.draw(50, 0.5, random)) EXPECT_GE(drawn.experience->gain, 4);
}

TEST(SumTree, FindsNothingWhereNothingIs) {
  SumTree tree(5);
  tree.set(1, 0.1);
  tree.set(4, 0.7);
  EXPECT_DOUBLE_EQ(tree.total(), 0.1 + 0.7);
  EXPECT_EQ(tree.find(0), 1u);
  EXPECT_EQ(tree.find(0.0999), 1u);
  EXPECT_EQ(tree.find(0.11), 4u);
  EXPECT_EQ(tree.find(tree.total()), 4u);
  EXPECT_EQ(tree.find(tree.total() + 1), 4u);
}

class Network : public testing::TestWithParam<Encoder> {};

TEST_P(Network, ItsWeightsAreAllOfIt) {
  const PolicyNetwork one(GetParam(), 1);
  PolicyNetwork other(GetParam(), 2);
  const auto state = state_with(0.3f);
  EXPECT_NE(one.evaluate(*state).gains, other.evaluate(*state).gains);
  other.set_weights(one.weights());
  EXPECT_EQ(one.evaluate(*state).gains, other.evaluate(*state).gains);
  EXPECT_EQ(one.evaluate(*state).numbers, other.evaluate(*state).numbers);
  EXPECT_TRUE(sound(one.evaluate(*state)));
}

TEST_P(Network, RefusesWeightsOfAnotherShape) {
  PolicyNetwork network(GetParam(), 1);
  std::vector<NamedTensor> weights = network.weights();
  std::swap(weights.front().shape[0], weights.front().shape[1]);
  EXPECT_THROW(network.set_weights(weights), std::invalid_argument);
  weights = network.weights();
  weights.pop_back();
  EXPECT_THROW(network.set_weights(weights), std::invalid_argument);
  weights = network.weights();
  weights.push_back(weights.back());
  weights.back().name = "another";
  EXPECT_THROW(network.set_weights(weights), std::invalid_argument);
}

// In one state choice 3 is worth a lot, in the other it does harm; nothing follows.
TEST_P(Network, LearnsWhichChoiceIsWorthWhat) {
  PolicyNetwork network(GetParam(), 1);
  PolicyLearner learner(network, {.value_rate = 2e-3, .numbers_rate = 0});
  ReplayMemory memory(2'000, 0.6);
  Prng random(1);
  const auto good = state_with(1), bad = state_with(-1);
  for (int i = 0; i < 2'000; ++i) {
    const bool is_good = random.chance(500);
    const std::size_t choice = random.below(global_choices_count);
    Experience experience = lived(is_good ? good : bad, choice, 0);
    if (choice == 3) experience.gain = is_good ? 1 : -1;
    experience.numbers = unit_numbers(GlobalAction{});
    memory.add(experience);
  }
  for (int i = 0; i < 250; ++i) learner.learn(memory, 1, random);
  const Evaluation in_good = network.evaluate(*good), in_bad = network.evaluate(*bad);
  EXPECT_GT(in_good.gains[3], 0.6f);
  EXPECT_LT(in_bad.gains[3], -0.5f);
  EXPECT_NEAR(in_good.gains[1], 0, 0.3);
  EXPECT_EQ(chosen_by(in_good, 0.3), 3u);
  EXPECT_EQ(chosen_by(in_bad, 0.3), expert_choice);  // its fallback
  GlobalChoices others = every_choice();
  others.reset(3);
  network.allow(others);
  EXPECT_EQ(chosen_by(network.evaluate(*good), 0.3), expert_choice);
}

// Looking ahead, where it may be chosen; else the hand-set action. It counts as a gain of 0.
TEST(Evaluation, WithoutAReasonTheFallbackHolds) {
  Evaluation evaluation;
  evaluation.gains.fill(-1);
  evaluation.gains[expert_choice] = 0.2f;
  evaluation.gains[4] = 0.4f;
  EXPECT_EQ(chosen_by(evaluation, 0.1), 4u);
  EXPECT_EQ(chosen_by(evaluation, 0.3), expert_choice);
  EXPECT_EQ(chosen_by(evaluation, never_departs), expert_choice);
  evaluation.gains[expert_choice] = -0.6f;
  evaluation.gains[4] = -0.1f;
  EXPECT_EQ(chosen_by(evaluation, 0.5), std::nullopt);  // the hand-set action is worth more
  EXPECT_EQ(chosen_by(evaluation, 0.7), expert_choice);
  evaluation.gains[expert_choice] = not_allowed;
  evaluation.gains[4] = 0.4f;
  EXPECT_EQ(chosen_by(evaluation, 0.3), 4u);
  EXPECT_EQ(chosen_by(evaluation, 0.5), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Encoders, Network, testing::Values(Encoder::Mlp, Encoder::CnnLstm),
                         [](const auto& encoder) {
                           return encoder.param == Encoder::Mlp ? "Mlp" : "CnnLstm";
                         });

// A reserve of three tenths is best: the numbers go there, up the values.
TEST(Learner, MovesNumbersToWhereTheyAreWorthMost) {
  PolicyNetwork network(Encoder::Mlp, 1);
  PolicyLearner learner(network, {.value_rate = 1e-3, .numbers_rate = 1e-3});
  ReplayMemory memory(4'000, 0.6);
  Prng random(1);
  const auto state = state_with(1);
  for (int i = 0; i < 4'000; ++i) {
    Experience experience = lived(state, 0, 0);
    for (float& number : experience.numbers) number = static_cast<float>(unit_number(random));
    experience.gain = 4 * (experience.numbers[0] - 0.5f);
    memory.add(experience);
  }
  const float before = network.evaluate(*state).numbers[0][0];
  for (int i = 0; i < 600; ++i) learner.learn(memory, 1, random);
  EXPECT_GT(network.evaluate(*state).numbers[0][0], std::max(before, 0.8f));
}

TEST(Learner, BeginsWithTheExpertAndTheHandSetNumbers) {
  PolicyNetwork network(Encoder::Mlp, 5);
  PolicyLearner learner(network, {});
  ReplayMemory memory(100, 0.6);
  Prng random(1);
  for (int i = 0; i < 100; ++i) memory.add(lived(state_with(static_cast<float>(i % 5)), 0, 0));
  const auto chosen = [&](int i) {
    return chosen_by(network.evaluate(*state_with(static_cast<float>(i))), 0);
  };
  learner.imitate(memory, 0, 300, random);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(chosen(i), std::nullopt);
  learner.imitate(memory, expert_choice, 300, random);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(chosen(i), expert_choice);
    const Evaluation evaluation = network.evaluate(*state_with(static_cast<float>(i)));
    for (const UnitNumbers& numbers : evaluation.numbers) {
      EXPECT_NEAR(numbers[0], unit_numbers(GlobalAction{})[0], 0.05);
    }
  }
}

// Neither threads nor anything else but the seed decide what comes out.
TEST(TrainingRun, TheSameSeedGivesTheSameModel) {
  const auto trained = [&](int threads, std::uint64_t seed) {
    ReplayPool pool(made_windows(), {.threads = threads});
    replay_all(pool);
    for (const TrainingWindow& window : pool.windows().try_on) {
      EXPECT_GT(window.hand_set_slowdown, 1);
    }
    TrainingSettings settings = few_rounds();
    settings.seed = seed;
    TrainingRun run(settings, pool);
    run.run({});
    EXPECT_LE(run.best().ratio, 1);
    return run.best_network().weights();
  };
  const auto one = trained(1, 7);
  EXPECT_EQ(one, trained(3, 7));
  EXPECT_NE(one, trained(1, 8));
}

// Where nothing was tried, nothing is better than the fallback.
TEST(Trial, WithoutWindowsNothingIsShown) {
  ReplayPool pool({}, {});
  const PolicyNetwork network(Encoder::Mlp, 1);
  EXPECT_EQ(sure_margin(ratios_of(network, WindowSet::ChooseBy, pool)).margin, never_departs);
  EXPECT_EQ(best_margin(ratios_of(network, WindowSet::ChooseBy, pool)).margin, never_departs);
}

// A gain on every window of few logs says nothing of other logs.
TEST(Trial, FewLogsProveNothingOfOthers) {
  for (const int logs : {1, 3, 4, 6}) {
    std::vector<TrainingWindow> windows(24);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      windows[i].log = "log-" + std::to_string(i % static_cast<std::size_t>(logs));
    }
    const std::vector<double> fallbacks(windows.size(), 10.0), slowdowns(windows.size(), 8.0);
    EXPECT_LT(ratio_of(windows, slowdowns, fallbacks, false).high, 1) << logs;
    EXPECT_EQ(ratio_of(windows, slowdowns, fallbacks, true).high < 1, logs >= 4) << logs;
  }
}

// Every trial is there, under every margin, with its figures.
TEST(Curves, ShowWhatTrialsSaid) {
  std::vector<Trial> trials(2);
  for (std::size_t i = 0; i < 2; ++i) {
    trials[i].round = static_cast<int>(i + 1) * 10;
    trials[i].error = 0.25 / static_cast<double>(i + 1);
    for (std::size_t k = 0; k < tried_margins.size(); ++k) {
      trials[i].of_margins[k].value = 1 - 0.01 * static_cast<double>(i + k);
    }
  }
  const std::string svg = training_curves_svg(trials, "a.swf b.swf");
  for (const char* said : {"margin 0, 10: 1<", "margin 0.05, 10: 0.99<", "margin 0.5, 20: 0.96<",
                           "updates, 20: 0.125<", "a.swf b.swf", "fallback"}) {
    EXPECT_THAT(svg, testing::HasSubstr(said));
  }
}

// An episode in which nothing is tried gains nothing.
TEST(Episode, TheHandSetActionGainsNothing) {
  ModelShelf shelf;
  TrainingWindow window{"made", made_workload(300), {}, {}, 1};
  replay_hand_set(window, RunTimes::LastTwo, shelf);
  PolicyNetwork network(Encoder::Mlp, 1);
  network.allow({});
  std::vector<NamedTensor> weights = network.weights();
  for (NamedTensor& tensor : weights) std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
  network.set_weights(weights);  // nothing is worth more than the hand-set action
  const Exploration nothing{.random_rule = 0, .noise = 0};
  const Episode quiet = play(window, network, nothing, {}, RunTimes::LastTwo, shelf, Prng(1));
  ASSERT_GT(quiet.experiences.size(), 10u);
  for (const Experience& experience : quiet.experiences) EXPECT_EQ(experience.gain, 0);
  EXPECT_DOUBLE_EQ(quiet.slowdown, window.hand_set_slowdown);
  const Exploration wild{.random_rule = 1, .noise = 0.5};
  const Episode loud = play(window, network, wild, {}, RunTimes::LastTwo, shelf, Prng(1));
  EXPECT_NE(loud.slowdown, window.hand_set_slowdown);
  EXPECT_EQ(loud.experiences.back().discount, 0);
  EXPECT_EQ(loud.experiences.back().next, nullptr);
}

// With looking ahead alone beside the hand-set rule, that is all that is ever tried.
TEST(Episode, OnlyWhatIsAllowedIsTried) {
  ModelShelf shelf;
  TrainingWindow window{"made", made_workload(300), {}, {}, 1};
  replay_hand_set(window, RunTimes::LastTwo, shelf);
  PolicyNetwork network(Encoder::Mlp, 1);
  const std::size_t ahead = global_choice_named("lookahead-wait").value();
  network.allow(GlobalChoices().set(ahead));
  const Exploration wild{.random_rule = 1, .noise = 0};
  const Episode episode = play(window, network, wild, {}, RunTimes::LastTwo, shelf, Prng(1));
  std::set<std::size_t> tried;
  for (const Experience& experience : episode.experiences) tried.insert(experience.choice);
  EXPECT_EQ(tried, (std::set<std::size_t>{0, ahead}));
}

}  // namespace
}  // namespace hyades::learned
