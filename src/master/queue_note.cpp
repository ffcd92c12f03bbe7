#include "master/queue_note.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "master/file_checks.hpp"

namespace hyades {
namespace {

// Fixed width: rewriting one is a single small write in place.
constexpr const char* kFormat =
    "Hyades keeps a queue in this directory. Do not edit or remove this file.\n"
    "cluster    %32.32s\n"
    "epoch      %020llu\n"
    "last event %020llu\n"
    "last job   %020llu\n"
    "next start %020llu\n";

std::string render(const std::string& cluster_id, const QueueNote::Content& content) {
  char text[320];
  const int size = std::snprintf(text, sizeof text, kFormat, cluster_id.c_str(),
                                 static_cast<unsigned long long>(content.epoch),
                                 static_cast<unsigned long long>(content.last_event),
                                 static_cast<unsigned long long>(content.last_job),
                                 static_cast<unsigned long long>(content.next_sequence));
  return std::string(text, static_cast<std::size_t>(size));
}

bool write_all(int fd, const std::string& text) {
  return pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

std::optional<QueueNote::Content> QueueNote::read(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char text[320] = {};
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return std::nullopt;
  char cluster[33] = {};
  unsigned long long epoch = 0;
  unsigned long long event = 0;
  unsigned long long job = 0;
  unsigned long long sequence = 0;
  const char* numbers = static_cast<const char*>(std::memchr(text, '\n', sizeof text));
  if (numbers == nullptr ||
      std::sscanf(numbers, " cluster %32s epoch %llu last event %llu last job %llu next start %llu",
                  cluster, &epoch, &event, &job, &sequence) != 5) {
    return std::nullopt;
  }
  return Content{cluster, epoch, event, job, sequence};
}

bool QueueNote::create(const std::string& path, const Content& content) {
  const std::string fresh = path + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = write_all(fd, render(content.cluster_id, content)) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  errno = error;
  return written && rename(fresh.c_str(), path.c_str()) == 0 &&
         sync_directory(path.substr(0, path.rfind('/')));
}

QueueNote::QueueNote(const std::string& path, std::string cluster_id)
    : cluster_id_(std::move(cluster_id)),
      fd_(open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)) {}

QueueNote::~QueueNote() {
  if (fd_ >= 0) close(fd_);
}

void QueueNote::advance(const Content& content) {
  if (fd_ >= 0) write_all(fd_, render(cluster_id_, content));
}

}  // namespace hyades
