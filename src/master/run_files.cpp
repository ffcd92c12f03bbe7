#include "master/run_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "wire/boot_id.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

namespace {

using Json = nlohmann::json;

// More than any note needs, so that a blank one has the space for what comes into it.
constexpr std::size_t kNoteBytes = 512;
constexpr std::size_t kLongest = 16u << 20;
constexpr const char* kBlank = "{}";

const std::string kRankPrefix = "rank.";

bool is_unfinished(const std::string& name) { return name.find(".new.") != std::string::npos; }

Json to_json(const ProcessIdentity& process) {
  return {{"boot", current_boot_id()}, {"pid", process.pid}, {"start_ticks", process.start_ticks}};
}

// Empty when it is missing, of another type or out of range.
std::optional<std::uint64_t> number(const Json& json, const char* key, std::uint64_t most) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  return value <= most ? std::optional(value) : std::nullopt;
}

std::optional<std::string> text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<ProcessIdentity> process_from(const Json& json) {
  const auto pid = number(json, "pid", std::numeric_limits<pid_t>::max());
  const auto ticks = number(json, "start_ticks", std::numeric_limits<std::uint64_t>::max());
  if (!pid || !ticks || text(json, "boot") != current_boot_id()) return std::nullopt;
  return ProcessIdentity{static_cast<pid_t>(*pid), *ticks};
}

std::optional<RankNote> rank_from(const std::string& note) {
  const Json json = Json::parse(note, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto rank = number(json, "rank", std::numeric_limits<int>::max());
  const auto node = text(json, "node");
  const auto process = process_from(json);
  if (!rank || !node || !process) return std::nullopt;
  return RankNote{static_cast<int>(*rank), *node, *process};
}

std::optional<WorldNote> world_from(const std::string& note) {
  const Json json = Json::parse(note, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto process = process_from(json);
  const auto nodes = number(json, "nodes", std::numeric_limits<int>::max());
  const auto config = text(json, "config");
  if (!process || !nodes || !config) return std::nullopt;
  const auto hosts = json.find("hosts");
  return WorldNote{*process, static_cast<int>(*nodes), *config,
                   hosts != json.end() && hosts->is_boolean() && hosts->get<bool>()};
}

std::optional<HostsNote> hosts_from(const std::string& note) {
  const Json json = Json::parse(note, nullptr, false);
  const auto word = [](const Json& from, const char* key) { return text(from, key).value_or(""); };
  if (!json.is_object() || !json.contains("hosts") || !json["hosts"].is_array()) {
    return std::nullopt;
  }
  HostsNote hosts{.place = {.program = word(json, "program"),
                            .launch_agent = word(json, "launch_agent"),
                            .spool_root = word(json, "spool"),
                            .shared_memory = word(json, "shared_memory"),
                            .user = word(json, "user"),
                            .addresses = "",
                            .failures = ""},
                  .hosts = {}};
  for (const Json& host : json["hosts"]) {
    if (!host.is_object() || !text(host, "name")) return std::nullopt;
    const auto due = number(host, "next_probe_ms", std::numeric_limits<std::int64_t>::max());
    const auto member = host.find("member");
    hosts.hosts.push_back({word(host, "name"), word(host, "address"), word(host, "state"),
                           word(host, "why"),
                           member != host.end() && member->is_boolean() && member->get<bool>(),
                           static_cast<std::int64_t>(due.value_or(0)), word(host, "machine")});
  }
  return hosts;
}

// Nothing unless it is a list of strings.
std::optional<std::vector<std::string>> words_from(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || found == json.end() || !found->is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const Json& word : *found) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

bool write_and_close(UniqueFd file, const std::string& text) {
  if (!file) return false;
  const ssize_t written = pwrite(file.get(), text.data(), text.size(), 0);
  if (written >= 0 && written < static_cast<ssize_t>(text.size())) errno = ENOSPC;
  return written == static_cast<ssize_t>(text.size()) && close(file.release()) == 0;
}

// Under another name first: a reader sees the old note or the new one, never half of one.
bool replace(const std::string& path, const std::string& text, uid_t owner) {
  const std::string fresh = path + ".new." + std::to_string(getpid());
  unlink(fresh.c_str());  // of a process of the same number that was killed
  UniqueFd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return false;
  // What root's supervisor has made, a master that is no longer root must be able to overwrite.
  if (owner != geteuid() && fchown(file.get(), owner, static_cast<gid_t>(-1)) != 0) return false;
  if (write_and_close(std::move(file), text) && rename(fresh.c_str(), path.c_str()) == 0) {
    return true;
  }
  const int error = errno;
  unlink(fresh.c_str());
  errno = error;
  return false;
}

// In its own space. Should a reader see half of it, then it is absent for that moment, or names a
// process that never was.
bool overwrite(const std::string& path, std::string text) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!file || fstat(file.get(), &facts) != 0) return false;
  // A second name may be one that somebody gave to a file elsewhere.
  if (!S_ISREG(facts.st_mode) || facts.st_nlink != 1) return false;
  text.resize(std::max(text.size(), static_cast<std::size_t>(facts.st_size)), '\n');
  return write_and_close(std::move(file), text);
}

}  // namespace

