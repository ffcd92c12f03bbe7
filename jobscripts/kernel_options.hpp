#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "command_line.hpp"
#include "stopwatch.hpp"

namespace hyades::jobscripts {

/// How much work a kernel does: a number of repetitions, or as many as fit in some seconds.
struct Work {
  double seconds = 0;
  int repeats = 0;

  void describe(boost::program_options::options_description& table) {
    namespace po = boost::program_options;
    table.add_options()  //
        ("seconds", po::value(&seconds)->default_value(5.0)->notifier(within("seconds", 0.0, 1e6)),
         "repeat for about so long")  //
        ("repeats",
         po::value(&repeats)->default_value(0)->notifier(within("repeats", 0, 1'000'000'000)),
         "repeat so often instead; 0: by time");
  }
};

struct Measured {
  int repeats = 0;
  double busy_seconds = 0;
  std::uint64_t checksum = 0;
};

/// Runs `pass` once or more and times it alone. Every pass computes the same, so a checksum that
/// differs between two passes means faulty memory or a faulty core: that is an error.
template <typename Pass, typename Checksum>
Measured measure(const Work& work, Pass&& pass, Checksum&& checksum) {
  Measured measured;
  const Stopwatch total;
  do {
    const Stopwatch watch;
    pass();
    measured.busy_seconds += watch.seconds();
    ++measured.repeats;
    if (measured.repeats == 1) measured.checksum = checksum();
  } while (work.repeats > 0 ? measured.repeats < work.repeats : total.seconds() < work.seconds);
  if (checksum() != measured.checksum) {
    throw std::runtime_error("two equal passes gave different results after " +
                             std::to_string(measured.repeats) +
                             " repeats: this node computes wrongly, have it checked");
  }
  return measured;
}

}  // namespace hyades::jobscripts
