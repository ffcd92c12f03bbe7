// hrsh HOST COMMAND...: what mpirun calls instead of ssh to start its daemon on another node of the
// job (OMPI_MCA_plm_rsh_agent). Runs the command by a shell there, as a step of one task.
#include <cstring>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/step_job.hpp"

namespace hyades {
namespace {

constexpr const char* kUsage =
    "usage: hrsh HOST COMMAND...\n"
    "Inside a job: runs a command line by a shell on one of the job's nodes. mpirun calls it\n"
    "instead of ssh, whose options it accepts and ignores. Its exit code is the command's.";

struct Call {
  std::string host;
  std::string command;
  bool has_input = true;
};

// ssh's options that take a value.
bool takes_value(char letter) { return std::strchr("BbcDEeFIiJLlmOopQRSWw", letter) != nullptr; }

Call read_call(int argc, char** argv) {
  Call call;
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; ++at) {
    const std::string option = argv[at];
    if (option == "--help") throw Failure(kUsage, kExitGood);
    if (option == "-n") call.has_input = false;
    if (option.size() == 2 && takes_value(option[1])) ++at;
  }
  if (at + 1 >= argc) throw Failure(kUsage, kExitUsage);
  call.host = argv[at++];
  call.host.erase(0, call.host.find('@') + 1);  // user@host: the user is the job's in any case
  for (; at < argc; ++at) call.command += (call.command.empty() ? "" : " ") + std::string(argv[at]);
  return call;
}

const StepNode& find_node(const StepFile& job, const std::string& host) {
  for (const StepNode& node : job.nodes) {
    if (node.node == host) return node;
  }
  for (const StepNode& node : job.nodes) {
    if (node.address == host) return node;
  }
  throw Failure(host + " is not a node of job " + std::to_string(job.key.job));
}

int run(int argc, char** argv) {
  const Call call = read_call(argc, argv);
  const StepFile job = read_job("hrsh");
  const StepNode& node = find_node(job, call.host);
  StepOrder order = new_step_order("hrsh", job, {{node, 0, 1}});
  order.arguments = {"sh", "-c", call.command};
  order.input_rank = call.has_input ? 0 : input_to_none;
  // mpirun and its daemons name files after the host: on one machine they would meet.
  for (const StepNode& other : job.nodes) {
    const bool is_mpiruns = &other == &job.nodes.front();
    if ((&other != &node || is_mpiruns) && share_a_machine(other, node)) {
      order.own_temporaries = true;
    }
  }
  return StepClient(std::move(order)).run();
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  hyades::occupy_standard_streams();
  return hyades::run_command("hrsh", [&] { return hyades::run(argc, argv); });
}
