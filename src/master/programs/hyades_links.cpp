// hyades-links: measures the links between the nodes of a job, as an MPI program with one rank on
// each. Pair after pair, so that no two share anything; the others wait.
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/link_groups.hpp"
#include "cli/profile_file.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "One rank on each node; rank 0 prints. Pairs are measured one after the other: 16 nodes are "
    "120\n"
    "pairs. docs/profiles.md says what the figures are.\n"
    "\nExamples\n"
    "  hsub -N 4 --ntasks-per-node=1 --exclusive --wait -o links --wrap 'mpirun hyades-links'\n"
    "\nExit codes\n"
    "  0  measured      1  it could not be measured      2  wrong options\n";

constexpr int kSmall = 8;
constexpr int kLarge = 1 << 20;
constexpr int kRoundsLeast = 5;
constexpr int kNameBytes = 256;

// Without spinning, which would take from those that measure what they may share with this rank:
// the processors of virtual machines, the power of a rack.
void wait_quietly(MPI_Request& request) {
  int done = 0;
  while (true) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done != 0) return;
    usleep(500);
  }
}

// There and back, with a message of so many bytes. Seconds.
double round_trip(int other, bool first, std::vector<char>& message, int bytes) {
  const double begin = MPI_Wtime();
  if (first) {
    MPI_Send(message.data(), bytes, MPI_CHAR, other, 0, MPI_COMM_WORLD);
    MPI_Recv(message.data(), bytes, MPI_CHAR, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else {
    MPI_Recv(message.data(), bytes, MPI_CHAR, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(message.data(), bytes, MPI_CHAR, other, 0, MPI_COMM_WORLD);
  }
  return MPI_Wtime() - begin;
}

// Half of the median round trip. The first of the two decides how often.
double one_way_s(int other, bool first, int bytes, double seconds) {
  std::vector<char> message(static_cast<std::size_t>(bytes));
  round_trip(other, first, message, bytes);  // connects
  int rounds = 0;
  if (first) {
    const double once = round_trip(other, first, message, bytes);
    rounds = std::clamp(static_cast<int>(seconds / std::max(once, 1e-7)), kRoundsLeast, 100'000);
    MPI_Send(&rounds, 1, MPI_INT, other, 0, MPI_COMM_WORLD);
  } else {
    round_trip(other, first, message, bytes);
    MPI_Recv(&rounds, 1, MPI_INT, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(round_trip(other, first, message, bytes));
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle / 2;
}

// Of all ranks; the node's name where this is a job, else the host's.
std::vector<std::string> names_of_ranks(int size) {
  std::vector<char> own(kNameBytes), all(static_cast<std::size_t>(size) * kNameBytes);
  const char* const node = std::getenv("HYADES_NODENAME");
  if (node != nullptr) {
    std::string(node).copy(own.data(), kNameBytes - 1);
  } else {
    gethostname(own.data(), kNameBytes - 1);
  }
  MPI_Allgather(own.data(), kNameBytes, MPI_CHAR, all.data(), kNameBytes, MPI_CHAR, MPI_COMM_WORLD);
  std::vector<std::string> names;
  for (int i = 0; i < size; ++i) names.emplace_back(all.data() + std::ptrdiff_t{i} * kNameBytes);
  return names;
}

// On rank 0, of all pairs.
std::vector<MeasuredLink> measure(const std::vector<std::string>& names, int rank, double seconds) {
  std::vector<MeasuredLink> links;
  const int size = static_cast<int>(names.size());
  for (int a = 0; a < size; ++a) {
    for (int b = a + 1; b < size; ++b) {
      double times[2] = {};
      MPI_Request all_there;
      MPI_Ibarrier(MPI_COMM_WORLD, &all_there);
      wait_quietly(all_there);
      if (rank == a || rank == b) {
        const int other = rank == a ? b : a;
        times[0] = one_way_s(other, rank == a, kSmall, seconds / 2);
        times[1] = one_way_s(other, rank == a, kLarge, seconds / 2);
      }
      MPI_Request told;
      MPI_Ibcast(times, 2, MPI_DOUBLE, a, MPI_COMM_WORLD, &told);
      wait_quietly(told);
      if (rank != 0) continue;
      links.push_back({names[static_cast<std::size_t>(a)], names[static_cast<std::size_t>(b)],
                       times[0] * 1e6, kLarge / times[1] / 1e6});
    }
  }
  return links;
}

int run(int argc, char** argv) {
  int rank = 0, size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  Command command("hyades-links", "mpirun hyades-links [OPTION...]",
                  "Measure the links between the nodes of a job, and find which are near.", kNotes);
  command.value("seconds", "S", "for each pair, about (default 0.2)");
  command.parse(argc, argv, Command::Asks::Nobody);
  double seconds = 0.2;
  const std::string text = command.value_of("seconds");
  if (command.has("seconds") && !parse_kernel_seconds(text, seconds)) {
    command.usage_error("--seconds=" + text + ": use a number above 0, at most 60");
  }
  const std::vector<std::string> names = names_of_ranks(size);
  const std::set<std::string> different(names.begin(), names.end());
  if (size < 2 || different.size() < names.size()) {
    if (rank != 0) return kExitFailed;
    throw Failure(size < 2 ? "one rank has no links: run it by mpirun, on two nodes or more"
                           : "two ranks are on one node: ask for --ntasks-per-node=1");
  }
  const std::vector<MeasuredLink> links = measure(names, rank, seconds);
  if (rank != 0) return kExitGood;
  std::cout << (command.json() ? json_text(links_json(links))
                               : links_page(links, command.terminal()));
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int exit_code =
      hyades::run_command("hyades-links", [&] { return hyades::run(argc, argv); });
  std::cout.flush();
  MPI_Finalize();
  return exit_code;
}
