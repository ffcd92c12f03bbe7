// Models of run times, made by a program of its own: it may be slow, fail or take too much memory
// without anybody noticing but the log.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/time.hpp"
#include "policy/run_model.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class TrainerProcess : public RunModelTrainer {
 public:
  // `program`: hyades-trainer. It is killed when it takes longer than `most_ms`.
  explicit TrainerProcess(std::string program, BootMs most_ms = 300'000)
      : program_(std::move(program)), most_ms_(most_ms) {}
  // One that still runs is killed.
  ~TrainerProcess() override;
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  void begin(std::vector<RunExample> examples) override;
  bool idle() const override { return !running_; }
  std::shared_ptr<const RunModel> finished() override;

  // Why the last one came to nothing, for people; "": it did not.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Running {
    pid_t process = 0;
    UniqueFd output;
    BootMs deadline_ms = 0;
  };

  void fail(const std::string& why);

  std::string program_;
  BootMs most_ms_;
  std::optional<Running> running_;
  std::string trouble_;
};

}  // namespace hyades
