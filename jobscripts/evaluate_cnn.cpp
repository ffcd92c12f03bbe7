// Last step of the pipeline: reads the weights and tests them on the images held out.
#include <cstdio>

#include "cnn.hpp"
#include "command_line.hpp"
#include "digits.hpp"
#include "file_io.hpp"
#include "safetensors.hpp"
#include "stopwatch.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

struct Options {
  std::string data;
  std::string model;
  double require_accuracy = 0;
};

int evaluate(const Options& options) {
  const Stopwatch watch;
  const DigitData data = read_digit_data(options.data);
  const std::vector<NamedTensor> weights = read_safetensors(options.model);
  DigitCnn network(/*seed=*/1, /*learning_rate=*/0.001);
  try {
    network.set_weights(weights);
  } catch (const std::invalid_argument& error) {
    throw FileError(options.model, std::string("weights of another network: ") + error.what(),
                    "Write it again with train_cnn --model");
  }
  const double accuracy = network.accuracy(data.test);
  std::printf("RESULT evaluate accuracy=%.4f images=%zu seconds=%.1f\n", accuracy, data.test.size(),
              watch.seconds());
  if (accuracy >= options.require_accuracy) return kSuccess;
  std::fprintf(stderr,
               "evaluate_cnn: accuracy %.4f is below the required %.4f. Train %s for more epochs\n",
               accuracy, options.require_accuracy, options.model.c_str());
  return kFailure;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  po::options_description table("Options");
  table.add_options()  //
      ("data", po::value(&options.data)->default_value("digits.data"),
       "data set file written by prepare_digits")  //
      ("model", po::value(&options.model)->default_value("digits.safetensors"),
       "weights written by train_cnn")  //
      ("require-accuracy",
       po::value(&options.require_accuracy)
           ->default_value(0.0)
           ->notifier(within("require-accuracy", 0.0, 1.0)),
       "fail below this accuracy");
  return run_program(argc, argv, "Tests a trained network on the test images of a data set.", table,
                     [&](const po::variables_map&) { return evaluate(options); });
}
