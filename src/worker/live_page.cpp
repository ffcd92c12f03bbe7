#include "worker/live_page.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <climits>
#include <cmath>
#include <limits>

#include "core/checksum.hpp"
#include "core/job_spec.hpp"
#include "wire/byte_codec.hpp"
#include "worker/job_directory.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

constexpr std::uint64_t magic = 0x31306567617079ff;
constexpr std::uint64_t format = 2;
constexpr std::uint64_t format_without_reports = 1;  // of shepherds that were there before us
constexpr int read_tries = 5;

constexpr std::int64_t Usage::*numbers[] = {
    &Usage::user_ms,
    &Usage::system_ms,
    &Usage::max_rss_kib,
    &Usage::minor_faults,
    &Usage::major_faults,
    &Usage::voluntary_switches,
    &Usage::involuntary_switches,
    &Usage::read_bytes,
    &Usage::write_bytes,
};

std::uint64_t checksum(std::string_view text) {
  return static_cast<std::uint64_t>(Checksum().add_alone(text).value());
}

std::string body_of(const LivePage& page) {
  ByteWriter out;
  out.put(page.key.job);
  out.put(page.key.attempt);
  out.put(page.key.sequence);
  out.put(static_cast<std::uint64_t>(page.shepherd_pid));
  out.put(static_cast<std::uint64_t>(page.cores));
  out.put_signed(page.started_ms);
  out.put_signed(page.at_ms);
  for (const auto field : numbers) out.put_signed(page.ended.*field);
  out.put(page.ended.counters.size());
  for (const JobCounter& counter : page.ended.counters) {
    out.put(counter.name);
    out.put_signed(counter.value);
    out.put(std::bit_cast<std::uint64_t>(counter.running_share));
    out.put(counter.user_only ? 1 : 0);
  }
  out.put(page.ended.missing_counters.size());
  for (const MissingCounter& missing : page.ended.missing_counters) {
    out.put(missing.name);
    out.put(missing.why);
  }
  out.put(page.ended.reported.size());
  for (const ReportedFigure& figure : page.ended.reported) {
    out.put(figure.name);
    out.put(std::bit_cast<std::uint64_t>(figure.value));
  }
  out.put_signed(page.ended.refused_reports);
  return out.take();
}

// Of what cannot be negative.
bool get_count(ByteReader& in, std::int64_t& out) {
  std::uint64_t value = 0;
  if (!in.get(value) || value > std::numeric_limits<std::int64_t>::max()) return false;
  out = static_cast<std::int64_t>(value);
  return true;
}

bool get_counter(ByteReader& in, JobCounter& counter) {
  std::uint64_t share = 0;
  int user_only = 0;
  if (!in.get(counter.name, counter_name_bytes_max) || !get_count(in, counter.value) ||
      !in.get(share) || !in.get_int(user_only, 0, 1)) {
    return false;
  }
  counter.running_share = std::bit_cast<double>(share);
  counter.user_only = user_only != 0;
  return is_counter_name(counter.name) && counter.running_share > 0 && counter.running_share <= 1;
}

bool get_counters(ByteReader& in, Usage& usage) {
  std::uint64_t count = 0;
  if (!in.get(count) || count > job_counters_max) return false;
  usage.counters.assign(count, {});
  for (JobCounter& counter : usage.counters) {
    if (!get_counter(in, counter)) return false;
  }
  if (!in.get(count) || count > job_counters_max) return false;
  usage.missing_counters.assign(count, {});
  for (MissingCounter& missing : usage.missing_counters) {
    if (!in.get(missing.name, counter_name_bytes_max) ||
        !in.get(missing.why, counter_reason_bytes_max) || !is_counter_name(missing.name) ||
        !is_counter_reason(missing.why)) {
      return false;
    }
  }
  return true;
}

bool get_reported(ByteReader& in, Usage& usage) {
  std::uint64_t count = 0;
  if (!in.get(count) || count > reported_figures_max) return false;
  usage.reported.assign(count, {});
  for (ReportedFigure& figure : usage.reported) {
    std::uint64_t value = 0;
    if (!in.get(figure.name, reported_name_bytes_max) || !is_reported_name(figure.name) ||
        !in.get(value)) {
      return false;
    }
    figure.value = std::bit_cast<double>(value);
    if (!std::isfinite(figure.value)) return false;
  }
  return get_count(in, usage.refused_reports);
}

bool get_body(std::string_view bytes, std::uint64_t version, LivePage& page) {
  ByteReader in(bytes);
  std::uint64_t attempt = 0;
  if (!in.get(page.key.job) || !in.get(attempt) || !in.get(page.key.sequence)) return false;
  page.key.attempt = static_cast<Attempt>(attempt);
  if (page.key.attempt != attempt || !in.get_int(page.shepherd_pid, 0, INT_MAX) ||
      !in.get_int(page.cores, 0, Limits::count_max) || !get_count(in, page.started_ms) ||
      !get_count(in, page.at_ms)) {
    return false;
  }
  for (const auto field : numbers) {
    if (!get_count(in, page.ended.*field)) return false;
  }
  if (!get_counters(in, page.ended)) return false;
  return (version == format_without_reports || get_reported(in, page.ended)) && in.at_end();
}

}  // namespace

std::string encode(const LivePage& page) {
  const std::string body = body_of(page);
  ByteWriter out;
  out.put(magic);
  out.put(format);
  out.put(checksum(body));
  out.put(body);
  return out.take();
}

bool decode(std::string_view bytes, LivePage& page) {
  ByteReader in(bytes);
  std::uint64_t word = 0;
  std::uint64_t version = 0;
  std::uint64_t sum = 0;
  std::string body;
  if (!in.get(word) || word != magic || !in.get(version) || !in.get(sum) ||
      !in.get(body, live_page_bytes_max) || checksum(body) != sum) {
    return false;
  }
  if (version != format && version != format_without_reports) return false;
  LivePage read;
  if (!get_body(body, version, read)) return false;
  page = std::move(read);
  return true;
}

void LivePageWriter::write(const std::string& spool_directory, uid_t reader, const LivePage& page) {
  if (failed_) return;
  if (!file_) {
    std::string trouble;
    const UniqueFd directory = open_job_directory(spool_directory, trouble);
    const std::string name = live_page_path(to_string(page.key));
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    if (directory) file_.reset(openat(directory.get(), name.c_str(), flags, 0400));
    const bool other = file_ && geteuid() == 0 && reader != 0 && reader != static_cast<uid_t>(-1);
    failed_ = !file_ || (other && fchown(file_.get(), reader, static_cast<gid_t>(-1)) != 0);
    if (failed_) return;
  }
  const std::string bytes = encode(page);
  failed_ = pwrite(file_.get(), bytes.data(), bytes.size(), 0) < 0;
}

std::optional<LivePage> read_live_page(const std::string& spool_directory, const LaunchKey& key) {
  const std::string path = live_page_path(script_path(spool_directory, key));
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info = {};
  if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  std::string bytes(live_page_bytes_max, '\0');
  for (int i = 0; i < read_tries; ++i) {
    const ssize_t size = pread(file.get(), bytes.data(), bytes.size(), 0);
    LivePage page;
    if (size > 0 &&
        decode(std::string_view(bytes).substr(0, static_cast<std::size_t>(size)), page) &&
        page.key == key) {
      return page;
    }
  }
  return std::nullopt;
}

}  // namespace hyades
