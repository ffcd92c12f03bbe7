#include "worker/lease_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#include "wire/unique_fd.hpp"
#include "worker/boot_clock.hpp"

namespace hyades {
namespace {

constexpr const char* ending = ".lease";

// Eight bytes, aligned and in one piece, so that nobody reads half of an old value and half of a
// new one.
BootMs read_value(int file) {
  std::int64_t value = 0;
  if (pread(file, &value, sizeof value, 0) != sizeof value) return 0;
  return value < 0 || value > boot_now_ms() ? 0 : value;
}

}  // namespace

std::string lease_path(const std::string& spool_directory, const LaunchKey& key) {
  return spool_directory + '/' + to_string(key) + ending;
}

bool write_lease(const std::string& spool_directory, const LaunchKey& key, BootMs from_ms) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  const UniqueFd file(open(lease_path(spool_directory, key).c_str(), flags, 0600));
  if (!file) return false;
  const std::int64_t value = from_ms;
  return value <= read_value(file.get()) ||
         pwrite(file.get(), &value, sizeof value, 0) == sizeof value;
}

BootMs read_lease(const std::string& spool_directory, const LaunchKey& key) {
  // O_NONBLOCK: not even a FIFO in its place may stop a shepherd.
  const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const UniqueFd file(open(lease_path(spool_directory, key).c_str(), flags));
  return file ? read_value(file.get()) : 0;
}

bool parse_lease_name(const std::string& name, LaunchKey& key) {
  const std::string tail = ending;
  return name.size() > tail.size() && name.ends_with(tail) &&
         parse_launch_key(name.substr(0, name.size() - tail.size()), key);
}

}  // namespace hyades
