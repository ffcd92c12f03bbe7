// Trains the network with several processes, on one node or on many, as mpirun or hrun started
// them.
#include <cmath>
#include <cstdio>

#include "checksum.hpp"
#include "cnn.hpp"
#include "join_ranks.hpp"
#include "training_run.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

/// Equal checksums: equal weights, bit for bit. The norm tells how far others are apart.
struct Fingerprint {
  std::uint64_t checksum = 0;
  double norm = 0;
};

Fingerprint fingerprint(const std::vector<NamedTensor>& weights) {
  Fingerprint result;
  double squares = 0;
  for (const NamedTensor& weight : weights) {
    result.checksum = result.checksum * 31 + checksum_of(weight.values);
    for (const float value : weight.values) squares += double{value} * double{value};
  }
  result.norm = std::sqrt(squares);
  return result;
}

int train(const TrainingRun& run) {
  const Stopwatch watch;
  const std::unique_ptr<RankGroup> group = join_ranks(DigitCnn::slices_max);
  const DigitData data =
      run.draw();  // each draws all, and so needs no file that all nodes can read
  DigitCnn network(run.seed, run.learning_rate);
  const bool speaks = group->rank() == 0;
  double accuracy = 0;
  for (int epoch = 1; epoch <= run.epochs; ++epoch) {
    const double loss = network.train_epoch(data.train, *group);
    network.copy_from_first(*group);
    accuracy = network.accuracy(data.test, *group);
    if (speaks) run.say_epoch(epoch, loss, accuracy, watch);
  }
  if (!speaks) return run.reached(accuracy) ? kSuccess : kFailure;
  const std::vector<NamedTensor> weights = network.weights();
  run.write_model(accuracy, weights);
  const Fingerprint print = fingerprint(weights);
  std::printf(
      "RESULT train_cnn_parallel accuracy=%.4f epochs=%d ranks=%d norm=%.6f checksum=%016llx "
      "seconds=%.1f\n",
      accuracy, run.epochs, group->size(), print.norm,
      static_cast<unsigned long long>(print.checksum), watch.seconds());
  return run.verdict("train_cnn_parallel", accuracy);
}

po::options_description describe(TrainingRun& run) {
  po::options_description table("Options");
  run.describe(table);
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  TrainingRun run;
  return run_program(argc, argv,
                     "Trains a convolutional network to read digits with the processes that mpirun "
                     "or hrun started.",
                     describe(run), [&](const po::variables_map&) { return train(run); });
}
