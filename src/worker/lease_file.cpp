#include "worker/lease_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#include "worker/boot_clock.hpp"

namespace hyades {
namespace {

// In one piece and aligned, so that nobody reads half of an old value and half of a new one.
bool write_value(int file, BootMs value) {
  const std::int64_t bytes = value;
  return pwrite(file, &bytes, sizeof bytes, 0) == sizeof bytes;
}

BootMs read_value(int file) {
  std::int64_t bytes = 0;
  if (pread(file, &bytes, sizeof bytes, 0) != sizeof bytes) return 0;
  return bytes < 0 || bytes > boot_now_ms() ? 0 : bytes;
}

}  // namespace

std::string lease_path(const std::string& spool_directory) { return spool_directory + "/lease"; }

bool LeaseFile::open(const std::string& spool_directory, bool forget) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  file_.reset(::open(lease_path(spool_directory).c_str(), flags, 0600));
  if (!file_) return false;
  value_ = forget ? 0 : read_value(file_.get());
  return write_value(file_.get(), value_);  // also so that a full disk cannot stop a renewal
}

bool LeaseFile::renew(BootMs acknowledged) {
  if (acknowledged <= value_) return true;
  if (!write_value(file_.get(), acknowledged)) return false;
  value_ = acknowledged;
  return true;
}

BootMs read_lease(const std::string& spool_directory) {
  // O_NONBLOCK: not even a FIFO in its place may stop a shepherd.
  const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const UniqueFd file(open(lease_path(spool_directory).c_str(), flags));
  return file ? read_value(file.get()) : 0;
}

}  // namespace hyades
