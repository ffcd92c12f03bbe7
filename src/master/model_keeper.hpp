// The life of the learned policy's models: takes files over, checks them, and changes which model
// is in use and which is the shadow. Nothing changes before the new state is committed; what is
// refused changes nothing. Does not wait: a check takes a second in a process of its own. One
// thread.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hyades.pb.h"
#include "master/model_check.hpp"
#include "master/model_registry.hpp"
#include "master/sqlite_store.hpp"

namespace hyades {

class ModelKeeper {
 public:
  struct Surroundings {
    std::string state_directory;
    // `[policy] model` of the configuration in effect; "": the one that is installed.
    std::function<std::string()> configured;
    // Told after each change that is committed, what was done.
    std::function<void(ModelAct act)> changed;
    std::string advisor = program_beside_us("hyades-advisor");
  };
  // Reads what was committed before; see trouble(). `store` must outlive this.
  ModelKeeper(SqliteStore& store, Surroundings surroundings);

  // Why it could not be read; "" otherwise.
  const std::string& trouble() const { return trouble_; }

  struct Wish {
    RequestId id = 0;
    std::string by;  // whose, an admin's
    pb::ActOnModel what;
  };
  struct Answer {
    RequestId id = 0;
    ErrorCode error = ErrorCode::None;
    std::string message;
  };
  void take(Wish wish);
  // Those that are there by now; each wish gets one.
  std::vector<Answer> answers(WallMs now_ms);

  const ModelRegistry& registry() const { return registry_; }
  // What the advisor in use is to load: "" the one that is installed.
  std::string file_in_use() const;
  // "": there is no shadow.
  std::string shadow_file() const;

 private:
  // What a wish comes to, while it is checked and then committed.
  struct Plan {
    ModelChange change;
    std::string check;  // the file that must be good; "": none
    std::string name;   // of the model, for people
    bool upload = false;
    bool is_so = false;  // only the check is left
    std::string done;    // the message when it is so
  };

  // These give false when nothing is left to do: the answer says why.
  bool plan_wish(const Wish& wish, Plan& plan, Answer& answer);
  bool plan_change(const pb::ActOnModel& what, Plan& plan, Answer& answer);
  bool plan_rollback(Plan& plan, Answer& answer);
  bool plan_target(const pb::ActOnModel& what, Plan& plan, Answer& answer);
  bool plan_upload(const pb::ActOnModel& what, Plan& plan, Answer& answer);
  bool plan_kept(const std::string& digest, Plan& plan, Answer& answer);
  void plan_configured(Plan& plan);
  bool is_intact(const std::string& digest) const;
  std::string put_upload(const std::string& bytes);
  void finish(const std::string& problem, Answer& answer);
  bool commit(const Plan& plan, Answer& answer);
  std::string file_of(const std::string& digest) const;
  std::string directory() const { return around_.state_directory + "/models"; }
  std::string upload_file() const { return directory() + "/upload"; }

  SqliteStore& store_;
  Surroundings around_;
  ModelRegistry registry_;
  std::string trouble_;
  ModelCheck check_;
  std::deque<Wish> waiting_;
  std::optional<Plan> plan_;  // of the first of those that wait
};

}  // namespace hyades
