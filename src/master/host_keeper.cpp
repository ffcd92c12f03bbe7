#include "master/host_keeper.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/hostlist.hpp"
#include "master/launch_agent.hpp"
#include "master/mpirun_command.hpp"
#include "version.hpp"

namespace hyades {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 64;  // launch agents
constexpr auto kProbeLimit = 8s;
constexpr auto kEndLimit = 8s;

BackgroundCommand::Clock::time_point now() { return BackgroundCommand::Clock::now(); }

std::vector<std::string> remote_command(const RemotePlace& place, const char* verb,
                                        const std::string& name, const std::string& address) {
  return LaunchAgent(place.launch_agent).command(address, place.words(verb, name));
}

std::int64_t wall_ms_in(std::chrono::steady_clock::duration delay) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch() + delay;
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
}

}  // namespace

HostKeeper::HostKeeper(const SupervisorOptions& options, RunFiles files,
                       const std::string& shared_memory)
    : options_(options),
      files_(std::move(files)),
      place_(remote_place(options, shared_memory)),
      table_(options.hosts) {}

// ---- probes -----------------------------------------------------------------------------------

void HostKeeper::start_probes() {
  for (const std::string& name : table_.due(now())) {
    if (probes_.size() >= kAtOnce) return;
    try {
      probes_[name] = std::make_unique<BackgroundCommand>(
          remote_command(place_, "check", name, table_.find(name)->entry.address), kProbeLimit);
      table_.probing(name);
    } catch (const std::exception& error) {
      table_.answered(name, {.why = std::string("cannot be asked: ") + error.what()}, now());
    }
  }
}

void HostKeeper::collect_probes() {
  std::erase_if(probes_, [this](const auto& probe) {
    const auto& [name, command] = probe;
    if (!command->finished()) return false;
    const ProbeResult result = read_probe(command->exit_code(), command->out(), command->err(),
                                          kVersion, options_.remote_program);
    const std::string before = table_.find(name)->why;
    table_.answered(name, result, now());
    if (!result.good && result.why != before) spdlog::warn("host {} {}", name, result.why);
    return true;
  });
}

void HostKeeper::gather(const std::atomic<bool>& stop) {
  do {
    start_probes();
    note();
    poll(nullptr, 0, 20);
    collect_probes();
  } while (!stop && (table_.any_probing() || !table_.due(now()).empty()));
  note();
}

// ---- the world --------------------------------------------------------------------------------

void HostKeeper::formed(const std::vector<std::string>& members, bool planned) {
  table_.formed(members, planned, now());
  note();
}

void HostKeeper::adopted(const HostsNote& note) {
  std::vector<std::string> members;
  for (const HostsNote::Host& host : note.hosts) {
    if (!host.member) continue;
    members.push_back(host.name);
    table_.on_machine(host.name, host.machine);
  }
  formed(members, false);
}

// All wait for all. Who has come less far than others is what they wait for.
void HostKeeper::find_culprits(const std::atomic<bool>& stop) {
  std::map<std::string, std::unique_ptr<BackgroundCommand>> calls;
  for (const HostTable::Host& host : table_.hosts()) {
    if (!host.member) continue;
    calls[host.entry.name] = std::make_unique<BackgroundCommand>(
        remote_command(place_, "check", host.entry.name, host.entry.address), kProbeLimit);
  }
  std::map<std::string, ProbeResult> found;
  int furthest = 0;
  while (!stop && !calls.empty()) {
    poll(nullptr, 0, 20);
    std::erase_if(calls, [&](const auto& call) {
      const auto& [name, command] = call;
      if (!command->finished()) return false;
      found[name] = read_probe(command->exit_code(), command->out(), command->err(), kVersion,
                               options_.remote_program);
      furthest = std::max(furthest, found[name].progress);
      return true;
    });
  }
  for (const auto& [name, result] : found) {
    if (!result.good) blame(name, result.why);
    if (!result.good || result.progress == furthest) continue;
    blame(name, result.progress < 2 ? "was started, but Open MPI there does not reach this host; "
                                      "see networks in the configuration, and firewalls"
                                    : "was started, but hyadesd does not come up there");
  }
}

void HostKeeper::blame(const std::string& name, const std::string& why) {
  spdlog::warn("host {} {}; it is left out for now", name, why);
  table_.blame(name, why, now());
}

