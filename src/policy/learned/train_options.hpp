// What htrain is told on its command line.
#pragma once

#include <map>
#include <string>

#include "cli/command.hpp"
#include "policy/learned/training_run.hpp"

namespace hyades::learned {

// --choose: when a model may depart from its fallback. Where it is better on the mean; where that
// is beyond doubt on these logs; or on others like them, too.
enum class Choosing { Mean, Sure, Elsewhere };

struct TrainOptions {
  std::string out;
  TrainingSettings training;
  ReplaySettings replay;
  WindowPlan windows;
  int generated = 0;  // workloads that are made
  Choosing choosing = Choosing::Sure;
  bool json = false;          // what comes of it is printed so
  std::string checkpoint;     // a file
  int checkpoint_every = 10;  // rounds; 0: never
  bool resume = false;
  std::string curves;  // a file; "": none
  bool federated = false;
  int average_every = 5;    // rounds
  int rank = 0, ranks = 1;  // federated: of the logs it has each so-manyth from that one on
};

// The options that say what is learned from and how: of every command that trains.
void add_training_options(Command& command, int rounds);
// Those that a search tries by itself.
void add_hyper_parameters(Command& command);
// With those; ends the command, with a sentence, where one is wrong. `rounds`, `threads`: when none
// are named.
TrainOptions training_options(const Command& command, int rounds, int threads);

Command train_command();
TrainOptions train_options(const Command& command, int threads);

// The option's value, or what holds when it is not given. Ends the command, with a sentence, when
// it is not a number within the bounds.
double decimal_number(const Command& command, const char* option, double missing, double least,
                      double most);

// Reads the logs that are named and makes those that are not. `quiet`: what was cleaned up in them
// is for another rank to say.
TrainingWindows read_windows(const Command& command, const TrainOptions& options,
                             bool quiet = false);

// What it is made without or with another of, for people; "": with all parts.
std::string variant_text(const TrainOptions& options);

// Everything but the number of rounds that decides what comes out, by the names of the options.
using TrainingFacts = std::map<std::string, std::string>;
TrainingFacts training_facts(const TrainOptions& options, const TrainingWindows& windows);

}  // namespace hyades::learned
