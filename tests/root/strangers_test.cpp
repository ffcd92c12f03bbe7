// Users who come to the daemons' doors with more than commands, and what they find of the daemons
// from outside (reliability table: S10, S11, S12, S13, S14, S26, S29).
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "census.hpp"
#include "hyades.pb.h"
#include "step/step_frame.hpp"
#include "step/step_message.hpp"
#include "two_users.hpp"
#include "wait_until.hpp"
#include "wire/client_connection.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"
#include "wire/run_directory.hpp"
#include "wire_samples.hpp"

namespace hyades::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Not those of jobs.
std::vector<Kin> daemons() {
  std::vector<Kin> all;
  for (const Kin& kin : family()) {
    const bool is_one = kin.name.starts_with("hyades") || kin.name == "mpirun";
    if (is_one && kin.name != "hyades-stepd") all.push_back(kin);
  }
  return all;
}

class Strangers : public TwoUsers {
 protected:
  // A job on both nodes; it has a step daemon on the second.
  static JobId must_run_on_both(const std::string& name) {
    return must_run(name, {"-N", "2", "-n", "2"});
  }
  // In the directory of scripts: the job's file for steps.
  static std::string step_file(JobId job) {
    const std::string scripts = cluster().directory() + "/spool/vn1/scripts";
    for (const auto& entry : std::filesystem::directory_iterator(scripts)) {
      const std::string name = entry.path().filename();
      if (name.starts_with(std::to_string(job) + '.') && name.ends_with(".steps")) {
        return entry.path();
      }
    }
    ADD_FAILURE() << "job " << job << " has no step file in " << scripts;
    return "";
  }
};

// ---- S10, S11: what is told to whom ------------------------------------------------------------