void HostKeeper::ended(bool well, const std::string& failures) {
  table_.ended(now());
  if (well) return;
  // Somebody has not come up: who is there has to be asked again.
  table_.forget_answers(now());
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(failures, none)) {
    std::ifstream file(entry.path());
    std::string why;
    std::getline(file, why);
    blame(entry.path().filename(), why);
  }
}

std::size_t HostKeeper::left_out() const {
  const auto& hosts = table_.hosts();
  return static_cast<std::size_t>(std::count_if(
      hosts.begin(), hosts.end(), [](const HostTable::Host& host) { return host.in_vain > 0; }));
}

bool HostKeeper::tend() {
  collect_probes();
  read_heard();
  take_wishes();
  start_probes();
  const bool reform = table_.worth_reforming(now());
  if (!reform) answer_wish();
  note();
  if (reform) spdlog::info("forming the world anew with {}", compress_hostlist(members()));
  return reform;
}

void HostKeeper::read_heard() {
  if (const auto heard = files_.heard()) table_.heard(*heard, now());
}

// ---- wishes -----------------------------------------------------------------------------------

void HostKeeper::take_wishes() {
  const auto request = files_.take_rejoin();
  if (!request) return;
  spdlog::info("asked to bring back {}",
               request->nodes.empty() ? "all that are missing" : compress_hostlist(request->nodes));
  complaint_.clear();
  for (const std::string& name : table_.ask_back(request->nodes, now())) {
    complaint_ += name + " is not in the host file\n";
  }
  wished_.insert(request->id);
}

// When all that was asked for has come back or has said why not.
void HostKeeper::answer_wish() {
  if (wished_.empty() || !table_.wish_settled(now())) return;
  const auto missing = [](const HostTable::Host& host) { return !host.heard; };
  const auto& hosts = table_.hosts();
  // Those of a new world need a moment.
  if (std::any_of(hosts.begin(), hosts.end(), [](const HostTable::Host& host) {
        return host.member && !host.heard && host.why.empty();
      })) {
    return;
  }
  std::string text = complaint_;
  for (const HostTable::Host& host : hosts) {
    if (missing(host)) text += host.entry.name + " " + host.why + "\n";
  }
  const auto absent = std::count_if(hosts.begin(), hosts.end(), missing);
  text += std::to_string(hosts.size() - static_cast<std::size_t>(absent)) + " of " +
          std::to_string(hosts.size()) + " nodes are in the world\n";
  for (const std::string& id : wished_) files_.write_rejoin_answer(id, text);
  wished_.clear();
}

// ---- the note ---------------------------------------------------------------------------------

void HostKeeper::note() {
  HostsNote note{.place = place_, .hosts = {}};
  std::string digest;
  for (const HostTable::Host& host : table_.hosts()) {
    const bool waits = !host.heard && !host.ready && host.probed;
    note.hosts.push_back({host.entry.name, host.entry.address, HostTable::state_of(host), host.why,
                          host.member, waits ? wall_ms_in(host.next_probe - now()) : 0,
                          host.machine});
    digest += HostTable::state_of(host) + host.why + host.machine + (host.member ? "+" : "-") +
              std::to_string(host.next_probe.time_since_epoch().count()) + "\n";
  }
  if (digest == noted_) return;
  try {
    files_.write_hosts(note);
    noted_ = digest;
  } catch (const std::exception& error) {
    spdlog::warn("{}", error.what());
    noted_ = digest;  // not once a second
  }
}

std::vector<std::string> end_hosts(const HostsNote& note) {
  std::map<std::string, std::unique_ptr<BackgroundCommand>> calls;
  std::vector<std::string> unreached;
  std::vector<HostsNote::Host> left;
  for (const HostsNote::Host& host : note.hosts) {
    if (host.member) left.push_back(host);
  }
  while (!left.empty() || !calls.empty()) {
    for (; !left.empty() && calls.size() < kAtOnce; left.pop_back()) {
      const HostsNote::Host& host = left.back();
      calls[host.name] = std::make_unique<BackgroundCommand>(
          remote_command(note.place, "stop", host.name, host.address), kEndLimit);
    }
    poll(nullptr, 0, 10);
    std::erase_if(calls, [&](const auto& call) {
      if (!call.second->finished()) return false;
      if (call.second->exit_code() != 0) {
        const ProbeResult result = read_probe(call.second->exit_code(), "", call.second->err(),
                                              kVersion, note.place.program);
        unreached.push_back(call.first + " " + result.why);
      }
      return true;
    });
  }
  return unreached;
}

}  // namespace hyades
