#include "worker/spool_identity.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire/unique_fd.hpp"
#include "worker/disk_spool.hpp"

namespace hyades {

namespace {

constexpr std::size_t kIdentityLength = 16;  // hexadecimal digits

std::string random_identity() {
  unsigned char bytes[kIdentityLength / 2];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    throw SpoolError("no random numbers from the kernel");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string identity;
  for (const unsigned char byte : bytes) {
    identity += kDigits[byte >> 4];
    identity += kDigits[byte & 15];
  }
  return identity;
}

// Written under another name first: the file is there whole, or not at all.
void create(const std::string& path) {
  const std::string identity = random_identity();
  const std::string fresh = path + ".new";
  const UniqueFd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const auto size = static_cast<ssize_t>(identity.size());
  if (!file || write(file.get(), identity.data(), identity.size()) != size ||
      fsync(file.get()) != 0 || rename(fresh.c_str(), path.c_str()) != 0) {
    throw SpoolError("cannot write " + path + ": " + std::strerror(errno));
  }
}

}  // namespace

std::string spool_identity(const std::string& spool_directory) {
  const std::string path = spool_directory + "/identity";
  if (access(path.c_str(), F_OK) != 0) create(path);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char text[kIdentityLength];
  if (!file || read(file.get(), text, sizeof text) != static_cast<ssize_t>(sizeof text)) {
    throw SpoolError("cannot read " + path + ": " + std::strerror(errno) +
                     "; remove it only when no job of this node runs");
  }
  return std::string(text, sizeof text);
}

}  // namespace hyades
