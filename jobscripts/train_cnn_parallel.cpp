// Trains the network with several processes, on one node or on many, as mpirun or hrun started
// them.
#include <cmath>
#include <cstdio>

#include "checksum.hpp"
#include "cnn.hpp"
#include "command_line.hpp"
#include "digits.hpp"
#include "join_ranks.hpp"
#include "safetensors.hpp"
#include "stopwatch.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

struct Options {
  int epochs = 0;
  std::uint32_t seed = 1;
  int train_images = 0;
  int test_images = 0;
  double learning_rate = 0;
  double require_accuracy = 0;
  std::string model;
};

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

/// Rank 0 speaks for all.
void say_epoch(const RankGroup& group, int epoch, const Options& options, double loss,
               double accuracy, const Stopwatch& watch) {
  if (group.rank() != 0) return;
  std::printf("epoch %d/%d loss=%.4f accuracy=%.4f seconds=%.1f\n", epoch, options.epochs, loss,
              accuracy, watch.seconds());
  std::fflush(stdout);  // a job's output is a file: without this it would show nothing for long
}

int train(const Options& options) {
  const Stopwatch watch;
  const std::unique_ptr<RankGroup> group = join_ranks(DigitCnn::slices_max);
  // Each draws all of them, and so needs no file that all nodes can read.
  const DigitSet images =
      generate_digits(static_cast<std::size_t>(options.train_images), options.seed, Split::kTrain);
  const DigitSet tests =
      generate_digits(static_cast<std::size_t>(options.test_images), options.seed, Split::kTest);
  DigitCnn network(options.seed, options.learning_rate);
  double accuracy = 0;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const double loss = network.train_epoch(images, *group);
    network.copy_from_first(*group);
    accuracy = network.accuracy(tests, *group);
    say_epoch(*group, epoch, options, loss, accuracy, watch);
  }
  const bool reached = accuracy >= options.require_accuracy;
  if (group->rank() != 0) return reached ? kSuccess : kFailure;
  const std::vector<NamedTensor> weights = network.weights();
  // A network that failed must not take the place of a good one that a later job would read.
  if (reached && !options.model.empty()) write_safetensors(options.model, weights);
  const Fingerprint print = fingerprint(weights);
  std::printf(
      "RESULT train_cnn_parallel accuracy=%.4f epochs=%d ranks=%d norm=%.6f checksum=%016llx "
      "seconds=%.1f\n",
      accuracy, options.epochs, group->size(), print.norm,
      static_cast<unsigned long long>(print.checksum), watch.seconds());
  if (reached) return kSuccess;
  std::fprintf(stderr,
               "train_cnn_parallel: accuracy %.4f is below the required %.4f. Train for more "
               "--epochs or on more --train-images\n",
               accuracy, options.require_accuracy);
  return kFailure;
}

po::options_description describe(Options& options) {
  po::options_description table("Options");
  const auto count = [](int* target, const char* name, int initial, int high) {
    return po::value(target)->default_value(initial)->notifier(within(name, 1, high));
  };
  table.add_options()                                                                            //
      ("epochs", count(&options.epochs, "epochs", 4, 10000), "passes over the training images")  //
      ("seed", po::value(&options.seed)->default_value(1), "of weights, order and images")       //
      ("train-images", count(&options.train_images, "train-images", 8000, 500000),
       "training images to draw")  //
      ("test-images", count(&options.test_images, "test-images", 1000, 500000),
       "test images to draw")                                                             //
      ("model", po::value(&options.model), "write the weights to this safetensors file")  //
      ("learning-rate",
       po::value(&options.learning_rate)
           ->default_value(0.003)
           ->notifier(within("learning-rate", 1e-6, 1.0)),
       "of the Adam optimiser")  //
      ("require-accuracy",
       po::value(&options.require_accuracy)
           ->default_value(0.0)
           ->notifier(within("require-accuracy", 0.0, 1.0)),
       "fail below this accuracy on the test images");
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  return run_program(argc, argv,
                     "Trains a convolutional network to read digits with the processes that mpirun "
                     "or hrun started.",
                     describe(options), [&](const po::variables_map&) { return train(options); });
}
