#include "worker/record_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <vector>

#include "core/core_lender.hpp"
#include "core/job_spec.hpp"

namespace hyades {
namespace {

// Escaped; all lines together stay within the record.
constexpr std::size_t error_bytes_max = 2200;
constexpr std::size_t epilog_error_bytes_max = 700;
constexpr std::size_t contained_bytes_max = 200;
constexpr std::size_t counter_why_bytes_max = 150;
// What the wire takes: beyond that the master would refuse all that this node has to say.
constexpr WallMs wall_ms_max = 253'402'300'799'999;  // the end of the year 9999
constexpr std::int64_t rss_kib_max = 1'000'000'000'000 * 1024;
constexpr std::size_t checksum_size = 10;  // " #" and eight digits

// FNV-1a: enough to tell a torn line from a whole one.
std::uint32_t checksum(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (unsigned char c : text) hash = (hash ^ c) * 16777619u;
  return hash;
}

std::string closed(std::string line) {
  char tail[16];
  std::snprintf(tail, sizeof tail, " #%08x\n", checksum(line));
  return line += tail;
}

bool is_plain(unsigned char c) { return c > ' ' && c < 0x7f && c != '%'; }

std::string escape(std::string_view text, std::size_t bytes_max, std::string_view also = "") {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : text) {
    if (out.size() + 3 > bytes_max) break;
    if (is_plain(c) && also.find(static_cast<char>(c)) == also.npos) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The fields of one line: "word name=value name=value".
class Fields {
 public:
  explicit Fields(std::string_view line) {
    word_ = next(line);
    while (!line.empty()) {
      const std::string_view field = next(line);
      const std::size_t equals = field.find('=');
      if (equals != field.npos) values_[field.substr(0, equals)] = field.substr(equals + 1);
    }
  }

  std::string_view word() const { return word_; }
  std::string_view text(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string_view() : found->second;
  }
  template <typename T>
  bool number(std::string_view name, T& out, T lowest = 0,
              T highest = std::numeric_limits<T>::max()) const {
    const std::string_view digits = text(name);
    T value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < lowest ||
        value > highest) {
      return false;
    }
    out = value;
    return true;
  }

 private:
  static std::string_view next(std::string_view& line) {
    const std::size_t space = line.find(' ');
    const std::string_view field = line.substr(0, space);
    line.remove_prefix(space == line.npos ? line.size() : space + 1);
    return field;
  }

  std::string_view word_;
  std::map<std::string_view, std::string_view> values_;
};

void read_started(const Fields& fields, RecordContent& out) {
  StartedLine started;
  if (fields.number("job_pid", started.job_pid, 1) &&
      fields.number("shepherd_pid", started.shepherd_pid, 1) &&
      fields.number("at", started.at_ms, WallMs{1}) && fields.number("from", started.from_ms) &&
      fields.number("until", started.until_ms)) {
    // It has started, whatever the time: to forget that could start it twice.
    started.at_ms = std::min(started.at_ms, wall_ms_max);
    fields.number("step_port", started.step_port, 0, 65535);
    started.contained = unescape(fields.text("contained"));
    if (!IdSet::parse(std::string(fields.text("cores")), started.cores)) started.cores = {};
    fields.number("elastic", started.elastic, 0, Limits::count_max);
    out.started = started;
  }
}

// Calls `use` with the parts of each of the elements "a/b/c,a/b/c".
template <typename Use>
void for_each_element(std::string_view list, const Use& use) {
  while (!list.empty()) {
    std::string_view element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), element.size() + 1));
    std::vector<std::string_view> parts;
    while (true) {
      const std::size_t slash = element.find('/');
      parts.push_back(element.substr(0, slash));
      if (slash == element.npos) break;
      element.remove_prefix(slash + 1);
    }
    use(parts);
  }
}

