#include "worker/job_meters.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "worker/spool_layout.hpp"

namespace hyades {

namespace {

constexpr std::string_view kEnding = ".live";

// "42.1.77.live"
std::optional<LaunchKey> key_of(std::string_view name) {
  if (!name.ends_with(kEnding)) return std::nullopt;
  LaunchKey key;
  const std::string text(name.substr(0, name.size() - kEnding.size()));
  if (!parse_launch_key(text, key)) return std::nullopt;
  return key;
}

}  // namespace

JobMeters::JobMeters(std::string spool_directory) : spool_directory_(std::move(spool_directory)) {
  open_directory();
}

bool JobMeters::open_directory() {
  const std::string path = job_file_directory(spool_directory_);
  if (!directory_) {
    directory_.reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (directory_ || errno == ENOENT) return bool(directory_);  // no job has ever run here
  trouble_ = "cannot look into " + path + ": " + std::strerror(errno);
  return false;
}

void JobMeters::find_pages(const Now& now) {
  std::set<LaunchKey> there;
  trouble_.clear();
  if (!open_directory()) return;
  const int again = dup(directory_.get());
  if (DIR* const entries = again < 0 ? nullptr : fdopendir(again)) {
    rewinddir(entries);
    while (const dirent* entry = readdir(entries)) {
      const std::optional<LaunchKey> key = key_of(entry->d_name);
      if (!key) continue;
      there.insert(*key);
      std::optional<LivePage> page = read_live_page(spool_directory_, *key);
      if (!page) continue;  // half-written; the next look sees it whole
      const auto found = meters_.find(*key);
      if (found == meters_.end()) {
        meters_.emplace(*key, JobMeter(std::move(*page), now));
      } else {
        found->second.update(std::move(*page));
      }
    }
    closedir(entries);
  }
  for (auto at = meters_.begin(); at != meters_.end();) {
    const bool gone = there.count(at->first) == 0;
    if (gone) ended_.push_back(std::move(at->second));
    at = gone ? meters_.erase(at) : std::next(at);
  }
}

void JobMeters::look(const Now& now) {
  find_pages(now);
  if (meters_.empty()) return;
  if (!scan_.look()) {
    trouble_ = "cannot look into /proc";
    return;
  }
  note_.clear();
  for (auto& [key, meter] : meters_) {
    if (meter.page().shepherd_pid <= 0) continue;
    const std::vector<ProcessUse> processes = scan_.below(meter.page().shepherd_pid);
    meter.look(processes, now);
    meter.look_at_io(sum_io(processes), now);
  }
}

// A sum without some of them would be a wrong figure.
std::optional<ProcessIo> JobMeters::sum_io(const std::vector<ProcessUse>& processes) {
  if (!io_.is_kept()) {
    note_ = "what jobs read and write is not told: this kernel keeps no account of it";
    return std::nullopt;
  }
  ProcessIo sum;
  for (const ProcessUse& process : processes) {
    ProcessIo one;
    const ProcessIoReader::Answer answer = io_.read(process.pid, one);
    if (answer == ProcessIoReader::Answer::Forbidden) {
      note_ = "what jobs read and write is not told: the kernel shows it to their users and root";
      return std::nullopt;
    }
    if (answer == ProcessIoReader::Answer::Gone) continue;
    sum.read_bytes += one.read_bytes;
    sum.write_bytes += one.write_bytes;
  }
  return sum;
}

std::vector<JobMeter> JobMeters::take_ended() { return std::exchange(ended_, {}); }

}  // namespace hyades
