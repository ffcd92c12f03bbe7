#include "worker/job_child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "worker/scheduling_slice.hpp"

namespace hyades {
namespace {

// Indexed by Stage; at most 15 characters.
constexpr const char* process_names[] = {
    "hyades:ready", "hyades:session", "hyades:binding", "hyades:script", "hyades:user",
    "hyades:chdir", "hyades:stdin",   "hyades:stdout",  "hyades:stderr", "hyades:exec"};

class Preparation {
 public:
  Preparation(const LaunchRecord& record, int channel) : record_(record), channel_(channel) {}

  [[noreturn]] void run(int shepherd_pid) {
    begin(Stage::Session);
    new_session();
    begin(Stage::Binding);
    bind();
    begin(Stage::Script);
    write_script();
    begin(Stage::User);
    become_user(shepherd_pid);
    begin(Stage::WorkingDirectory);
    if (chdir(record_.working_directory.c_str()) != 0) fail();
    open_files();
    say({Stage::Ready, 0});
    char go = 0;
    if (recv(channel_, &go, 1, 0) != 1) _exit(126);
    begin(Stage::Exec);
    execute();
  }

 private:
  void begin(Stage stage) {
    stage_ = stage;
    prctl(PR_SET_NAME, process_names[static_cast<int>(stage)]);
  }

  void say(const ChildWord& word) { ::send(channel_, &word, sizeof word, MSG_NOSIGNAL); }

  [[noreturn]] void fail() {
    say({stage_, errno});
    _exit(127);
  }

  void new_session() {
    if (setsid() < 0) fail();
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, nullptr) != 0) fail();
  }

  void bind() {
    if (record_.cpus.empty()) return;
    const int highest = *std::max_element(record_.cpus.begin(), record_.cpus.end());
    const std::size_t size = CPU_ALLOC_SIZE(highest + 1);
    cpu_set_t* set = CPU_ALLOC(highest + 1);
    if (set == nullptr) fail();
    CPU_ZERO_S(size, set);
    for (int cpu : record_.cpus) CPU_SET_S(cpu, size, set);
    if (sched_setaffinity(0, size, set) != 0) fail();
    CPU_FREE(set);
  }

