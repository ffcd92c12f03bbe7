// hyades-launcher: what a worker has as its launcher (launcher_handle.hpp starts it, launcher.hpp
// says what it does). A program of its own, against which nothing but the C library is linked
// dynamically: each start of a job forks this process, and a fork copies what is mapped.
#include <sys/socket.h>

#include <cstdio>

#include "worker/launcher.hpp"

namespace {

bool is_order_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !is_order_socket(hyades::launcher_orders_fd)) {
    std::fprintf(stderr,
                 "hyades-launcher: part of hyadesd, which starts it for each node and hands it the "
                 "jobs to start; it does nothing by itself\n");
    return 2;
  }
  hyades::launcher_main(argv[1]);
}
