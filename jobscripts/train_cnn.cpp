// Trains the network on a data set file, or on images it draws itself.
#include <cstdio>

#include "cnn.hpp"
#include "training_run.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

struct Options {
  TrainingRun run;
  std::string data;
};

int train(const Options& options) {
  const TrainingRun& run = options.run;
  const Stopwatch watch;
  const DigitData data = options.data.empty() ? run.draw() : read_digit_data(options.data);
  std::printf("%zu training and %zu test images\n", data.train.size(), data.test.size());
  std::fflush(stdout);
  DigitCnn network(run.seed, run.learning_rate);
  double accuracy = 0;
  for (int epoch = 1; epoch <= run.epochs; ++epoch) {
    const double loss = network.train_epoch(data.train);
    accuracy = network.accuracy(data.test);
    run.say_epoch(epoch, loss, accuracy, watch);
  }
  run.write_model(accuracy, network.weights());
  std::printf("RESULT train_cnn accuracy=%.4f epochs=%d seconds=%.1f\n", accuracy, run.epochs,
              watch.seconds());
  return run.verdict("train_cnn", accuracy);
}

po::options_description describe(Options& options) {
  po::options_description table("Options");
  options.run.describe(table, " where no --data is given");
  table.add_options()("data", po::value(&options.data), "data set file written by prepare_digits");
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  return run_program(
      argc, argv, "Trains a convolutional network to read digits.", describe(options),
      [&](const po::variables_map& values) {
        for (const char* drawn : {"train-images", "test-images"}) {
          if (!options.data.empty() && !values[drawn].defaulted()) {
            throw po::error("--data holds its own images: leave out --" + std::string(drawn));
          }
        }
        return train(options);
      });
}