  // Into the spool, which belongs to Hyades and not to the user: so before becoming the user.
  void write_script() {
    umask(077);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int file = open(record_.script_path.c_str(), flags, 0700);
    if (file < 0) fail();
    const bool other_user = geteuid() == 0 && record_.uid != 0;
    if (other_user && fchown(file, record_.uid, record_.gid) != 0) fail();
    for (std::size_t done = 0; done < record_.script.size();) {
      const ssize_t written =
          write(file, record_.script.data() + done, record_.script.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      done += static_cast<std::size_t>(written);
    }
    if (close(file) != 0) fail();
    umask(record_.umask);
  }

  void become_user(int shepherd_pid) {
    if (record_.uid != geteuid()) {
      if (initgroups(record_.user.c_str(), record_.gid) != 0 ||
          setresgid(record_.gid, record_.gid, record_.gid) != 0 ||
          setresuid(record_.uid, record_.uid, record_.uid) != 0) {
        fail();
      }
      require_user();
    }
    // After that, because a change of user clears it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail();
    if (getppid() != shepherd_pid) _exit(126);
  }

  // Never go on as root because some call only seemed to succeed.
  void require_user() {
    uid_t real = 0, effective = 0, saved = 0;
    gid_t real_group = 0, effective_group = 0, saved_group = 0;
    getresuid(&real, &effective, &saved);
    getresgid(&real_group, &effective_group, &saved_group);
    const bool good = real == record_.uid && effective == record_.uid && saved == record_.uid &&
                      real_group == record_.gid && effective_group == record_.gid &&
                      saved_group == record_.gid && setuid(0) != 0;
    if (good) return;
    errno = EPERM;
    fail();
  }

  void open_files() {
    begin(Stage::Stdin);
    // Standard input is /dev/null already.
    if (!record_.stdin_path.empty()) place(open_plain(record_.stdin_path, O_RDONLY), STDIN_FILENO);
    begin(Stage::Stdout);
    const int mode = O_WRONLY | O_CREAT | O_APPEND | (record_.append_output ? 0 : O_TRUNC);
    place(open_plain(record_.stdout_path, mode), STDOUT_FILENO);
    begin(Stage::Stderr);
    const bool same = record_.stderr_path.empty() || record_.stderr_path == record_.stdout_path;
    if (same && dup2(STDOUT_FILENO, STDERR_FILENO) < 0) fail();
    if (!same) place(open_plain(record_.stderr_path, mode), STDERR_FILENO);
  }

  // O_NONBLOCK while opening: a FIFO without a reader is an error then rather than a hang.
  int open_plain(const std::string& path, int mode) {
    const int file = open(path.c_str(), mode | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
    if (file < 0) fail();
    struct stat info = {};
    if (fstat(file, &info) != 0) fail();
    if (S_ISDIR(info.st_mode)) {
      errno = EISDIR;
      fail();
    }
    if (fcntl(file, F_SETFL, mode & O_APPEND) != 0) fail();
    return file;
  }

  void place(int file, int number) {
    if (dup2(file, number) < 0) fail();
    close(file);
  }

  [[noreturn]] void execute() {
    ask_for_usual_slices();
    std::vector<char*> arguments = {const_cast<char*>(record_.script_path.c_str())};
    for (const std::string& text : record_.arguments) {
      arguments.push_back(const_cast<char*>(text.c_str()));
    }
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (const std::string& text : record_.environment) {
      environment.push_back(const_cast<char*>(text.c_str()));
    }
    environment.push_back(nullptr);
    execve(record_.script_path.c_str(), arguments.data(), environment.data());
    fail();
  }

  const LaunchRecord& record_;
  int channel_;
  Stage stage_ = Stage::Session;
};

// Cut, between characters, to what leaves room for the reason beside it.
std::string quoted(const std::string& text) {
  constexpr std::size_t most = 256;
  if (text.size() <= most) return '"' + text + '"';
  std::size_t end = most;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return '"' + text.substr(0, end) + "...\"";
}

// "/bin/bash" of "#!/bin/bash -e\n"; "" when there is no such line.
std::string interpreter(const std::string& script) {
  if (script.compare(0, 2, "#!") != 0) return "";
  const std::string line = script.substr(2, script.find('\n') - 2);
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == line.npos) return "";
  return line.substr(begin, line.find_first_of(" \t", begin) - begin);
}

std::string describe_exec(const LaunchRecord& record, int error) {
  const std::string program = interpreter(record.script);
  if (program.empty() || error == ENOEXEC) {
    return "the script does not begin with a line like #!/bin/bash";
  }
  if (error == ENOENT && program.back() == '\r') {
    return "the script has DOS line ends (CR LF); convert it, for example with dos2unix";
  }
  if (error == ENOENT) return "the script's interpreter " + quoted(program) + " does not exist";
  if (error == E2BIG) return "the script's arguments and environment are too large for the kernel";
  std::string text = "cannot run the script with " + quoted(program) + ": " + std::strerror(error);
  if (error == EACCES) {
    text += "; is the interpreter executable, can user " + quoted(record.user) + " reach " +
            record.script_path + ", and is that file system mounted without noexec?";
  }
  return text;
}

std::string describe_open(const std::string& path, const char* what, int error) {
  std::string text = "cannot open " + quoted(path) + " for the job's standard " + what + ": ";
  if (error == ENXIO) return text + "it is a FIFO that nobody reads";
  if (error == EISDIR) return text + "it is a directory";
  if (error == ENOENT && path.rfind('/') != path.npos && path.rfind('/') != 0) {
    return text + quoted(path.substr(0, path.rfind('/'))) + " or the file does not exist";
  }
  return text + std::strerror(error);
}

// What the stage was about, for "... did not finish in time".
std::string describe_stage(const LaunchRecord& record, Stage stage) {
  switch (stage) {
    case Stage::Script:
      return "writing the script to the spool";
    case Stage::User:
      return "looking up the groups of user " + quoted(record.user);
    case Stage::WorkingDirectory:
      return "entering the working directory " + quoted(record.working_directory);
    case Stage::Stdin:
      return "opening " + quoted(record.stdin_path) + " for the job's standard input";
    case Stage::Stdout:
      return "opening " + quoted(record.stdout_path) + " for the job's standard output";
    case Stage::Stderr:
      return "opening " + quoted(record.stderr_path) + " for the job's standard error";
    case Stage::Exec:
      return "loading the script's interpreter";
    default:
      return "creating the job's process";
  }
}

}  // namespace

void run_job_child(const LaunchRecord& record, int channel, int shepherd_pid) {
  Preparation(record, channel).run(shepherd_pid);
}

std::string describe_failure(const LaunchRecord& record, const ChildWord& word) {
  const std::string reason = std::strerror(word.error);
  switch (word.stage) {
    case Stage::Binding:
      return "cannot bind the job to its cores: " + reason;
    case Stage::Script:
      return "cannot write the script to " + record.script_path + ": " + reason;
    case Stage::User:
      return "cannot become user " + quoted(record.user) + " (uid " + std::to_string(record.uid) +
             "): " + reason;
    case Stage::WorkingDirectory:
      return "cannot enter the working directory " + quoted(record.working_directory) + ": " +
             reason;
    case Stage::Stdin:
      return describe_open(record.stdin_path, "input", word.error);
    case Stage::Stdout:
      return describe_open(record.stdout_path, "output", word.error);
    case Stage::Stderr:
      return describe_open(record.stderr_path, "error", word.error);
    case Stage::Exec:
      return describe_exec(record, word.error);
    default:
      return "cannot create the job's process: " + reason;
  }
}

std::string describe_hang(const LaunchRecord& record, const std::string& process_name) {
  Stage stage = Stage::Session;
  for (int i = 0; i <= static_cast<int>(Stage::Exec); ++i) {
    if (process_name == process_names[i]) stage = static_cast<Stage>(i);
  }
  return describe_stage(record, stage) + " did not finish within " +
         std::to_string(record.preparation_limit_s) + " s; is a file system hanging?";
}

bool is_node_fault(Stage stage) {
  return stage == Stage::Session || stage == Stage::Binding || stage == Stage::Script;
}

}  // namespace hyades