template <typename T>
bool whole_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// "name/value/share", and "/u" behind it when the kernel's part is not counted.
void read_counters(std::string_view list, std::vector<JobCounter>& out) {
  for_each_element(list, [&](const std::vector<std::string_view>& parts) {
    JobCounter counter;
    if (parts.size() < 3 || parts.size() > 4 || out.size() >= job_counters_max) return;
    if (!is_counter_name(parts[0]) || !whole_number(parts[1], counter.value)) return;
    if (counter.value < 0 || !whole_number(parts[2], counter.running_share)) return;
    if (!(counter.running_share > 0 && counter.running_share <= 1)) return;
    counter.user_only = parts.size() == 4;
    if (counter.user_only && parts[3] != "u") return;
    counter.name = parts[0];
    out.push_back(counter);
  });
}

// "name/why".
void read_missing(std::string_view list, std::vector<MissingCounter>& out) {
  for_each_element(list, [&](const std::vector<std::string_view>& parts) {
    if (parts.size() != 2 || out.size() >= job_counters_max) return;
    const std::string why = unescape(parts[1]);
    if (is_counter_name(parts[0]) && is_counter_reason(why)) {
      out.push_back({std::string(parts[0]), why});
    }
  });
}

// "name/value".
void read_reported(std::string_view list, std::vector<ReportedFigure>& out) {
  for_each_element(list, [&](const std::vector<std::string_view>& parts) {
    if (parts.size() != 2 || out.size() >= reported_figures_max) return;
    ReportedFigure figure{std::string(parts[0])};
    if (is_reported_name(parts[0]) && parse_reported_value(parts[1], figure.value)) {
      out.push_back(std::move(figure));
    }
  });
}

void read_usage(const Fields& fields, Usage& out) {
  // Not in the records of older versions.
  fields.number("minor_faults", out.minor_faults);
  fields.number("major_faults", out.major_faults);
  fields.number("voluntary_switches", out.voluntary_switches);
  fields.number("involuntary_switches", out.involuntary_switches);
  fields.number("read_bytes", out.read_bytes);
  fields.number("write_bytes", out.write_bytes);
  read_counters(fields.text("counters"), out.counters);
  read_missing(fields.text("missing"), out.missing_counters);
  read_reported(fields.text("reported"), out.reported);
  fields.number("refused_reports", out.refused_reports);
}

void read_exit(const Fields& fields, RecordContent& out) {
  ExitRecord exit;
  const bool good = fields.number("code", exit.exit_code, 0, 255) &&
                    fields.number("signal", exit.signal, 0, 64) &&
                    parse_stop_reason(fields.text("stopped"), exit.stopped) &&
                    fields.number("started", exit.started_ms, WallMs{0}, wall_ms_max) &&
                    fields.number("ended", exit.ended_ms, WallMs{0}, wall_ms_max) &&
                    fields.number("user_ms", exit.usage.user_ms, WallMs{0}, wall_ms_max) &&
                    fields.number("system_ms", exit.usage.system_ms, WallMs{0}, wall_ms_max) &&
                    fields.number("max_rss_kib", exit.usage.max_rss_kib, WallMs{0}, rss_kib_max) &&
                    fields.number("left_behind", exit.left_behind);
  read_usage(fields, exit.usage);
  exit.launch_error = unescape(fields.text("error"));
  exit.out_of_memory = fields.text("out_of_memory") == "1";
  exit.epilog_error = unescape(fields.text("epilog_error"));
  if (good) out.exit = exit;
}

std::string usage_fields(const Usage& usage) {
  char text[400];
  std::snprintf(
      text, sizeof text,
      " minor_faults=%lld major_faults=%lld voluntary_switches=%lld "
      "involuntary_switches=%lld read_bytes=%lld write_bytes=%lld",
      static_cast<long long>(usage.minor_faults), static_cast<long long>(usage.major_faults),
      static_cast<long long>(usage.voluntary_switches),
      static_cast<long long>(usage.involuntary_switches), static_cast<long long>(usage.read_bytes),
      static_cast<long long>(usage.write_bytes));
  return text;
}

