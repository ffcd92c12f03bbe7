// A long computation that survives being stopped. SIGUSR2 ("your time is nearly up") writes a
// checkpoint and goes on; SIGTERM writes one and exits with code 85, "run me again".
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "command_line.hpp"
#include "heat_plate.hpp"

namespace po = boost::program_options;
using namespace hyades::jobscripts;

namespace {

struct Options {
  std::int64_t steps = 0;
  std::int64_t delay_ms = 0;
  std::int64_t checkpoint_every = 0;
  std::uint32_t side = 0;
  std::string checkpoint;
};

// A handler may do next to nothing safely, so it only leaves a note for the loop.
volatile std::sig_atomic_t checkpoint_asked = 0;
volatile std::sig_atomic_t stop_asked = 0;

void on_signal(int signal) { (signal == SIGTERM ? stop_asked : checkpoint_asked) = 1; }

void install_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART: a signal ends the delay between two steps
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR2, SIGTERM}) {
    if (sigaction(signal, &action, nullptr) != 0) throw std::runtime_error("sigaction failed");
  }
}

void pause_for(std::int64_t milliseconds) {
  timespec left{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  while (stop_asked == 0 && checkpoint_asked == 0 && nanosleep(&left, &left) != 0 &&
         errno == EINTR) {
  }
}

HeatPlate begin_or_resume(const Options& options) {
  if (access(options.checkpoint.c_str(), F_OK) != 0 && errno == ENOENT) {
    std::printf("start at step 0 of %lld\n", static_cast<long long>(options.steps));
    return HeatPlate(options.side);
  }
  HeatPlate plate = HeatPlate::resume(options.checkpoint, options.side);
  std::printf("resumed at step %lld from %s\n", static_cast<long long>(plate.steps_done()),
              options.checkpoint.c_str());
  if (plate.steps_done() > options.steps) {
    throw po::error(options.checkpoint + " is already at step " +
                    std::to_string(plate.steps_done()) + ": ask for more --steps or remove it");
  }
  return plate;
}

void write_checkpoint(const HeatPlate& plate, const Options& options, const char* reason) {
  plate.write_checkpoint(options.checkpoint);
  std::printf("checkpoint at step %lld (%s) in %s\n", static_cast<long long>(plate.steps_done()),
              reason, options.checkpoint.c_str());
  std::fflush(stdout);
}

/// False where the job was told to stop; the checkpoint is then written.
bool run_steps(HeatPlate& plate, const Options& options) {
  const std::int64_t tenth = options.steps / 10 + 1;
  while (plate.steps_done() < options.steps) {
    if (stop_asked != 0) {
      write_checkpoint(plate, options, "SIGTERM");
      return false;
    }
    if (checkpoint_asked != 0) {
      checkpoint_asked = 0;
      write_checkpoint(plate, options, "SIGUSR2");
    }
    plate.step();
    const std::int64_t done = plate.steps_done();
    if (options.checkpoint_every > 0 && done % options.checkpoint_every == 0) {
      write_checkpoint(plate, options, "--checkpoint-every");
    }
    if (done % tenth == 0) {
      std::printf("step %lld/%lld\n", static_cast<long long>(done),
                  static_cast<long long>(options.steps));
      std::fflush(stdout);
    }
    // Even a sleep of no length costs the 50 us of the timer.
    if (options.delay_ms > 0) pause_for(options.delay_ms);
  }
  return true;
}

int compute(const Options& options) {
  HeatPlate plate = begin_or_resume(options);
  std::fflush(stdout);
  if (!run_steps(plate, options)) return kCheckpointed;
  std::printf("RESULT checkpoint_job checksum=%016llx steps=%lld resumed=%lld\n",
              static_cast<unsigned long long>(plate.checksum()),
              static_cast<long long>(plate.steps_done()),
              static_cast<long long>(plate.times_resumed()));
  if (std::fflush(stdout) != 0) return kFailure;
  // Only now: had it been removed earlier, a crash before the result would lose all the work.
  unlink(options.checkpoint.c_str());
  return kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  install_handlers();  // first of all: SIGUSR2 kills a process that does not expect it
  Options options;
  po::options_description table("Options");
  const auto count = [](std::int64_t* target, const char* name, std::int64_t initial,
                        std::int64_t low, std::int64_t high) {
    return po::value(target)->default_value(initial)->notifier(within(name, low, high));
  };
  table.add_options()                                                                         //
      ("steps", count(&options.steps, "steps", 20000, 1, 1'000'000'000), "steps to compute")  //
      ("delay-ms", count(&options.delay_ms, "delay-ms", 0, 0, 3'600'000),
       "wait after each step, to make the job longer but not heavier")  //
      ("side", po::value(&options.side)->default_value(256)->notifier(within("side", 3U, 8192U)),
       "points along one side of the plate")  //
      ("checkpoint", po::value(&options.checkpoint)->default_value("checkpoint_job.state"),
       "file to resume from and to write; removed at the end")  //
      ("checkpoint-every",
       count(&options.checkpoint_every, "checkpoint-every", 0, 0, 1'000'000'000),
       "also write one every so many steps; 0: only on a signal");
  return run_program(argc, argv, "Computes how heat spreads over a plate; can be interrupted.",
                     table, [&](const po::variables_map&) { return compute(options); });
}
