#include "worker/job_child.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "worker/account.hpp"
#include "worker/cgroup_file.hpp"
#include "worker/job_directory.hpp"
#include "worker/pam_keeper.hpp"
#include "worker/private_tmp.hpp"
#include "worker/scheduling_slice.hpp"

namespace hyades {
namespace {

class Preparation {
 public:
  Preparation(const LaunchRecord& record, const std::string& group, Surroundings& surroundings,
              int channel, int pam_channel)
      : record_(record),
        group_(group),
        surroundings_(surroundings),
        channel_(channel),
        pam_channel_(pam_channel) {}

  [[noreturn]] void run(int shepherd_pid) {
    shepherd_is_root_ = geteuid() == 0;
    begin(Stage::Session);
    new_session();
    begin(Stage::Account);
    require_account();
    set_limits();
    if (!record_.pam_service.empty()) {
      begin(Stage::Pam);
      open_pam_session();
    }
    begin(Stage::Group);
    enter_group();
    begin(Stage::Binding);
    bind_to_cpus();
    begin(Stage::Files);
    if (!record_.companion) write_files();
    begin(Stage::Tmp);
    make_tmp();
    umask(record_.umask);
    begin(Stage::User);
    become(shepherd_pid);
    begin(Stage::WorkingDirectory);
    if (chdir(record_.companion ? "/" : record_.working_directory.c_str()) != 0) fail();
    if (record_.companion) {
      open_step_socket();
    } else {
      open_files();
    }
    let_events_be_opened();
    say({Stage::Ready, 0, step_port_});
    char go = 0;
    if (recv(channel_, &go, 1, 0) != 1) _exit(126);
    begin(Stage::Exec);
    execute();
  }

 private:
  void begin(Stage stage) {
    stage_ = stage;
    prctl(PR_SET_NAME, process_name(stage));
  }

  void say(const ChildWord& word) { send(channel_, &word, sizeof word, MSG_NOSIGNAL); }

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

  void enter_group() {
    if (!group_.empty() && !surroundings_.containment.enter(group_)) fail();
    // The launcher and the shepherds are the worst of victims for the kernel; a job is one like
    // any.
    if (surroundings_.usual_oom_score) {
      write_cgroup_file("/proc/self/oom_score_adj", *surroundings_.usual_oom_score);
    }
  }

  void bind_to_cpus() {
    // Its group does that, and may let it use others later; what it asks for itself would hold on.
    const bool by_group =
        !group_.empty() && record_.contain_cpus && surroundings_.containment.binds_cpus();
    if (record_.cpus.empty() || (record_.elastic > 0 && by_group)) return;
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
  void write_files() {
    umask(077);
    std::string trouble;  // looked for before; the shepherd has said it then
    directory_ = open_job_directory(surroundings_.spool_directory, trouble);
    if (!directory_) fail();
    const std::string script = to_string(record_.key);
    write_file(script, record_.script, 0700);
    if (!record_.step_file.empty()) write_file(step_file_path(script), record_.step_file, 0600);
    if (!record_.mpi_hostfile.empty()) {
      write_file(mpi_hostfile_path(script), record_.mpi_hostfile, 0600);
    }
    directory_.reset();
  }

  void write_file(const std::string& name, const std::string& text, mode_t mode) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    const int file = openat(directory_.get(), name.c_str(), flags, mode);
    if (file < 0) fail();
    const bool other_user = geteuid() == 0 && record_.uid != 0;
    if (other_user && fchown(file, record_.uid, record_.gid) != 0) fail();
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t written = write(file, text.data() + done, text.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      done += static_cast<std::size_t>(written);
    }
    if (close(file) != 0) fail();
  }

  // The reason goes where errno goes elsewhere.
  void require_account() {
    const AccountTrouble trouble = check_account(record_);
    if (trouble == AccountTrouble::None) return;
    errno = static_cast<int>(trouble);
    fail();
  }

