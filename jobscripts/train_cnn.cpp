// Trains the network on a data set file, or on images it draws itself.
#include <cstdio>

#include "cnn.hpp"
#include "command_line.hpp"
#include "digits.hpp"
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
  std::string data;
  std::string model;
};

DigitData load(const Options& options) {
  if (!options.data.empty()) return read_digit_data(options.data);
  return {
      generate_digits(static_cast<std::size_t>(options.train_images), options.seed, Split::kTrain),
      generate_digits(static_cast<std::size_t>(options.test_images), options.seed, Split::kTest)};
}

int train(const Options& options) {
  const Stopwatch watch;
  const DigitData data = load(options);
  std::printf("%zu training and %zu test images\n", data.train.size(), data.test.size());
  std::fflush(stdout);
  DigitCnn network(options.seed, options.learning_rate);
  double accuracy = 0;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const double loss = network.train_epoch(data.train);
    accuracy = network.accuracy(data.test);
    std::printf("epoch %d/%d loss=%.4f accuracy=%.4f seconds=%.1f\n", epoch, options.epochs, loss,
                accuracy, watch.seconds());
    std::fflush(stdout);  // a job's output is a file: without this it would show nothing for long
  }
  const bool reached = accuracy >= options.require_accuracy;
  // A network that failed must not take the place of a good one that a later job would read.
  if (reached && !options.model.empty()) write_safetensors(options.model, network.weights());
  std::printf("RESULT train_cnn accuracy=%.4f epochs=%d seconds=%.1f\n", accuracy, options.epochs,
              watch.seconds());
  if (reached) return kSuccess;
  std::fprintf(stderr,
               "train_cnn: accuracy %.4f is below the required %.4f%s. Train for more --epochs or "
               "on more --train-images\n",
               accuracy, options.require_accuracy,
               options.model.empty() ? "" : "; the model was not written");
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
       "training images to draw where no --data is given")  //
      ("test-images", count(&options.test_images, "test-images", 1000, 500000),
       "test images to draw where no --data is given")                                    //
      ("data", po::value(&options.data), "data set file written by prepare_digits")       //
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
