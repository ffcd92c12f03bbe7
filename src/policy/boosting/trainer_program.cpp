// hyades-trainer: makes a model of run times of the examples on standard input, for the master
// (master/trainer_process.hpp), which waits neither for it nor for the library that it uses.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>
#include <iterator>

#include "policy/boosting/boost_run_model.hpp"
#include "version.hpp"

namespace {

// The master's host has other things to do.
void be_modest() {
  prctl(PR_SET_NAME, "hyades-trainer");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit cpu_s{120, 120};
  const rlimit bytes{rlim_t{2} << 30, rlim_t{2} << 30};
  setrlimit(RLIMIT_CPU, &cpu_s);
  setrlimit(RLIMIT_AS, &bytes);
  (void)!nice(10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--version") {
    std::cout << "hyades-trainer " << hyades::kVersion << "\n";
    return 0;
  }
  if (argc > 1 || isatty(0)) {
    std::cerr << "hyades-trainer is started by hyadesd; it is of no use by itself\n";
    return 2;
  }
  be_modest();
  try {
    const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
    const auto examples = hyades::run_examples_from(bytes);
    if (!examples) {
      std::cerr << "hyades-trainer: what came in are no examples of this version\n";
      return 1;
    }
    std::cout << hyades::to_bytes(hyades::boost_run_model(*examples)) << std::flush;
    return std::cout ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "hyades-trainer: " << error.what() << "\n";
    return 1;
  }
}
