#include "hsim/device_trace.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "cli/failure.hpp"
#include "hsim/device_text.hpp"

namespace hyades {
namespace {

// Where a line has what.
struct Columns {
  std::size_t count, steps, workers, arrival;
};
constexpr Columns kPhysical = {10, 5, 6, 9};
constexpr Columns kMade = {7, 4, 6, 5};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
  return cells;
}

class LineReader {
 public:
  LineReader(const std::string& name, std::size_t line) : name_(name), line_(line) {}

  DeviceJob read(const std::string& text) const {
    const std::vector<std::string> cells = cells_of(text);
    if (cells.size() != kPhysical.count && cells.size() != kMade.count) {
      bad("has " + std::to_string(cells.size()) +
          " columns between tabs, not 10 or 7. Take a trace of Gavel");
    }
    const Columns& at = cells.size() == kPhysical.count ? kPhysical : kMade;
    DeviceJob job;
    job.work.type = cells[0];
    job.steps = number(cells[at.steps], "steps", 1, 1e15);
    const double workers = number(cells[at.workers], "devices", 1, 1e6);
    job.work.workers = static_cast<int>(workers);
    if (workers != std::floor(workers)) bad("has part of a device: " + cells[at.workers]);
    job.arrival_ms = std::llround(1000 * number(cells[at.arrival], "arrival", 0, 1e11));
    return job;
  }

 private:
  [[noreturn]] void bad(const std::string& what) const {
    throw Failure(name_ + ": line " + std::to_string(line_) + " " + what);
  }
  double number(const std::string& cell, const char* what, double least, double most) const {
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size() ||
        !(value >= least && value <= most)) {
      std::ostringstream bounds;
      bounds << "a number from " << least << " to " << most;
      bad("has \"" + cell + "\" for " + what + ": give " + bounds.str());
    }
    return value;
  }

  const std::string& name_;
  std::size_t line_;
};

}  // namespace

DeviceTrace parse_device_trace(const std::string& name, const std::string& text,
                               const ThroughputTable& table, std::size_t most) {
  DeviceTrace trace;
  trace.name = name;
  std::istringstream stream(text);
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty()) continue;
    ++trace.in_file;
    const DeviceJob job = LineReader(name, number).read(line);
    if (trace.jobs.size() == most) continue;
    table.knows(job.work) ? trace.jobs.push_back(job) : void(++trace.unmeasured);
  }
  if (trace.jobs.empty()) {
    throw Failure(name + ": none of its " + std::to_string(trace.in_file) +
                  " jobs does work that the table knows. Name the table that belongs to the trace");
  }
  std::stable_sort(
      trace.jobs.begin(), trace.jobs.end(),
      [](const DeviceJob& a, const DeviceJob& b) { return a.arrival_ms < b.arrival_ms; });
  return trace;
}

DeviceTrace read_device_trace(const std::string& path, const ThroughputTable& table,
                              std::size_t most) {
  DeviceTrace trace = parse_device_trace(path, read_device_file(path), table, most);
  trace.name = std::filesystem::path(path).stem();
  return trace;
}

}  // namespace hyades