// The directory, held open while its files are used: root's supervisor writes into a directory of
// the daemons' user, who must not be able to put a link in its place.
class RunFiles::Held {
 public:
  explicit Held(const std::string& directory)
      : fd_(open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) {}

  // Names nothing when the directory cannot be used.
  std::string path(const std::string& name) const {
    return "/proc/self/fd/" + std::to_string(fd_.get()) + "/" + name;
  }
  uid_t owner() const {
    struct stat facts {};
    return fstat(fd_.get(), &facts) == 0 ? facts.st_uid : geteuid();
  }

 private:
  UniqueFd fd_;
};

RunFiles::RunFiles(const std::string& state_directory) : directory_(state_directory + "/run") {
  if (mkdir(directory_.c_str(), 0755) == 0) {
    struct stat facts {};
    if (geteuid() == 0 && stat(state_directory.c_str(), &facts) == 0 && facts.st_uid != 0 &&
        lchown(directory_.c_str(), facts.st_uid, facts.st_gid) != 0) {
      throw std::runtime_error("cannot give away " + directory_ + ": " + std::strerror(errno));
    }
  } else if (errno != EEXIST) {
    throw std::runtime_error("cannot create " + directory_ + ": " + std::strerror(errno));
  }
}

void RunFiles::write(const std::string& name, const std::string& text) const {
  const Held held(directory_);
  const std::string path = held.path(name);
  std::string padded = text + '\n';
  padded.resize(std::max(padded.size(), kNoteBytes), '\n');
  if (replace(path, padded, held.owner())) return;
  const int error = errno;
  if (overwrite(path, padded)) return;
  throw std::runtime_error("cannot write " + directory_ + "/" + name + ": " + std::strerror(error));
}

// Not removed: it would lose its space.
void RunFiles::blank(const std::string& name) const {
  const Held held(directory_);
  if (!overwrite(held.path(name), kBlank)) unlink(held.path(name).c_str());
}

