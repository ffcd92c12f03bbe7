// The adviser of the global policy in a program of its own: it may hang, fail or take too much
// memory, and the scheduler goes on without its answers. It is started with the first question, and
// again after each failure with the next one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/time.hpp"
#include "policy/adviser.hpp"
#include "wire/plain_child.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

// What an advisor answers from.
struct ModelFile {
  ModelFile(std::string file = "", std::string its = "")
      : path(std::move(file)), digest(std::move(its)) {}

  std::string path;    // "": the one that is installed
  std::string digest;  // what it must have; "": whatever it has

  friend bool operator==(const ModelFile&, const ModelFile&) = default;
};

class AdvisorProcess : public Adviser {
 public:
  struct Settings {
    std::string program = program_beside_us("hyades-advisor");
    std::function<ModelFile()> model = {};  // nobody to say: the one that is installed
    BootMs first_ms = 90'000;               // for the first answer: it loads its library
    BootMs next_ms = 5'000;                 // for each other one
    bool waits = false;                     // answer() waits for it: in a replay
    // Told why there is no answer.
    std::function<void(const std::string&)> complain = {};
  };

  explicit AdvisorProcess(Settings settings) : settings_(std::move(settings)) {}
  ~AdvisorProcess() override;
  AdvisorProcess(const AdvisorProcess&) = delete;
  AdvisorProcess& operator=(const AdvisorProcess&) = delete;

  void ask(const GlobalQuestion& question) override;
  bool idle() const override { return !asked_; }
  std::optional<AdviserReply> answer() override;
  void renew() override { outdated_ = true; }

  pid_t process() const { return process_; }  // 0: none runs

 private:
  bool run(const ModelFile& model);
  void end();
  AdviserReply failed(const std::string& why);
  std::optional<AdviserReply> read_reply();

  Settings settings_;
  pid_t process_ = 0;
  ModelFile model_;        // that it runs with
  bool outdated_ = false;  // that may be another one now
  UniqueFd socket_;
  bool answered_ = false;  // since it was started
  std::uint64_t number_ = 0;
  bool asked_ = false;
  BootMs deadline_ms_ = 0;
  std::string trouble_;  // it could not even be asked
};

}  // namespace hyades
