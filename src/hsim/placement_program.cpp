#include "hsim/placement_program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/failure.hpp"

namespace hyades {
namespace {

constexpr int kReadingMost_s = 60;  // glpsol does not count the time that it takes to read

std::string term(double factor, std::size_t place) {
  char text[64];
  std::snprintf(text, sizeof text, " + %.12g x%zu\n", factor, place);
  return text;
}

// The exit code; -1: it could not be started, or a signal ended it.
int run_quietly(const std::vector<std::string>& words) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&files, file, "/dev/null", O_RDWR, 0);
  }
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return -1;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "hsim-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw Failure("no temporary folder can be made: " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// The one place of each job whose x is 1; empty: some job has none.
LocalChoice choice_of(const LocalProblem& problem, const std::vector<double>& x) {
  LocalChoice choice;
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    for (std::size_t i = 0; i < problem.places(job) && choice.size() == job; ++i) {
      if (x[problem.first_place(job) + i] > 0.5) choice.push_back(static_cast<std::uint32_t>(i));
    }
    if (choice.size() == job) return {};
  }
  return choice;
}

}  // namespace

std::string program_text(const LocalProblem& problem) {
  std::string text = "Minimize\n cost:\n";
  std::vector<std::string> rows(problem.rows().size());
  for (std::size_t i = 0; i < problem.all_places(); ++i) {
    const LocalPlace place = problem.place(i);
    text += term(place.cost, i);  // all of them, in order: so glpsol numbers them likewise
    for (const LocalUse& use : place.uses) {
      if (std::isfinite(problem.rows()[use.row].capacity)) rows[use.row] += term(use.amount, i);
    }
  }
  text += "Subject To\n";
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    text += " j" + std::to_string(job) + ":\n";
    for (std::size_t i = 0; i < problem.places(job); ++i) {
      text += term(1, problem.first_place(job) + i);
    }
    text += " = 1\n";
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows[row].empty()) continue;
    char bound[64];
    std::snprintf(bound, sizeof bound, " <= %.12g\n",
                  problem.rows()[row].capacity - problem.rows()[row].load);
    text += " r" + std::to_string(row) + ":\n" + rows[row] + bound;
  }
  text += "Binary\n";
  for (std::size_t i = 0; i < problem.all_places(); ++i) text += " x" + std::to_string(i) + "\n";
  return text + "End\n";
}

ProgramAnswer read_answer(const LocalProblem& problem, const std::string& text) {
  ProgramAnswer answer;
  std::vector<double> x(problem.all_places());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string what, kind, status;
    words >> what;
    if (what == "s") {
      std::size_t rows = 0, columns = 0;
      if (!(words >> kind >> rows >> columns >> status) || columns != x.size()) return {};
      answer.status = status == "o"   ? ProgramAnswer::Status::Optimal
                      : status == "f" ? ProgramAnswer::Status::Limit
                                      : ProgramAnswer::Status::None;
    } else if (what == "j") {
      std::size_t column = 0;
      double value = 0;
      if (!(words >> column >> value) || column == 0 || column > x.size()) return {};
      x[column - 1] = value;
    }
  }
  using Status = ProgramAnswer::Status;
  if (answer.status == Status::Optimal || answer.status == Status::Limit) {
    answer.choice = choice_of(problem, x);
    if (answer.choice.empty()) answer.status = Status::Unreadable;
  }
  return answer;
}

bool has_solver() { return run_quietly({"glpsol", "--version"}) == 0; }

ProgramAnswer solve_program(const LocalProblem& problem, int limit_s) {
  ProgramAnswer answer;
  if (!has_solver()) {
    answer.status = ProgramAnswer::Status::NoSolver;
    return answer;
  }
  const auto begun = std::chrono::steady_clock::now();
  const TemporaryFolder folder;
  const std::string program = folder.file("program.lp"), solution = folder.file("solution");
  if (!(std::ofstream(program) << program_text(problem) << std::flush)) {
    throw Failure(program + " cannot be written");
  }
  const int exit_code =
      run_quietly({"timeout", std::to_string(limit_s + kReadingMost_s), "glpsol", "--lp", program,
                   "--tmlim", std::to_string(limit_s), "-w", solution});
  std::ostringstream text;
  if (std::ifstream file(solution); file) text << file.rdbuf();
  constexpr int timed_out = 124;
  if (exit_code == timed_out) {
    answer.status = ProgramAnswer::Status::None;
  } else if (exit_code == 0) {
    answer = read_answer(problem, text.str());
  }
  answer.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return answer;
}

}  // namespace hyades
