// scontrol, for scripts written for Slurm: what they ask it for inside a job, the names of the
// nodes one a line, or a list of them in short.
#include <cstdlib>
#include <iostream>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "core/hostlist.hpp"
#include "step/step_layout.hpp"

namespace hyades {
namespace {

constexpr const char* kUsage =
    "Usage: scontrol show hostnames [LIST]   the nodes, one a line (default: the job's)\n"
    "       scontrol show hostlist NAMES     the other way round\n"
    "For scripts written for Slurm, inside jobs of Hyades. Jobs, nodes and queues: hctl --help.\n";

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> names;
  std::string error;
  if (!expand_hostlist(list, names, error)) throw Failure(error);
  return names;
}

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    std::cout << kUsage;
    return kExitGood;
  }
  const bool shows = words.size() >= 2 && words.size() <= 3 && words[0] == "show";
  if (shows && words[1] == "hostlist" && words.size() == 3) {
    std::cout << ordered_hostlist(names_of(words[2])) << "\n";
    return kExitGood;
  }
  if (!shows || (words[1] != "hostnames" && words[1] != "hostname")) {
    throw Failure(std::string("only this is known:\n") + kUsage, kExitUsage);
  }
  const char* const own = std::getenv("SLURM_JOB_NODELIST");
  if (words.size() == 2 && own == nullptr) {
    throw Failure("not inside a job ($SLURM_JOB_NODELIST is not set); name a list", kExitFailed);
  }
  for (const std::string& name : names_of(words.size() == 3 ? words[2] : own)) {
    std::cout << name << "\n";
  }
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("scontrol", [&] { return hyades::run(argc, argv); });
}
