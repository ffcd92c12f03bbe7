#include "hsim/study_cache.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "cli/failure.hpp"
#include "hsim/metrics_output.hpp"

namespace hyades {
namespace {

struct Line {
  std::string log;
  Rule rule;
  Window window;
};

// Throws what the JSON library throws when a key is missing or is something else.
Line line_from(const Json& json) {
  return {json.at("log").get<std::string>(),
          {json.at("policy").get<std::string>(), json.at("backfill").get<std::string>(),
           json.at("guard").get<bool>(), json.at("exact").get<bool>(),
           json.value("run_times", std::string()), json.value("reserve", -1),
           json.value("model", std::string())},
          {json.at("first").get<std::size_t>(), json.at("count").get<std::size_t>()}};
}

const StudiedLog* find_log(const StudyPlan& plan, const std::string& name) {
  for (const StudiedLog& log : plan.logs) {
    if (log.name == name) return &log;
  }
  return nullptr;
}

// Also when it is empty, or not there. One damaged line makes it no other file.
bool is_cache(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(std::size_t{1} << 16, '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(file.gcount()));
  return begin.empty() || begin.find("{\"stamp\":") != std::string::npos;
}

}  // namespace

StudyCache::StudyCache(const std::string& path, std::string stamp)
    : path_(path), stamp_(std::move(stamp)) {
  if (path_.empty()) return;
  if (!is_cache(path_)) {
    throw Failure(path_ + " is not what hsim study --cache writes; name another file");
  }
  file_.reset(std::fopen(path_.c_str(), "a"));
  if (!file_) throw Failure("cannot write to " + path_ + ": " + std::strerror(errno));
  // A line that was cut off must not take the next one along.
  std::ifstream file(path_, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() <= 0) return;
  file.seekg(-1, std::ios::end);
  if (file.get() != '\n') std::fputc('\n', file_.get());
}

void StudyCache::load(const StudyPlan& plan, StudyResults& results) const {
  if (path_.empty()) return;
  std::ifstream file(path_);
  std::string text;
  while (std::getline(file, text)) {
    const Json json = Json::parse(text, nullptr, false);
    Metrics metrics;
    if (json.is_discarded() || !json.is_object() || !json.contains("metrics") ||
        !metrics_from_json(json["metrics"], metrics)) {
      continue;
    }
    try {
      const Line line = line_from(json);
      const StudiedLog* log = find_log(plan, line.log);
      if (log == nullptr || json.at("stamp") != stamp_ || json.at("procs") != log->procs ||
          json.at("jobs_of_log") != log->jobs) {
        continue;
      }
      results.add(line.log, line.rule, line.window, metrics);
    } catch (const Json::exception&) {
      continue;
    }
  }
}

void StudyCache::add(const StudiedLog& log, const Rule& rule, const Window& window,
                     const Metrics& metrics) {
  if (!file_) return;
  const Json line = {{"stamp", stamp_},
                     {"log", log.name},
                     {"procs", log.procs},
                     {"jobs_of_log", log.jobs},
                     {"policy", rule.policy},
                     {"backfill", rule.backfill},
                     {"guard", rule.guard},
                     {"exact", rule.exact},
                     {"run_times", rule.run_times},
                     {"reserve", rule.reserve},
                     {"model", rule.model},
                     {"first", window.first},
                     {"count", window.count},
                     {"metrics", metrics_json(metrics)}};
  const std::string text = json_line(line);
  if (std::fputs(text.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0) {
    throw Failure("cannot write to " + path_ + ": " + std::strerror(errno));
  }
}

}  // namespace hyades