  // Before the group is entered, because modules may move the process to another one; what they
  // start is not the job's. What they set for this process, the job inherits.
  void open_pam_session() {
    PamSession session;
    std::string trouble = session.open(record_.pam_service, record_.user);
    if (trouble.empty()) {
      pam_environment_ = pam_additions(session.environment(), record_.environment);
      trouble = leave_keeper(session, pam_channel_, channel_);
    }
    close_range(static_cast<unsigned>(channel_) + 1, ~0u, 0);  // with what modules have left open
    if (trouble.empty()) return;
    ChildWord word{stage_};
    trouble.copy(word.text.data(), word.text.size() - 1);
    say(word);
    _exit(127);
  }

  void make_tmp() {
    if (!record_.tmp_directory.empty() && !make_private_tmp(record_.tmp_directory, record_)) fail();
  }

  // Before the user is somebody who may no longer raise them, and before PAM, which knows better.
  static void set_limits() {
    rlimit core = {};
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
      core.rlim_cur = 0;  // who wants a dump can raise it again
      setrlimit(RLIMIT_CORE, &core);
    }
    // For networks that want memory to stay where it is. As far as we may.
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    if (geteuid() == 0) setrlimit(RLIMIT_MEMLOCK, &unlimited);
  }

  void become(int shepherd_pid) {
    if (!become_user(record_)) fail();
    // After that, because a change of user clears it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail();
    if (getppid() != shepherd_pid) _exit(126);
  }

  // By the shepherd, who is only root if jobs can be others'. To the user this process holds
  // nothing that the user does not know; the exec would make it as open anyway.
  void let_events_be_opened() {
    if (!record_.counters.counters.empty() && geteuid() != 0 && !shepherd_is_root_) {
      prctl(PR_SET_DUMPABLE, 1);
    }
  }

  // Listening before anybody is told of the port, so that no first connection comes too early.
  void open_step_socket() {
    begin(Stage::StepSocket);
    // The channel may be where the socket has to be.
    channel_ = fcntl(channel_, F_DUPFD_CLOEXEC, companion_socket_fd + 1);
    if (channel_ < 0) fail();
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, plain, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, plain, &size) != 0 || dup2(listener, companion_socket_fd) < 0) {
      fail();
    }
    close(listener);
    step_port_ = ntohs(address.sin_port);
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
    const std::string& program = record_.companion ? record_.step_program : record_.script_path;
    std::vector<char*> arguments = {as_argument(program)};
    if (!record_.companion) {  // they are the batch script's
      for (const std::string& text : record_.arguments) arguments.push_back(as_argument(text));
    }
    arguments.push_back(nullptr);
    const std::string key = "HYADES_STEP_KEY=" + record_.step_key;
    std::vector<char*> environment;
    const std::string tmp = "TMPDIR=" + record_.tmp_directory;
    const std::string report = "HYADES_REPORT=" + record_.report_socket;
    const bool own_tmp = !record_.tmp_directory.empty();
    const auto add = [&](const std::vector<std::string>& variables) {
      for (const std::string& text : variables) {
        // A job that was submitted from inside another one has that one's.
        const bool is_ours =
            text.starts_with("HYADES_REPORT=") || (own_tmp && text.starts_with("TMPDIR="));
        if (!is_ours) environment.push_back(as_argument(text));
      }
    };
    add(record_.environment);
    add(pam_environment_);
    if (own_tmp) environment.push_back(as_argument(tmp));
    if (!record_.report_socket.empty()) environment.push_back(as_argument(report));
    if (record_.companion) environment.push_back(as_argument(key));
    environment.push_back(nullptr);
    execve(program.c_str(), arguments.data(), environment.data());
    fail();
  }

  static char* as_argument(const std::string& text) { return const_cast<char*>(text.c_str()); }

  const LaunchRecord& record_;
  const std::string& group_;
  Surroundings& surroundings_;
  int channel_;
  int pam_channel_;
  std::vector<std::string> pam_environment_;
  UniqueFd directory_;  // while files are being written
  Stage stage_ = Stage::Session;
  int step_port_ = 0;
  bool shepherd_is_root_ = false;
};

}  // namespace

void run_job_child(const LaunchRecord& record, const std::string& group, Surroundings& surroundings,
                   int channel, int pam_channel, int shepherd_pid) {
  Preparation(record, group, surroundings, channel, pam_channel).run(shepherd_pid);
}

}  // namespace hyades
