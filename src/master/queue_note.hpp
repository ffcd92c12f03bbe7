// A small file beside the queue that says how far the queue had got. It finds what a database
// cannot find about itself: that the whole file, its log, or its newest part is gone.
//
// The note follows the commits without being synced: after the death of processes it is exact,
// after a power cut it may be behind the queue, and it is never ahead of it, unless the queue lost
// something.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/ids.hpp"

namespace hyades {

class QueueNote {
 public:
  struct Content {
    std::string cluster_id;
    Epoch epoch = 0;
    std::uint64_t last_event = 0;  // job_event.seq
    JobId last_job = 0;
    LaunchSequence next_sequence = 1;
  };

  // Nothing when there is no note, or one that cannot be understood.
  static std::optional<Content> read(const std::string& path);

  // Creates the note, synced with its directory, or replaces it. False: errno says why.
  static bool create(const std::string& path, const Content& content);

  // Opens an existing note for following the queue; the file's size never changes again, so that
  // a full disk does not matter.
  QueueNote(const std::string& path, std::string cluster_id);
  ~QueueNote();
  QueueNote(const QueueNote&) = delete;
  QueueNote& operator=(const QueueNote&) = delete;

  // Call after the commit; the cluster stays what it was. Failures are ignored: an old note is a
  // weaker check, no danger.
  void advance(const Content& content);

 private:
  std::string cluster_id_;
  int fd_;
};

}  // namespace hyades