std::string counter_fields(const Usage& usage) {
  std::string text;
  const std::size_t count = std::min(usage.counters.size(), job_counters_max);
  const std::size_t missing_max = std::min(usage.missing_counters.size(), job_counters_max - count);
  for (std::size_t i = 0; i < count; ++i) {
    const JobCounter& counter = usage.counters[i];
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "/%lld/%.6g%s", static_cast<long long>(counter.value),
                  counter.running_share, counter.user_only ? "/u" : "");
    text += (i == 0 ? " counters=" : ",") + counter.name + numbers;
  }
  for (std::size_t i = 0; i < missing_max; ++i) {
    const MissingCounter& missing = usage.missing_counters[i];
    text += (i == 0 ? " missing=" : ",") + missing.name + '/' +
            escape(missing.why, counter_why_bytes_max, "/,");
  }
  return text;
}

std::string reported_fields(const Usage& usage) {
  std::string text;
  const std::size_t count = std::min(usage.reported.size(), reported_figures_max);
  for (std::size_t i = 0; i < count; ++i) {
    const ReportedFigure& figure = usage.reported[i];
    text += (i == 0 ? " reported=" : ",") + figure.name + '/' + reported_value_text(figure.value);
  }
  if (usage.refused_reports == 0) return text;
  return text + " refused_reports=" + std::to_string(usage.refused_reports);
}

void read_line(std::string_view line, RecordContent& out) {
  if (line.size() < checksum_size) return;
  const std::string_view body = line.substr(0, line.size() - checksum_size);
  const std::string whole = closed(std::string(body));
  if (std::string_view(whole).substr(0, whole.size() - 1) != line) return;
  const Fields fields(body);
  if (fields.word() == "claimed") out.boot_id = fields.text("boot");
  if (fields.word() == "started") read_started(fields, out);
  if (fields.word() == "exit") read_exit(fields, out);
  if (fields.word() == "refused") out.refusal = unescape(fields.text("reason"));
}

}  // namespace

std::string claimed_line(const std::string& boot_id) { return closed("claimed boot=" + boot_id); }

std::string started_line(const StartedLine& started) {
  char line[200];
  std::snprintf(line, sizeof line,
                "started job_pid=%d shepherd_pid=%d at=%lld from=%lld until=%lld step_port=%d",
                started.job_pid, started.shepherd_pid, static_cast<long long>(started.at_ms),
                static_cast<long long>(started.from_ms), static_cast<long long>(started.until_ms),
                started.step_port);
  std::string text = line;
  if (!started.contained.empty()) {
    text += " contained=" + escape(started.contained, contained_bytes_max);
  }
  const std::string cores = started.cores.to_string();
  if (!cores.empty() && cores.size() <= kKnownCoresBytesMost) text += " cores=" + cores;
  if (started.elastic > 0) text += " elastic=" + std::to_string(started.elastic);
  return closed(text);
}

std::string exit_line(const ExitRecord& exit) {
  char line[400];
  std::snprintf(line, sizeof line,
                "exit code=%d signal=%d stopped=%s started=%lld ended=%lld user_ms=%lld "
                "system_ms=%lld max_rss_kib=%lld left_behind=%d",
                exit.exit_code, exit.signal, std::string(to_string(exit.stopped)).c_str(),
                static_cast<long long>(exit.started_ms), static_cast<long long>(exit.ended_ms),
                static_cast<long long>(exit.usage.user_ms),
                static_cast<long long>(exit.usage.system_ms),
                static_cast<long long>(exit.usage.max_rss_kib), exit.left_behind);
  std::string text = line;
  text += usage_fields(exit.usage);
  // What never ran has counted nothing; and the error needs the room.
  if (exit.launch_error.empty()) text += counter_fields(exit.usage) + reported_fields(exit.usage);
  if (exit.out_of_memory) text += " out_of_memory=1";
  if (!exit.launch_error.empty()) text += " error=" + escape(exit.launch_error, error_bytes_max);
  if (!exit.epilog_error.empty()) {
    text += " epilog_error=" + escape(exit.epilog_error, epilog_error_bytes_max);
  }
  return closed(text);
}

std::string refused_line(const std::string& reason) {
  return closed("refused reason=" + escape(reason, error_bytes_max));
}

RecordContent parse_record(std::string_view text) {
  RecordContent content;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return content;
    read_line(text.substr(0, end), content);
    text.remove_prefix(end + 1);
  }
}

}  // namespace hyades
