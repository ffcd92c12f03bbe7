// hyades-munge [SOCKET]: decodes MUNGE credentials for the master, which must not wait for a MUNGE
// daemon that hangs. Started by the master, with a socket as standard input; ends with it, or by
// its hand.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "wire/munge_credential.hpp"
#include "wire/munge_records.hpp"
#include "wire/private_memory.hpp"

namespace hyades {
namespace {

MungeVerdict try_munge(const std::string& socket, MungeContent& content, std::string& error) {
  std::string credential;
  const MungeVerdict made = encode_credential("try", geteuid(), socket, credential, error);
  if (made != MungeVerdict::Good) return made;
  return decode_credential(credential, socket, content, error);
}

std::string answer(std::uint64_t id, const std::string& credential, const std::string& socket) {
  MungeContent content;
  std::string error;
  const MungeVerdict verdict = credential.empty()
                                   ? try_munge(socket, content, error)
                                   : decode_credential(credential, socket, content, error);
  const MungeAnswerHead head{id, static_cast<std::uint32_t>(verdict), content.uid, content.gid,
                             content.only_for};
  return join_record(head, verdict == MungeVerdict::Good ? content.payload : error);
}

int serve(const std::string& socket) {
  std::array<char, kMungeRecordBytesMax> buffer;
  while (true) {
    const ssize_t count = recv(STDIN_FILENO, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    std::uint64_t id = 0;
    std::string credential;
    if (count <= 0 ||
        !split_record({buffer.data(), static_cast<std::size_t>(count)}, id, credential)) {
      return 0;
    }
    std::string record = answer(id, credential, socket);
    if (record.size() > kMungeRecordBytesMax) record.resize(kMungeRecordBytesMax);
    if (send(STDIN_FILENO, record.data(), record.size(), MSG_NOSIGNAL) < 0) return 0;
  }
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  // Also while it waits for the daemon.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  hyades::keep_memory_private();
  int type = 0;
  socklen_t length = sizeof type;
  if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
    std::fprintf(stderr, "hyades-munge: started by the master, not by hand\n");
    return 2;
  }
  return hyades::serve(argc > 1 ? argv[1] : "");
}