TEST_F(Strangers, NoVariableOfAUsersReachesAProcessOfRoots) {
  CommandOptions options;
  for (const char* name : {"LD_LIBRARY_PATH", "BASH_ENV", "ENV", "IFS", "PYTHONPATH", "PERL5LIB",
                           "SPANK_X", "BASH_FUNC_x%%", "OMPI_MCA_btl", "HYADES_X"}) {
    options.environment[name] = "evil";
  }
  // For the job alone: hsub itself must find its libraries.
  const std::string run =
      "export LD_PRELOAD=evil PATH=evil:$PATH; until /usr/bin/test -e evil.go; do /bin/sleep 0.05; "
      "done 2> /dev/null";
  const JobId job = must_submit(
      kAda, {"-o", "evil.out", "--wrap", "env; echo here; unset BASH_ENV ENV; " + run}, options);
  EXPECT_TRUE(cluster().wait_for_output("evil.out", "here"));
  EXPECT_TRUE(contains(cluster().read_file("evil.out"), "PERL5LIB=evil"));
  int roots = 0;
  for (const Kin& kin : family()) {
    struct stat owner = {};
    if (stat(("/proc/" + std::to_string(kin.pid)).c_str(), &owner) != 0 || owner.st_uid == kAda) {
      continue;
    }
    ++roots;
    EXPECT_FALSE(contains(read_proc(kin.pid, "environ"), "evil")) << kin.name;
    EXPECT_FALSE(contains(kin.command, "evil")) << kin.name;
  }
  EXPECT_GE(roots, 6);  // supervisor, mpirun, master, workers, launchers, shepherd
  let_end(job, "evil");
  for (const char* kind : {"prolog", "epilog"}) {
    const std::string seen = read_whole(hook_directory() + "/seen-by-" + kind);
    EXPECT_TRUE(contains(seen, "HYADES_JOB_ID=" + std::to_string(job) + '\n')) << seen;
    EXPECT_FALSE(contains(seen, "evil")) << seen;
    EXPECT_TRUE(contains(seen, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n")) << seen;
  }
}

TEST_F(Strangers, NothingSecretIsInProc) {
  const std::string program_text =
      "hrun sh -c 'echo here; until test -e proc.go; do sleep 0.05; done'";
  const JobId job = must_submit(
      kAda, {"-N", "2", "-n", "2", "-o", "proc.out", "--wrap", program("") + program_text},
      {.environment = {{"API_TOKEN", "secret-variable"}}});
  EXPECT_TRUE(cluster().wait_for_output("proc.out", "here"));
  const std::string steps = read_whole(step_file(job));
  const std::size_t at = steps.find("key ") + 4;
  const std::string key = steps.substr(at, steps.find('\n', at) - at);
  ASSERT_EQ(key.size(), 32u) << steps;
  std::string seen;
  for (const Kin& kin : family()) {
    seen += kin.command + '\n';
    const std::string environ = "/proc/" + std::to_string(kin.pid) + "/environ";
    const auto read_it = [&] { return open(environ.c_str(), O_RDONLY) >= 0 ? 1 : 0; };
    EXPECT_EQ(as_user(kBob, read_it), 0) << kin.name;
  }
  EXPECT_TRUE(contains(seen, "hyades-stepd")) << seen;
  EXPECT_FALSE(contains(seen, key)) << seen;
  EXPECT_FALSE(contains(seen, "secret-variable")) << seen;
  let_end(job, "proc");
}

// ---- S29: memory -------------------------------------------------------------------------------

TEST_F(Strangers, NobodyLooksIntoADaemonsMemoryAndNoneDumpsCore) {
  const JobId job = must_run_on_both("memory");
  int looked_at = 0;
  for (const Kin& kin : daemons()) {
    if (kin.name == "mpirun") continue;
    ++looked_at;
    const bool supervises = kin.name == "hyades";
    const std::string limits = read_proc(kin.pid, "limits");
    EXPECT_TRUE(supervises || contains(limits, "Max core file size        0 ")) << kin.name << '\n'
                                                                                << limits;
    const std::string memory = "/proc/" + std::to_string(kin.pid) + "/mem";
    const auto open_it = [&] { return open(memory.c_str(), O_RDONLY) >= 0 ? 1 : 0; };
    for (const uid_t uid : {kAda, kBob, kDaemon}) EXPECT_EQ(as_user(uid, open_it), 0) << kin.name;
  }
  EXPECT_GE(looked_at, 8);  // supervisor, master, and of each node worker, launcher, shepherd
  let_end(job, "memory");
}

// ---- S12: steps --------------------------------------------------------------------------------

TEST_F(Strangers, NobodyStartsAStepInAnothersJob) {
  const JobId job = must_run_on_both("step");
  const std::string file = step_file(job);
  std::string steps = read_whole(file);
  EXPECT_FALSE(steps.empty());
  const auto with = [&](const std::string& which) {
    return CommandOptions{.environment = {{"HYADES_STEP_FILE", which},
                                          {"HYADES_NODENAME", "vn1"},
                                          {"HYADES_NNODES", "2"},
                                          {"HYADES_JOB_ID", std::to_string(job)}}};
  };
  const CommandResult hers = as(kBob, {"hrun", "touch", "attached"}, with(file));
  EXPECT_TRUE(contains(hers.err, "Permission denied")) << hers.text();
  // Of one's own making, with another key: all the rest can be seen from outside.
  steps.replace(steps.find("key ") + 4, 32, std::string(32, '0'));
  const std::string forged = cluster().write_file("forged.steps", steps);
  const CommandResult own = as(kBob, {"hrun", "-w", "vn2", "touch", "attached"}, with(forged));
  EXPECT_NE(own.exit_code, 0);
  EXPECT_TRUE(contains(own.err, "vn2")) << own.text();
  const CommandResult remote = as(kBob, {"hrsh", "vn2", "touch", "attached"}, with(forged));
  EXPECT_NE(remote.exit_code, 0) << remote.text();
  EXPECT_EQ(access(cluster().path("attached").c_str(), F_OK), -1);
  let_end(job, "step");
}

// ---- S13, S14: doors that are none -------------------------------------------------------------

// The inodes of the sockets that a process has.
std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> inodes;
  std::error_code gone;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
    const std::string to = std::filesystem::read_symlink(entry.path(), gone);
    if (to.starts_with("socket:[")) inodes.insert(to.substr(8, to.size() - 9));
  }
  return inodes;
}

struct Place {
  int port = 0;      // TCP
  std::string name;  // Unix; "@..." in the abstract name space
};

// The lines of the kernel's tables of TCP sockets: [1] is the own address, [3] the state, [9] the
// inode.
std::vector<std::vector<std::string>> tcp_sockets(pid_t pid) {
  std::vector<std::vector<std::string>> all;
  for (const char* table : {"tcp", "tcp6"}) {
    std::istringstream lines(read_proc(pid, std::string("net/") + table));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      all.emplace_back(std::istream_iterator<std::string>(words),
                       std::istream_iterator<std::string>());
      if (all.back().size() < 10) all.pop_back();
    }
  }
  return all;
}

