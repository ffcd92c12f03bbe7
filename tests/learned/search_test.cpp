// The search of hyper-parameters: fair between its two ways, done once, and honest about who won.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cli/failure.hpp"
#include "model_files.hpp"
#include "policy/learned/search_ledger.hpp"
#include "policy/learned/search_report.hpp"

namespace hyades::learned {
namespace {

using testing::HasSubstr;
using testing::Not;

// Least at the middle value of every parameter, and no two parameters have to do with each other.
double bowl(const Genome& genome) {
  double sum = 0;
  for (std::size_t i = 0; i < genome.size(); ++i) {
    const double middle = static_cast<double>(hyper_parameters()[i].values.size() / 2);
    sum += std::abs(static_cast<double>(genome[i]) - middle);
  }
  return sum;
}

std::set<Genome> genomes_of(const std::vector<TriedGenome>& tried) {
  std::set<Genome> genomes;
  for (const TriedGenome& each : tried) genomes.insert(each.genome);
  return genomes;
}

TEST(Search, BothWaysHaveTheSameBudgetAndTheSameBeginning) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const SearchSettings settings{.budget = 30, .population = 6, .seed = seed};
    int trainings = 0;
    const auto score = [&](const Genome& genome) {
      ++trainings;
      return bowl(genome);
    };
    const auto genetic = genetic_search(settings, score), random = random_search(settings, score);
    EXPECT_EQ(trainings, 60);
    ASSERT_EQ(genetic.size(), 30u);
    ASSERT_EQ(random.size(), 30u);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(genetic[i].genome, random[i].genome) << i;
    EXPECT_NE(genetic[6].genome, random[6].genome);
    EXPECT_EQ(genomes_of(genetic).size(), 30u) << "none is tried twice";
    EXPECT_EQ(genomes_of(random).size(), 30u);
  }
}

TEST(Search, FewerThanAPopulationIsABudget) {
  const SearchSettings settings{.budget = 3, .population = 8};
  EXPECT_EQ(genetic_search(settings, bowl).size(), 3u);
  EXPECT_EQ(random_search(settings, bowl).size(), 3u);
}

// Where good parents have good children, it pays to have parents.
TEST(Search, GeneticSearchFindsTheBottomOfABowl) {
  int better = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const SearchSettings settings{.budget = 100, .population = 8, .seed = seed};
    const double genetic = best_of(genetic_search(settings, bowl)).score;
    better += genetic < best_of(random_search(settings, bowl)).score;
    EXPECT_LE(genetic, 2) << seed;
  }
  EXPECT_GE(better, 17);
}

