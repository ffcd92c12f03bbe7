#include "worker/child_word.hpp"

#include <cerrno>
#include <cstring>

#include "worker/account.hpp"

namespace hyades {
namespace {

// Indexed by Stage.
constexpr const char* process_names[] = {
    "hyades:ready",   "hyades:session", "hyades:account", "hyades:pam",    "hyades:group",
    "hyades:binding", "hyades:files",   "hyades:tmp",     "hyades:user",   "hyades:chdir",
    "hyades:stdin",   "hyades:stdout",  "hyades:stderr",  "hyades:socket", "hyades:exec"};

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
  if (record.companion) {
    return "cannot run the step daemon " + record.step_program + ": " + std::strerror(error) +
           "; it must be there, and executable for everyone, on each node";
  }
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
    case Stage::Files:
      return "writing the script to the spool";
    case Stage::Account:
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
      return record.companion ? "loading " + quoted(record.step_program)
                              : "loading the script's interpreter";
    default:
      return "creating the job's process";
  }
}

}  // namespace

const char* process_name(Stage stage) { return process_names[static_cast<int>(stage)]; }

std::string describe_failure(const LaunchRecord& record, const ChildWord& word) {
  const std::string reason = std::strerror(word.error);
  switch (word.stage) {
    case Stage::Account:
      return describe(static_cast<AccountTrouble>(word.error), record);
    case Stage::Pam:
      return std::string(word.text.data(), strnlen(word.text.data(), word.text.size()));
    case Stage::Group:
      return "cannot put the job into its control group: " + reason;
    case Stage::Binding:
      return "cannot bind the job to its cores: " + reason;
    case Stage::Files:
      return "cannot write the script to " + record.script_path + ": " + reason;
    case Stage::Tmp:
      return "cannot make a temporary directory for the job in /tmp: " + reason;
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
    case Stage::StepSocket:
      return "cannot open a port for the job's steps: " + reason;
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
  // All that comes before the session belongs to the time that PAM gets.
  if (!record.pam_service.empty() && stage == Stage::Pam) {
    return "PAM service \"" + record.pam_service + "\" did not answer for user " +
           quoted(record.user) + " within " + std::to_string(record.hook_timeout_s) +
           " s; one of its modules hangs";
  }
  return describe_stage(record, stage) + " did not finish within " +
         std::to_string(record.preparation_limit_s) + " s; is a file system hanging?";
}

bool is_node_fault(const ChildWord& word) {
  const Stage stage = word.stage;
  if (stage == Stage::Account) return is_node_fault(static_cast<AccountTrouble>(word.error));
  return stage == Stage::Session || stage == Stage::Group || stage == Stage::Binding ||
         stage == Stage::Files || stage == Stage::Tmp || stage == Stage::StepSocket;
}

}  // namespace hyades
