// First step of the pipeline: draws the images and writes them to one data set file.
#include <cstdio>

#include "checksum.hpp"
#include "command_line.hpp"
#include "digits.hpp"
#include "stopwatch.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

struct Options {
  std::string output;
  std::uint32_t seed = 1;
  int train_images = 0;
  int test_images = 0;
};

int prepare(const Options& options) {
  const Stopwatch watch;
  const DigitData data{
      generate_digits(static_cast<std::size_t>(options.train_images), options.seed, Split::kTrain),
      generate_digits(static_cast<std::size_t>(options.test_images), options.seed, Split::kTest)};
  write_digit_data(options.output, data);
  std::printf("RESULT prepare_digits train=%zu test=%zu checksum=%016llx file=%s seconds=%.1f\n",
              data.train.size(), data.test.size(),
              static_cast<unsigned long long>(checksum_of(data.train.pixels)),
              options.output.c_str(), watch.seconds());
  return kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  po::options_description table("Options");
  table.add_options()                                                                          //
      ("output,o", po::value(&options.output)->default_value("digits.data"), "file to write")  //
      ("seed", po::value(&options.seed)->default_value(1), "of the random generator")          //
      ("train-images",
       po::value(&options.train_images)
           ->default_value(8000)
           ->notifier(within("train-images", 1, 500000)),
       "number of training images")  //
      ("test-images",
       po::value(&options.test_images)
           ->default_value(1000)
           ->notifier(within("test-images", 1, 500000)),
       "number of test images");
  return run_program(argc, argv, "Draws images of digits and writes them to a data set file.",
                     table, [&](const po::variables_map&) { return prepare(options); });
}