TEST(HyperParameters, AreWhatTheOptionsSay) {
  TrainingSettings settings = with_genome({}, usual_genome());
  const TrainingSettings own;
  EXPECT_EQ(settings.learner.value_rate, own.learner.value_rate);
  EXPECT_EQ(settings.learner.numbers_rate, own.learner.numbers_rate);
  EXPECT_EQ(settings.learner.batch, own.learner.batch);
  EXPECT_EQ(settings.law.steps, own.law.steps);
  EXPECT_EQ(settings.law.discount, own.law.discount);
  EXPECT_EQ(settings.priority, own.priority);
  EXPECT_EQ(settings.exploration, own.exploration);
  settings = with_genome({}, Genome{1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(settings.learner.value_rate, 0.0001);
  EXPECT_EQ(settings.law.steps, 6);
  EXPECT_EQ(options_text(Genome{1, 1, 1, 1, 1, 1, 1}),
            "--learning-rate 0.0001 --numbers-learning-rate 1e-05 --steps 6 --discount 90 "
            "--batch 48 --priority 30 --exploration 50");
}

class Ledger : public testing::Test {
 protected:
  std::string path() const { return files.path("search.tsv"); }
  std::string failure(const TrainingFacts& facts) const {
    try {
      SearchLedger(path(), facts);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  ModelFiles files;
  const TrainingFacts facts{{"--seed", "1"}, {"log a\tb\n.swf", "f00"}};
  const Genome one{0, 1, 2, 3, 0, 1, 2}, two{1, 1, 2, 3, 0, 1, 2};
};

TEST_F(Ledger, KeepsEveryTrainingThatWasDone) {
  {
    SearchLedger ledger(path(), facts);
    EXPECT_EQ(ledger.score(one), std::nullopt);
    ledger.add(one, 1.0 / 3);
    ledger.add(two, 0.5);
  }
  const SearchLedger again(path(), facts);
  EXPECT_EQ(again.size(), 2u);
  EXPECT_EQ(again.score(one), 1.0 / 3) << "to the last bit";
  EXPECT_EQ(again.score(two), 0.5);
}

TEST_F(Ledger, ATornLineIsDoneAgain) {
  {
    SearchLedger ledger(path(), facts);
    ledger.add(one, 0.25);
    ledger.add(two, 0.5);
  }
  const std::string good = ModelFiles::bytes_of(path());
  files.write("search.tsv", good.substr(0, good.size() - 5));
  SearchLedger torn(path(), facts);
  EXPECT_EQ(torn.size(), 1u);
  torn.add(two, 0.5);
  EXPECT_EQ(ModelFiles::bytes_of(path()), good);
}

TEST_F(Ledger, OfOtherLogsOrOptionsIsRefused) {
  SearchLedger(path(), facts).add(one, 0.25);
  EXPECT_EQ(failure(facts), "");
  EXPECT_THAT(failure({{"--seed", "2"}, {"log a\tb\n.swf", "f00"}}),
              HasSubstr("--seed is 1 there and 2 here"));
  EXPECT_THAT(failure({{"--seed", "1"}, {"log a\tb\n.swf", "f01"}}),
              HasSubstr("has other jobs there"));
}

TEST_F(Ledger, WhatIsNoneIsRefusedWithItsLine) {
  SearchLedger(path(), facts).add(one, 0.25);
  const std::string good = ModelFiles::bytes_of(path());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    files.write("search.tsv", bad);
    return failure(facts);
  };
  EXPECT_THAT(with("htrain search 1", "htrain search 2"), HasSubstr("holds no search of htrain"));
  EXPECT_THAT(with("0.25", "nan"), HasSubstr("search.tsv:4: no training of a search"));
  EXPECT_THAT(with("training\t0", "training\t9"), HasSubstr("search.tsv:4"));
  EXPECT_THAT(with("training\t0", "training\t1"), HasSubstr("search.tsv:4")) << "of other options";
}

SearchPage page_with(double genetic, double random) {
  SearchPage page;
  page.logs = "a.swf";
  page.settings.budget = 3;
  page.genetic = {{{}, 0.99}, {{}, genetic}, {{}, 1.01}};
  page.random = {{{}, 0.99}, {{}, 1}, {{}, random}};
  page.models = {{"genetic", usual_genome(), genetic, {0.97, 0.9, 1.05}}};
  page.picture = "search.svg";
  return page;
}

TEST(SearchReport, SaysWhoWonWhoeverItWas) {
  EXPECT_EQ(
      search_verdict(page_with(0.9, 0.95)),
      "Genetic search found better parameters than random search in 3 trainings each: genetic "
      "and random 0.9000 (after 2 trainings) and 0.9500 (after 3 trainings).");
  EXPECT_THAT(search_verdict(page_with(0.95, 0.9)),
              HasSubstr("Random search found better parameters than genetic search"));
  EXPECT_THAT(search_verdict(page_with(0.99, 0.99)), HasSubstr("as good"));
}

TEST(SearchReport, ShowsBothCurvesAndWhatTheyAreWorthElsewhere) {
  const SearchPage page = page_with(0.9, 0.95);
  const std::string text = search_markdown(page);
  EXPECT_THAT(text, HasSubstr("| 1 | 0.9900 | 0.9900 |\n| 2 | 0.9000 | 0.9900 |\n"
                              "| 3 | 0.9000 | 0.9500 |"));
  EXPECT_THAT(text, HasSubstr("| genetic | 0.9000 | 0.9700 [0.9000, 1.0500] | `--learning-rate"));
  EXPECT_THAT(text, HasSubstr("](search.svg)"));
  const std::string svg = search_svg(page);
  EXPECT_THAT(svg, HasSubstr("genetic, 3: 0.9<"));
  EXPECT_THAT(svg, HasSubstr("random, 3: 0.95<"));
  EXPECT_THAT(svg, Not(HasSubstr("1.01"))) << "the best so far, not each";
}

}  // namespace
}  // namespace hyades::learned