// What of a process anybody can connect or send to.
std::vector<Place> places_of(pid_t pid) {
  const std::set<std::string> inodes = sockets_of(pid);
  std::vector<Place> places;
  for (const std::vector<std::string>& word : tcp_sockets(pid)) {
    if (word[3] != "0A" || inodes.count(word[9]) == 0) continue;
    places.push_back({std::stoi(word[1].substr(word[1].rfind(':') + 1), nullptr, 16), ""});
  }
  std::istringstream lines(read_proc(pid, "net/unix"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> word((std::istream_iterator<std::string>(words)), {});
    if (word.size() == 8 && inodes.count(word[6]) != 0) places.push_back({0, word[7]});
  }
  return places;
}

// What somebody might try: noise, the frames of every protocol of Hyades, forged results.
std::vector<std::string> hostile_bytes() {
  std::vector<std::string> all{"GET / HTTP/1.0\r\n\r\n", std::string(65536, '\xff'),
                               std::string(1000, '\0'), "4.1.4", "forged=1"};
  for (const Message& message : samples::messages()) {
    all.push_back(encode(message));
    all.push_back(make_frame(FrameType::Request, encode(message)));
  }
  for (const pb::ClientRequest& request : samples::requests()) {
    for (const FrameType type :
         {FrameType::Reply, FrameType::Hello, FrameType::Credential, FrameType::Proceed}) {
      all.push_back(make_frame(type, request.SerializeAsString()));
    }
  }
  StartTasks start;
  start.arguments = {"/usr/bin/touch", "forged"};
  start.directory = "/tmp";
  start.tasks = 1;
  all.push_back(encode(StepMessage(start)));
  all.push_back(encode(StepMessage(StepResponse{std::string(32, 'c'), std::string(32, 'p')})) +
                encode(StepMessage(start)));
  return all;
}

constexpr int kNobodyAnswers = 7;

// Connects once for each, sends it, and goes away. On one host connections are there at once.
int offer_to_port(int port) {
  for (const std::string& bytes : hostile_bytes()) {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    pollfd connected{fd.get(), POLLOUT, 0};
    if (poll(&connected, 1, 50) == 0) return kNobodyAnswers;
    send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  return 0;
}

int offer_to_name(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  for (const std::string& bytes : hostile_bytes()) {
    sendto(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), length);
  }
  return 0;
}

int offer_to_front_door(const std::string& state_directory) {
  for (const std::string& bytes : hostile_bytes()) {
    const UniqueFd directory(open_run_directory(state_directory));
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = client_socket_address(directory.get());
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return 1;
    }
    send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd.get(), SHUT_WR);
    char answer[256];
    // It says what is wrong and hangs up.
    while (recv(fd.get(), answer, sizeof answer, 0) > 0) continue;
  }
  return 0;
}

TEST_F(Strangers, WhoKnocksAtEveryDoorChangesNothing) {
  const JobId job = must_run_on_both("knock");
  const Json before = cluster().status();
  int open_ports = 0, shut_ports = 0, bells = 0, reports = 0, doors = 0;
  for (const Kin& kin : family()) {
    for (const Place& place : places_of(kin.pid)) {
      const bool is_own = kin.name == "hyadesd" || kin.name == "hyades-launch" ||
                          kin.name == "hyades-shep" || kin.name == "hyades";
      // Nobody connects to workers, launchers, shepherds: they have nothing to connect to.
      EXPECT_FALSE(is_own && place.port != 0) << kin.name << " listens at port " << place.port;
      if (place.port != 0) {
        const int answer = as_user(kBob, [&] { return offer_to_port(place.port); });
        ++(answer == kNobodyAnswers ? shut_ports : open_ports);
        EXPECT_EQ(answer, kin.name == "mpirun" ? kNobodyAnswers : 0) << kin.name;
      } else if (place.name.starts_with('@')) {
        ++(kin.name == "hyades-shep" ? reports : bells);
        EXPECT_TRUE(kin.name == "hyadesd" || kin.name == "hyades-shep") << kin.name << place.name;
        as_user(kBob, [&] { return offer_to_name(place.name); });
      } else {
        ++doors;
        EXPECT_EQ(kin.pid, cluster().pid_of("master_pid")) << place.name;
        EXPECT_TRUE(place.name.ends_with("/hyades.sock")) << place.name;
      }
    }
  }
  EXPECT_EQ(as_user(kBob, [&] { return offer_to_front_door(cluster().directory()); }), 0);
  EXPECT_EQ(open_ports, 1);  // the step daemon's
  EXPECT_GE(shut_ports, 2);  // Open MPI's
  EXPECT_EQ(bells, 3);       // of the master and two workers
  EXPECT_EQ(reports, 2);     // of the shepherds, for their jobs alone
  EXPECT_EQ(doors, 1);
  EXPECT_EQ(access("/tmp/forged", F_OK), -1);
  EXPECT_EQ(cluster().status(), before) << cluster().log();
  EXPECT_EQ(cluster().state_of(job), "RUNNING");
  let_end(job, "knock");
  const Json after = cluster().job(job);
  EXPECT_EQ(after["attempts"], 1);
  EXPECT_FALSE(after["usage"].contains("reported")) << after["usage"];
}

