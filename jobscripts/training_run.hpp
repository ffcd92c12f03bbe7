#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "digits.hpp"
#include "hyades_report.hpp"
#include "safetensors.hpp"
#include "stopwatch.hpp"

namespace hyades::jobscripts {

/// What one is asked for who trains the network, whatever the number of processes.
struct TrainingRun {
  int epochs = 0;
  std::uint32_t seed = 1;
  int train_images = 0;
  int test_images = 0;
  double learning_rate = 0;
  double require_accuracy = 0;
  std::string model;

  /// `where`: when images are drawn, to follow "images to draw".
  void describe(boost::program_options::options_description& table, const std::string& where = "") {
    namespace po = boost::program_options;
    const auto count = [](int* target, const char* name, int initial, int high) {
      return po::value(target)->default_value(initial)->notifier(within(name, 1, high));
    };
    const auto share = [](double* target, const char* name, double initial, double low) {
      const std::string text = std::to_string(initial);  // 0.003000, not 0.0030000000000000001
      return po::value(target)
          ->default_value(initial, text.substr(0, 5))
          ->notifier(within(name, low, 1.0));
    };
    table.add_options()                                                           //
        ("epochs", count(&epochs, "epochs", 4, 10000),                            //
         "passes over the training images")                                       //
        ("seed", po::value(&seed)->default_value(1),                              //
         "of weights, order and images")                                          //
        ("train-images", count(&train_images, "train-images", 8000, 500000),      //
         ("training images to draw" + where).c_str())                             //
        ("test-images", count(&test_images, "test-images", 1000, 500000),         //
         ("test images to draw" + where).c_str())                                 //
        ("model", po::value(&model),                                              //
         "write the weights to this safetensors file")                            //
        ("learning-rate", share(&learning_rate, "learning-rate", 0.003, 1e-6),    //
         "of the Adam optimiser")                                                 //
        ("require-accuracy", share(&require_accuracy, "require-accuracy", 0, 0),  //
         "fail below this accuracy on the test images");
  }

  DigitData draw() const {
    return {generate_digits(static_cast<std::size_t>(train_images), seed, Split::kTrain),
            generate_digits(static_cast<std::size_t>(test_images), seed, Split::kTest)};
  }

  void say_epoch(int epoch, double loss, double accuracy, const Stopwatch& watch) const {
    std::printf("epoch %d/%d loss=%.4f accuracy=%.4f seconds=%.1f\n", epoch, epochs, loss, accuracy,
                watch.seconds());
    std::fflush(stdout);  // a job's output is a file: without this it would show nothing for long
    // For hwatch and heff; outside a job of Hyades nothing happens.
    report({{"progress", double(epoch) / epochs}, {"loss", loss}, {"accuracy", accuracy}});
  }

  bool reached(double accuracy) const { return accuracy >= require_accuracy; }

  /// A network that failed must not take the place of a good one that a later job would read.
  void write_model(double accuracy, const std::vector<NamedTensor>& weights) const {
    if (reached(accuracy) && !model.empty()) write_safetensors(model, weights);
  }

  /// The program's exit code.
  int verdict(const char* program, double accuracy) const {
    if (reached(accuracy)) return kSuccess;
    std::fprintf(stderr,
                 "%s: accuracy %.4f is below the required %.4f%s. Train for more --epochs or on "
                 "more --train-images\n",
                 program, accuracy, require_accuracy,
                 model.empty() ? "" : "; the model was not written");
    return kFailure;
  }
};

}  // namespace hyades::jobscripts
