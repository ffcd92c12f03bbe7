// hyades-advisor: answers what a scheduler asks about the global policy, one message a question on
// the socket that is its standard input. Started by hyadesd and hsim (master/advisor_process.hpp),
// which do without it when it fails. Its words are the model's file and what digest that must have.
// With `--check FILE` it says whether that is a model that it
// can answer with (master/model_check.hpp).
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

#include "policy/adviser_bytes.hpp"
#include "policy/learned/network_adviser.hpp"
#include "policy/learned/policy_file.hpp"
#include "policy/lookahead.hpp"
#include "version.hpp"

namespace hyades {
namespace {

constexpr rlim_t kDataMost = rlim_t{1} << 30;
constexpr const char* kTooBig = "the advisor needs more memory than the 1 GiB that it may have";

// The scheduler's host has other things to do. What Torch maps of its own files does not count.
void be_modest() {
  prctl(PR_SET_NAME, "hyades-advisor");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit bytes{kDataMost, kDataMost};
  setrlimit(RLIMIT_DATA, &bytes);
  (void)!nice(5);
}

bool is_socket(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

void say(const NumberedReply& reply) {
  const std::string bytes = to_bytes(reply);
  (void)!send(STDIN_FILENO, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// Looking ahead needs no model.
class Answerer {
 public:
  // `digest`: "": any.
  Answerer(std::string file, std::string digest)
      : file_(std::move(file)), digest_(std::move(digest)) {}

  AdviserReply answer(const GlobalQuestion& question) {
    if (question.look_ahead) return {look_ahead(question), ""};
    if (!model_) load();
    AdviserReply reply = learned::reply_of(model_->network.evaluate(question.state), model_->margin,
                                           model_->digest, question.scene);
    if (reply.advice) play_beside(question.scene, question.gate, *reply.advice);
    return reply;
  }

 private:
  void load() {
    learned::PolicyModel model = learned::load_policy(file_);
    if (!digest_.empty() && model.digest != digest_) {
      throw std::runtime_error(file_ + ": it was changed: give the model's file again");
    }
    model_.emplace(std::move(model));
  }

  std::string file_;
  std::string digest_;
  std::optional<learned::PolicyModel> model_;
};

int answer_questions(Answerer& answerer) {
  std::vector<char> buffer(adviser_message_most);
  while (true) {
    const ssize_t count = recv(STDIN_FILENO, buffer.data(), buffer.size(), 0);
    if (count <= 0) return 0;
    const auto asked = question_from({buffer.data(), static_cast<std::size_t>(count)});
    if (!asked) {
      say({0,
           {std::nullopt,
            "the advisor was asked what it cannot read: is it of the same version?"}});
      return 1;
    }
    say({asked->number, answerer.answer(asked->question)});
  }
}

// Whether the file can be used for answers: asked before a model is taken over.
int check(const std::string& path) {
  const learned::PolicyModel model = learned::load_policy(path);
  const AdviserReply reply =
      learned::reply_of(model.network.evaluate(GlobalState{}), model.margin, model.digest, {});
  if (reply.advice) return 0;
  std::cerr << path << ": " << reply.failure << "\n";
  return 1;
}

int check_or_complain(const std::string& path) {
  be_modest();
  try {
    return check(path);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  using namespace hyades;
  if (argc > 1 && std::string(argv[1]) == "--version") {
    std::cout << "hyades-advisor " << kVersion << "\n";
    return 0;
  }
  if (argc == 3 && std::string(argv[1]) == "--check") return check_or_complain(argv[2]);
  if (argc > 3 || !is_socket(STDIN_FILENO)) {
    std::cerr << "hyades-advisor is started by hyadesd and hsim; it is of no use by itself\n";
    return 2;
  }
  be_modest();
  try {
    Answerer answerer(argc > 1 ? argv[1] : learned::installed_policy_file(),
                      argc > 2 ? argv[2] : "");
    return answer_questions(answerer);
  } catch (const std::bad_alloc&) {
    say({0, {std::nullopt, kTooBig}});
  } catch (const std::exception& error) {
    say({0, {std::nullopt, error.what()}});
  }
  return 1;
}
