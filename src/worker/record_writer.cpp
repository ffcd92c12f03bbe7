#include "worker/record_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace hyades {
namespace {

constexpr int write_again_ms_max = 5000;

}  // namespace

RecordWriter::RecordWriter(UniqueFd record) : record_(std::move(record)) {
  size_ = std::max<off_t>(lseek(record_.get(), 0, SEEK_END), 0);
}

bool RecordWriter::append(const std::string& line) {
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = pwrite(record_.get(), line.data() + done, line.size() - done,
                                   size_ + static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  size_ += static_cast<off_t>(done);
  return true;
}

// The claim has reserved the space, so failing at all takes a file system without reservations, or
// a broken disk. The directory entry needs no sync of its own: the file systems that a spool lives
// on (ext4, XFS, btrfs) make a new file's name durable together with the first sync of its content.
void RecordWriter::append_and_sync(const std::string& line) {
  int patience_ms = 100;
  while (!append(line)) {
    poll(nullptr, 0, patience_ms);
    patience_ms = std::min(patience_ms * 2, write_again_ms_max);
  }
  // A sync that failed is not repeated: the kernel has dropped what it could not write, and a
  // second sync would only seem to succeed. The line can still be read while the machine is up.
  fdatasync(record_.get());
}

}  // namespace hyades
