// Runs a test program as an ordinary user: as_user PROGRAM [ARGUMENT...]. For root only; anybody
// else is an ordinary user already, and then it exits with 77, which ctest takes for "skipped".
//
// The programs that the test needs are used where they were built when the user can reach them;
// otherwise they are copied to where they can.
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr uid_t kUser = 65534;  // "nobody" everywhere
constexpr gid_t kGroup = 65534;
constexpr int kSkipped = 77;

// Asked of the kernel, as that user.
bool can_run(const std::string& program) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(kGroup) != 0 || setuid(kUser) != 0) _exit(1);
    _exit(access(program.c_str(), R_OK | X_OK) == 0 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string make_home() {
  std::string path = "/tmp/hy-user-XXXXXX";
  if (mkdtemp(path.data()) == nullptr || chown(path.c_str(), kUser, kGroup) != 0) {
    std::fprintf(stderr, "as_user: cannot make %s: %s\n", path.c_str(), std::strerror(errno));
    std::exit(1);
  }
  return path;
}

// Everything beside the test program; returns the directory of the copies.
std::string copy_programs(const fs::path& from, const std::string& home) {
  const fs::path to = home + "/bin";
  fs::create_directory(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.is_regular_file()) fs::copy_file(entry.path(), to / entry.path().filename());
  }
  fs::permissions(to, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  return to;
}

int run_as_user(const std::vector<std::string>& words, const std::string& home,
                const std::string& programs) {
  const pid_t child = fork();
  if (child == 0) {
    clearenv();
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    setenv("HOME", home.c_str(), 1);
    setenv("TMPDIR", home.c_str(), 1);
    setenv("HYADES_TEST_PROGRAMS", programs.c_str(), 1);
    std::vector<std::string> line{"setpriv",
                                  "--reuid=" + std::to_string(kUser),
                                  "--regid=" + std::to_string(kGroup),
                                  "--clear-groups",
                                  "--inh-caps=-all",
                                  "--bounding-set=-all"};
    line.insert(line.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (std::string& word : line) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (chdir(home.c_str()) == 0) execvp(argv[0], argv.data());
    std::fprintf(stderr, "as_user: cannot run %s: %s\n", argv[0], std::strerror(errno));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: as_user PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  if (geteuid() != 0) {
    std::printf("skipped: this is an ordinary user already\n");
    return kSkipped;
  }
  std::vector<std::string> words(argv + 1, argv + argc);
  const fs::path program = fs::absolute(words[0]);
  const std::string home = make_home();
  std::string programs = program.parent_path();
  if (!can_run(program)) {
    programs = copy_programs(programs, home);
    words[0] = programs + "/" + program.filename().string();
  }
  const int code = run_as_user(words, home, programs);
  std::error_code ignored;
  fs::remove_all(home, ignored);
  return code;
}
