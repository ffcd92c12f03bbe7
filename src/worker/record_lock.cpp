#include "worker/record_lock.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "worker/record_file.hpp"

namespace hyades {

std::optional<bool> is_record_locked(int record) {
  int result = 0;
  do {
    result = flock(record, LOCK_SH | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) return true;
  if (result != 0) return std::nullopt;
  flock(record, LOCK_UN);
  return false;
}

bool read_record(int record, std::string& text) {
  text.resize(record_bytes_max);
  ssize_t size = 0;
  do {
    size = pread(record, text.data(), text.size(), 0);
  } while (size < 0 && errno == EINTR);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return size >= 0;
}

}  // namespace hyades
