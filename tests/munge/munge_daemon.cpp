#include "munge_daemon.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "wait_until.hpp"
#include "wire/login_proof.hpp"

namespace hyades::test {

namespace {

std::string find_program(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    if (access((directory + name).c_str(), X_OK) == 0) return directory + name;
  }
  return "";
}

}  // namespace

bool is_installed(const std::string& program) { return !find_program(program).empty(); }

std::string some_key() { return random_bytes(128); }

MungeDaemon::MungeDaemon(const std::string& key, std::string clock_off)
    : clock_off_(std::move(clock_off)) {
  directory_ = "/tmp/hy-munge-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "mkdtemp " << directory_;
  chmod(directory_.c_str(), 0755);
  std::ofstream(directory_ + "/key", std::ios::binary) << key;
  chmod((directory_ + "/key").c_str(), 0600);
  must_start();
}

MungeDaemon::~MungeDaemon() {
  end();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

void MungeDaemon::must_start() {
  const auto in = [&](const char* name) { return directory_ + "/" + name; };
  std::vector<std::string> words;
  // The program itself, not `faketime`, so that the process is the daemon.
  words.insert(words.end(),
               {find_program("munged"), "--foreground", "--force", "--key-file=" + in("key"),
                "--socket=" + socket(), "--pid-file=" + in("pid"), "--log-file=" + in("log"),
                "--seed-file=" + in("seed")});
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!clock_off_.empty()) {
      setenv("LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", 1);
      setenv("FAKETIME", clock_off_.c_str(), 1);
    }
    const int log = open(in("stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  MungeVerdict verdict = MungeVerdict::Unavailable;
  const bool serves = wait_until([&] {
    std::string credential;
    std::string error;
    if (access(socket().c_str(), F_OK) != 0) return false;
    verdict = encode_credential("x", geteuid(), socket(), credential, error);
    return verdict == MungeVerdict::Good;
  });
  std::ostringstream said;
  said << std::ifstream(in("stderr")).rdbuf();
  ASSERT_TRUE(serves) << "munged does not start: " << said.str();
}

void MungeDaemon::end() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
  unlink(socket().c_str());
}

void MungeDaemon::freeze() { kill(pid_, SIGSTOP); }
void MungeDaemon::thaw() { kill(pid_, SIGCONT); }

std::string credential_of(uid_t uid, const std::string& payload, uid_t only_for,
                          const std::string& socket) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return "";
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    std::string error;
    // A test that acts as somebody else is root all the same.
    const bool may =
        uid == geteuid() || ((geteuid() == 0 || seteuid(0) == 0) && setresuid(uid, uid, uid) == 0);
    const bool good =
        may && encode_credential(payload, only_for, socket, text, error) == MungeVerdict::Good &&
        write(ends[1], text.data(), text.size()) > 0;
    _exit(good ? 0 : 1);
  }
  close(ends[1]);
  std::array<char, 4096> buffer;
  const ssize_t count = read(ends[0], buffer.data(), buffer.size());
  close(ends[0]);
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "no credential for uid " << uid;
  return count <= 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(count));
}

}  // namespace hyades::test