// Whatever a new one does, think of who may ask for it.
TEST_F(Strangers, TheRequestsAreTheseAndNoneForwardsAnything) {
  std::set<std::string> names;
  const auto* const what = pb::ClientRequest::descriptor()->FindOneofByName("what");
  for (int i = 0; i < what->field_count(); ++i) names.insert(what->field(i)->name());
  EXPECT_EQ(names, (std::set<std::string>{
                       "submit",        "act_on_job",         "act_on_node",         "list_jobs",
                       "show_events",   "show_script",        "list_nodes",          "list_queues",
                       "show_status",   "show_config",        "wait_jobs",           "reload",
                       "shutdown",      "show_job_telemetry", "show_node_telemetry", "show_layers",
                       "show_features", "explain_jobs",       "show_decisions",      "show_models",
                       "act_on_model"}));
  pb::ClientRequest shutdown;
  shutdown.mutable_shutdown();
  pb::ClientReply reply;
  std::string error;
  ClientConnection connection({cluster().directory(), ""});
  ASSERT_EQ(connection.call(shutdown, reply, 30'000, error), CallResult::Ok) << error;
  EXPECT_EQ(reply.message(), "this master does not know that request");
}

// It tells as much about their work as their files do.
TEST_F(Strangers, AreNotToldWhatOthersJobsDo) {
  const JobId job = cluster().must_wrap("true", {"-o", "/dev/null"});
  cluster().must_wait(job);
  const auto ask = [&] {
    pb::ClientRequest request;
    request.mutable_show_job_telemetry()->add_ids(job);
    pb::ClientReply reply;
    std::string error;
    ClientConnection connection({cluster().directory(), ""});
    if (connection.call(request, reply, 30'000, error) != CallResult::Ok) return 2;
    return reply.error() == "denied" && reply.job_telemetry().empty() ? 1 : 0;
  };
  EXPECT_EQ(as_user(kBob, ask), 1);
  EXPECT_EQ(ask(), 0);
}

// Somebody who has a worker's whole environment still is not one.
TEST_F(Strangers, AFalseRankIsNotLetIn) {
  CommandOptions options;
  std::istringstream variables(read_proc(cluster().worker_pid("vn2"), "environ"));
  for (std::string line; std::getline(variables, line, '\0');) {
    options.environment[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  }
  const Json before = cluster().status();
  const auto rank = start_as(kBob,
                             {"hyadesd", "--dir", cluster().directory(), "--spool",
                              cluster().path("spool"), "--node-names", "vn[1-2]"},
                             options);
  // It knocks at mpirun's port, in vain.
  EXPECT_TRUE(wait_until([&] {
    const std::set<std::string> inodes = sockets_of(rank->pid());
    for (const std::vector<std::string>& socket : tcp_sockets(rank->pid())) {
      if (inodes.count(socket[9]) != 0 && socket[3] == "02") return true;  // SYN_SENT
    }
    return !rank->running();
  }));
  EXPECT_EQ(cluster().status(), before);
  EXPECT_EQ(output_of_job(kAda, "echo well"), "well\n");
}

}  // namespace
}  // namespace hyades::test
