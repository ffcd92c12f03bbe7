// The state of a training in a file, to go on from: numbers and words in a sealed file, never a
// program. Replaced in one step, so that there is a whole one at any time. It is of one version of
// Hyades and of one kind of machine (little endian), and as large as the experiences that it holds:
// about 3 KB each.
#pragma once

#include <string>

#include "policy/learned/train_options.hpp"
#include "policy/plain_bytes.hpp"

namespace hyades::learned {

struct TrainingCheckpoint {
  TrainingFacts facts;
  double seconds = 0;  // that it took so far
  std::string state;   // TrainingRun::bytes()
};

// Both throw jobscripts::FileError, which names the file, what is wrong with it and what to do.
void save_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint);
TrainingCheckpoint load_checkpoint(const std::string& path);

// Facts as bytes and back; false where they are none.
void put_facts(std::string& out, const TrainingFacts& facts);
bool take_facts(Taker& from, TrainingFacts& facts);

// In what the checkpoint's training differs from this one, for people: "--seed is 1 there and 2
// here; log a.swf is not of it". "": in nothing.
std::string difference(const TrainingFacts& there, const TrainingFacts& here);

}  // namespace hyades::learned
