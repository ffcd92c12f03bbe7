#include "master/run_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace hyades {

namespace {

using Json = nlohmann::json;

Json to_json(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"start_ticks", process.start_ticks}};
}

ProcessIdentity process_from(const Json& json) {
  return {json.value("pid", 0), json.value("start_ticks", std::uint64_t{0})};
}

const std::string kRankPrefix = "rank.";

}  // namespace

RunFiles::RunFiles(const std::string& state_directory) : directory_(state_directory + "/run") {
  if (mkdir(directory_.c_str(), 0755) != 0 && errno != EEXIST) {
    throw std::runtime_error("cannot create " + directory_ + ": " + std::strerror(errno));
  }
}

// Under another name first: a reader sees the old note or the new one, never half of one.
void RunFiles::write(const std::string& name, const std::string& text) const {
  const std::string path = directory_ + "/" + name;
  const std::string fresh = path + ".new." + std::to_string(getpid());
  std::ofstream file(fresh, std::ios::trunc);
  file << text << '\n';
  file.close();
  if (!file || rename(fresh.c_str(), path.c_str()) != 0) {
    throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
  }
}

std::optional<std::string> RunFiles::read(const std::string& name) const {
  std::ifstream file(directory_ + "/" + name);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void RunFiles::write_rank(const RankNote& note) const {
  Json json = to_json(note.process);
  json["rank"] = note.rank;
  json["node"] = note.node;
  write(kRankPrefix + std::to_string(note.rank), json.dump());
}

std::vector<RankNote> RunFiles::ranks() const {
  std::vector<RankNote> notes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kRankPrefix) || name.find(".new.") != std::string::npos) continue;
    const Json json = Json::parse(read(name).value_or(""), nullptr, false);
    if (!json.is_object()) continue;
    notes.push_back({json.value("rank", 0), json.value("node", ""), process_from(json)});
  }
  std::sort(notes.begin(), notes.end(),
            [](const RankNote& a, const RankNote& b) { return a.rank < b.rank; });
  return notes;
}

void RunFiles::clear_ranks() const {
  for (const RankNote& note : ranks()) {
    unlink((directory_ + "/" + kRankPrefix + std::to_string(note.rank)).c_str());
  }
}

void RunFiles::write_world(const WorldNote& note) const {
  Json json = to_json(note.mpirun);
  json["nodes"] = note.nodes;
  json["config"] = note.config;
  write("world", json.dump());
}

std::optional<WorldNote> RunFiles::world() const {
  const Json json = Json::parse(read("world").value_or(""), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return WorldNote{process_from(json), json.value("nodes", 0), json.value("config", "")};
}

void RunFiles::clear_world() const { unlink((directory_ + "/world").c_str()); }

void RunFiles::write_failure(const std::string& reason) const {
  if (reason.empty()) {
    unlink((directory_ + "/failure").c_str());
  } else {
    write("failure", reason);
  }
}

void RunFiles::write_failure_of(const std::string& node, const std::string& reason) const {
  for (const RankNote& rank : ranks()) {
    if (rank.node == node && open_process(rank.process)) return;
  }
  write_failure(node.empty() ? reason : "node " + node + ": " + reason);
}

std::string RunFiles::failure() const {
  std::string text = read("failure").value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace hyades
