// hyades-sampler SPOOL [UID GID]: measures the node for its worker (sampler.hpp), which starts
// it with a socket as its standard input. With UID and GID it becomes them once it has found its
// sources: energy counters may be opened by root only.
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>

#include "version.hpp"
#include "wire/drop_privileges.hpp"
#include "wire/private_memory.hpp"
#include "worker/sampler_loop.hpp"

int main(int argc, char** argv) {
  using namespace hyades;
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::cout << "hyades-sampler " << kVersion << "\n";
    return 0;
  }
  if (argc != 2 && argc != 4) {
    std::cerr << "hyades-sampler is started by hyadesd; it is of no use by itself\n";
    return 2;
  }
  prctl(PR_SET_NAME, "hyades-sampler");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  geteuid() == 0 ? keep_memory_private() : leave_no_core_dump();
  std::optional<UserIdentity> user;
  if (argc == 4 && geteuid() == 0) {
    user = UserIdentity{static_cast<uid_t>(std::strtoul(argv[2], nullptr, 10)),
                        static_cast<gid_t>(std::strtoul(argv[3], nullptr, 10))};
  }
  try {
    const int code = run_sampler({.channel = STDIN_FILENO, .spool_directory = argv[1]}, [&] {
      if (user) drop_privileges(*user);
    });
    _exit(code);  // a device may hang in another thread, and would keep exit() waiting
  } catch (const std::exception& error) {
    std::cerr << "hyades-sampler: " << error.what() << "\n";
    _exit(1);
  }
}