UniqueFd RunFiles::open_lock() const {
  const Held held(directory_);
  const std::string name = directory_ + "/supervisor.lock";
  UniqueFd file(
      open(held.path("supervisor.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw std::runtime_error("cannot open " + name + ": " + std::strerror(errno));
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_nlink != 1) {
    throw std::runtime_error(name + " is not a file of ours: remove it");
  }
  // Whoever can read a file can lock it.
  if (facts.st_uid == geteuid() && (facts.st_mode & 077) != 0 && fchmod(file.get(), 0600) != 0) {
    throw std::runtime_error("cannot keep " + name + " from others: " + std::strerror(errno));
  }
  return file;
}

void RunFiles::reserve(int nodes) const {
  std::vector<std::string> needed = {"world", "heard"};
  for (int rank = 0; rank <= nodes; ++rank) needed.push_back(kRankPrefix + std::to_string(rank));
  for (const std::string& name : needed) {
    struct stat facts {};
    const bool there = lstat(Held(directory_).path(name).c_str(), &facts) == 0 &&
                       S_ISREG(facts.st_mode) && facts.st_size >= static_cast<off_t>(kNoteBytes);
    if (!there) write(name, kBlank);
  }
}

std::vector<std::string> RunFiles::names() const {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  return names;
}

std::optional<std::string> RunFiles::read(const std::string& name) const {
  const UniqueFd file(open(Held(directory_).path(name).c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char bytes[4096];
  for (ssize_t size = 0; (size = ::read(file.get(), bytes, sizeof bytes)) > 0;) {
    text.append(bytes, static_cast<std::size_t>(size));
    if (text.size() > kLongest) return std::nullopt;
  }
  return text;
}

void RunFiles::write_rank(const RankNote& note) const {
  Json json = to_json(note.process);
  json["rank"] = note.rank;
  json["node"] = note.node;
  write(kRankPrefix + std::to_string(note.rank), json.dump());
}

std::vector<RankNote> RunFiles::ranks() const {
  std::vector<RankNote> notes;
  for (const std::string& name : names()) {
    if (!name.starts_with(kRankPrefix) || is_unfinished(name)) continue;
    if (auto note = rank_from(read(name).value_or(""))) notes.push_back(std::move(*note));
  }
  std::sort(notes.begin(), notes.end(),
            [](const RankNote& a, const RankNote& b) { return a.rank < b.rank; });
  return notes;
}

void RunFiles::clear_ranks() const {
  for (const std::string& name : names()) {
    if (is_unfinished(name)) {
      unlink(Held(directory_).path(name).c_str());  // of a writer that was killed
    } else if (name.starts_with(kRankPrefix)) {
      blank(name);
    }
  }
}

bool RunFiles::ranks_hidden() const {
  return access((directory_ + "/" + kRankPrefix + "0").c_str(), R_OK) != 0 && errno == EACCES;
}

void RunFiles::write_world(const WorldNote& note) const {
  Json json = to_json(note.mpirun);
  json["nodes"] = note.nodes;
  json["config"] = note.config;
  json["hosts"] = note.hosts;
  write("world", json.dump());
}

std::optional<WorldNote> RunFiles::world() const { return world_from(read("world").value_or("")); }

void RunFiles::clear_world() const { blank("world"); }

// ---- several machines -------------------------------------------------------------------------

void RunFiles::write_hosts(const HostsNote& note) const {
  Json json = {{"program", note.place.program},  {"launch_agent", note.place.launch_agent},
               {"spool", note.place.spool_root}, {"shared_memory", note.place.shared_memory},
               {"user", note.place.user},        {"hosts", Json::array()}};
  for (const HostsNote::Host& host : note.hosts) {
    json["hosts"].push_back({{"name", host.name},
                             {"address", host.address},
                             {"state", host.state},
                             {"why", host.why},
                             {"member", host.member},
                             {"next_probe_ms", host.next_probe_ms},
                             {"machine", host.machine}});
  }
  write("hosts", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::optional<HostsNote> RunFiles::hosts() const { return hosts_from(read("hosts").value_or("")); }

void RunFiles::clear_hosts() const { unlink(Held(directory_).path("hosts").c_str()); }

void RunFiles::write_heard(const std::set<std::string>& nodes) const {
  write("heard", Json({{"nodes", nodes}}).dump());
}

std::optional<std::set<std::string>> RunFiles::heard() const {
  const auto words = words_from(Json::parse(read("heard").value_or(""), nullptr, false), "nodes");
  if (!words) return std::nullopt;
  return std::set<std::string>(words->begin(), words->end());
}

void RunFiles::clear_heard() const { blank("heard"); }

void RunFiles::write_rejoin(const RejoinRequest& request) const {
  write("rejoin", Json({{"id", request.id}, {"nodes", request.nodes}}).dump());
}

std::optional<RejoinRequest> RunFiles::take_rejoin() const {
  const auto note = read("rejoin");
  if (!note) return std::nullopt;
  unlink(Held(directory_).path("rejoin").c_str());
  const Json json = Json::parse(*note, nullptr, false);
  const auto nodes = words_from(json, "nodes");
  const auto id = json.is_object() ? text(json, "id") : std::nullopt;
  if (!nodes || !id) return std::nullopt;
  return RejoinRequest{*id, *nodes};
}

void RunFiles::write_rejoin_answer(const std::string& id, const std::string& answer) const {
  write("rejoin.answer",
        Json({{"id", id}, {"text", answer}}).dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::optional<std::string> RunFiles::rejoin_answer(const std::string& id) const {
  const Json json = Json::parse(read("rejoin.answer").value_or(""), nullptr, false);
  if (!json.is_object() || text(json, "id") != id) return std::nullopt;
  return text(json, "text");
}

// ---- failures ---------------------------------------------------------------------------------

void RunFiles::write_failure(const std::string& reason) const {
  if (reason.empty()) {
    unlink(Held(directory_).path("failure").c_str());
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
