// cluster_node: a machine in a box, for tests/cluster. One program with three uses:
//
//   cluster_node hold BASE NAME ADDRESS   be the machine NAME: its own network, processes, host
//                                         name, mounts and boot id, and a remote shell at ADDRESS.
//                                         Says "ready PID" on standard output, PID being the
//                                         machine's first process as seen from outside. Before
//                                         that it says "cable" and waits for eth0 to be plugged in.
//   cluster_node enter PID COMMAND...     run a command inside the machine, as on its console
//   cluster_node shell HOST COMMAND...    what ssh is to a real cluster: over the network
//
// SIGKILL to the machine's first process is a power cut: the kernel ends everything in it.
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "remote_shell.hpp"

namespace {

using Words = std::vector<std::string>;

constexpr int kNamespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "cluster_node: %s: %s\n", what.c_str(), std::strerror(errno));
  _exit(255);
}

void must(bool good, const std::string& what) {
  if (!good) die(what);
}

[[noreturn]] void execute(const Words& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  std::fprintf(stderr, "cannot run %s: %s\n", argv[0], std::strerror(errno));
  _exit(127);
}

void must_run(const Words& words) {
  const pid_t pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) execute(words);
  int status = 0;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  if (status != 0) {
    errno = ECHILD;
    die("failed: " + words[0] + " " + words[1] + " " + words[2]);
  }
}

// Ends like the child, as far as an exit code can say it.
[[noreturn]] void follow(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 255);
}

// ---- hold -------------------------------------------------------------------------------------

void bind_over(const std::string& what, const std::string& where) {
  must(mount(what.c_str(), where.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0,
       "bind " + what + " on " + where);
}

void own_memory_disk(const char* where) {
  must(mount("tmpfs", where, "tmpfs", 0, "mode=1777") == 0, std::string("tmpfs on ") + where);
}

// The base directory stays at its path: it is the cluster's shared file system. All else below
// /tmp, /run, /dev/shm and the state directory is the machine's own; the head's state directory is
// the shared one, where the test can look into it.
void arrange_mounts(const std::string& base, const std::string& name) {
  must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
  must(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0, "proc");
  for (const char* list : {"hosts", "passwd", "group"}) {
    bind_over(base + "/" + list, std::string("/etc/") + list);
  }
  bind_over(base + "/boot/" + name, "/proc/sys/kernel/random/boot_id");
  own_memory_disk("/dev/shm");
  own_memory_disk("/run");
  if (name != "head") bind_over(base + "/disks/" + name, base + "/state");
  const std::string temporary = base + "/tmp/" + name;
  if (base.starts_with("/tmp/")) {
    const std::string again = temporary + base.substr(4);
    mkdir(again.c_str(), 0755);
    bind_over(base, again);
  }
  bind_over(temporary, "/tmp");
}

[[noreturn]] void be_machine(const std::string& base, const std::string& name,
                             const std::string& address) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  arrange_mounts(base, name);
  must(sethostname(name.c_str(), name.size()) == 0, "sethostname");
  must_run({"ip", "link", "set", "lo", "up"});
  must_run({"ip", "addr", "add", address + "/24", "dev", "eth0"});
  must_run({"ip", "link", "set", "eth0", "up"});
  must(chdir("/") == 0, "chdir");
  hyades::test::serve_shell(address);
}

[[noreturn]] void hold(const std::string& base, const std::string& name,
                       const std::string& address) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  must(unshare(kNamespaces) == 0, "unshare");
  std::puts("cable");
  std::fflush(stdout);
  while (if_nametoindex("eth0") == 0) poll(nullptr, 0, 2);
  const pid_t first = fork();
  must(first >= 0, "fork");
  if (first == 0) be_machine(base, name, address);
  std::printf("ready %d\n", static_cast<int>(first));
  std::fflush(stdout);
  follow(first);
}

// ---- enter ------------------------------------------------------------------------------------

[[noreturn]] void enter(const std::string& pid, const Words& command) {
  const std::string directory = std::filesystem::current_path();
  std::vector<int> spaces;
  for (const char* kind : {"uts", "ipc", "net", "pid", "mnt"}) {
    spaces.push_back(open(("/proc/" + pid + "/ns/" + kind).c_str(), O_RDONLY | O_CLOEXEC));
    must(spaces.back() >= 0, std::string("open the machine's ") + kind);
  }
  for (const int space : spaces) must(setns(space, 0) == 0, "setns");
  const pid_t child = fork();  // only children are in the machine's process namespace
  must(child >= 0, "fork");
  if (child > 0) follow(child);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  must(chdir(directory.c_str()) == 0, "chdir " + directory);
  execute(command);
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "hold") hold(words[1], words[2], words[3]);
  if (words.size() > 2 && words[0] == "enter") {
    enter(words[1], Words(words.begin() + 2, words.end()));
  }
  if (words.size() > 2 && words[0] == "shell") {
    std::string command = words[2];
    for (std::size_t i = 3; i < words.size(); ++i) command += " " + words[i];
    return hyades::test::call_shell(words[1], command);
  }
  std::fprintf(stderr, "cluster_node: part of the tests; see cluster_node.cpp\n");
  return 2;
}
