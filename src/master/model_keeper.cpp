#include "master/model_keeper.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "file_io.hpp"
#include "master/file_checks.hpp"
#include "master/kept_model.hpp"
#include "policy/learned/policy_header.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWishesMost = 8;  // each may hold a file

std::string name_of(const std::string& digest) { return "model " + digest.substr(0, 12); }

template <typename Answer>
bool refuse(Answer& answer, ErrorCode error, const std::string& message) {
  answer.error = error;
  answer.message = message;
  return false;
}

// What an earlier master was taking over when it died.
void remove_uploads(const std::string& directory) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().filename().string().starts_with("upload")) fs::remove(entry.path(), error);
  }
}

}  // namespace

ModelKeeper::ModelKeeper(SqliteStore& store, Surroundings surroundings)
    : store_(store), around_(std::move(surroundings)), check_(around_.advisor) {
  registry_ = store_.load_models();
  trouble_ = store_.last_error();
  remove_uploads(directory());
}

std::string ModelKeeper::file_of(const std::string& digest) const {
  return digest.empty() ? around_.configured() : kept_model_file(around_.state_directory, digest);
}

std::string ModelKeeper::file_in_use() const { return file_of(registry_.in_use()); }

std::string ModelKeeper::shadow_file() const {
  return registry_.shadow().empty() ? "" : file_of(registry_.shadow());
}

// ---- wishes -----------------------------------------------------------------------------------

void ModelKeeper::take(Wish wish) { waiting_.push_back(std::move(wish)); }

std::vector<ModelKeeper::Answer> ModelKeeper::answers(WallMs now_ms) {
  std::vector<Answer> answers;
  while (waiting_.size() > kWishesMost) {
    answers.push_back({waiting_.back().id, ErrorCode::Unavailable,
                       "other models are being checked: try again in a moment"});
    waiting_.pop_back();
  }
  while (!waiting_.empty()) {
    Answer answer{waiting_.front().id, ErrorCode::None, ""};
    if (!plan_) {
      Plan plan;
      plan.change.event.at_ms = now_ms;
      plan.change.event.by = waiting_.front().by;
      if (plan_wish(waiting_.front(), plan, answer)) {
        if (!plan.check.empty()) check_.begin(plan.check);
        plan_ = std::move(plan);
      }
    }
    if (plan_) {
      std::optional<std::string> problem = "";
      if (!plan_->check.empty()) problem = check_.finished();
      if (!problem) return answers;
      finish(*problem, answer);
    }
    answers.push_back(std::move(answer));
    waiting_.pop_front();
  }
  return answers;
}

// What was checked becomes so, or nothing does.
void ModelKeeper::finish(const std::string& problem, Answer& answer) {
  const Plan plan = std::move(*plan_);
  plan_.reset();
  if (!problem.empty()) {
    // The file as the caller knows it.
    const bool named = problem.starts_with(plan.check);
    refuse(answer, ErrorCode::Invalid,
           named ? plan.name + problem.substr(plan.check.size()) : problem);
  } else if (plan.is_so) {
    answer.message = plan.done;
  } else if (commit(plan, answer)) {
    answer.message = plan.done;
    spdlog::info("the learned policy: {} ({})", plan.done, plan.change.event.by);
    if (around_.changed) around_.changed(plan.change.event.act);
  }
  if (plan.upload) unlink(upload_file().c_str());
}

// A file without its row is one that nobody asks for; a row without its file would be a promise
// that cannot be kept.
bool ModelKeeper::commit(const Plan& plan, Answer& answer) {
  if (plan.upload) {
    const std::string kept = file_of(plan.change.event.digest);
    if (rename(upload_file().c_str(), kept.c_str()) != 0 || !sync_directory(directory())) {
      return refuse(answer, ErrorCode::StorageFull, system_error("cannot keep " + kept, errno));
    }
  }
  const CommitResult result = store_.commit(plan.change);
  if (result == CommitResult::Committed) {
    registry_.apply(plan.change);
    return true;
  }
  return refuse(answer,
                result == CommitResult::Full ? ErrorCode::StorageFull : ErrorCode::Unavailable,
                store_.last_error());
}

// ---- plans ------------------------------------------------------------------------------------

bool ModelKeeper::plan_wish(const Wish& wish, Plan& plan, Answer& answer) {
  const pb::ActOnModel& what = wish.what;
  if (what.action() == pb::MODEL_ROLLBACK) return plan_rollback(plan, answer);
  if (what.action() != pb::MODEL_SHADOW_OFF) return plan_change(what, plan, answer);
  plan.change.event.act = ModelAct::ShadowOff;
  plan.change.event.digest = registry_.shadow();
  plan.done = name_of(registry_.shadow()) + " is not asked any more";
  if (!registry_.shadow().empty()) return true;
  answer.message = "no model was asked beside the one in use";
  return false;
}

bool ModelKeeper::plan_change(const pb::ActOnModel& what, Plan& plan, Answer& answer) {
  const bool shadow = what.action() == pb::MODEL_SHADOW;
  if (!shadow && what.action() != pb::MODEL_PROMOTE &&
      what.action() != pb::MODEL_PROMOTE_CONFIGURED) {
    return refuse(answer, ErrorCode::Invalid, "unknown action on a model");
  }
  ModelEvent& event = plan.change.event;
  event.act = shadow ? ModelAct::Shadow : ModelAct::Promoted;
  if (what.action() == pb::MODEL_PROMOTE_CONFIGURED) {
    plan_configured(plan);
  } else if (!plan_target(what, plan, answer)) {
    return false;
  }
  const bool in_use = event.digest == registry_.in_use();
  const std::string model = event.digest.empty() ? plan.name : name_of(event.digest);
  if (shadow && in_use) {
    return refuse(answer, ErrorCode::Conflict, model + " is the one in use");
  }
  plan.done =
      model + (shadow ? " is asked beside the one in use, and decides nothing" : " is in use");
  const bool is_so = shadow ? event.digest == registry_.shadow() : in_use;
  if (is_so && (event.digest.empty() || is_intact(event.digest))) {
    plan.done = model + (shadow ? " is the shadow already" : " is in use already");
    plan.is_so = true;
    plan.upload = false;
    if (!event.digest.empty()) plan.check.clear();  // it was good before, and is the same
    return true;
  }
  if (!plan.upload) return true;
  const std::string trouble = put_upload(what.file());
  return trouble.empty() || refuse(answer, ErrorCode::StorageFull, trouble);
}

bool ModelKeeper::plan_rollback(Plan& plan, Answer& answer) {
  const std::optional<std::string> before = registry_.before();
  if (!before) {
    return refuse(answer, ErrorCode::Conflict,
                  "no model was promoted: there is none to go back to");
  }
  if (before->empty()) {
    plan_configured(plan);
  } else if (!plan_kept(*before, plan, answer)) {
    return false;
  }
  plan.change.event.act = ModelAct::RolledBack;
  plan.change.event.digest = *before;
  plan.done = plan.name + " is in use again";
  return true;
}

void ModelKeeper::plan_configured(Plan& plan) {
  const std::string file = around_.configured();
  plan.check = file.empty() ? learned::installed_policy_file() : file;
  plan.name = file.empty() ? "the installed model" : "the configured model " + file;
  plan.change.event.digest.clear();
}

bool ModelKeeper::plan_target(const pb::ActOnModel& what, Plan& plan, Answer& answer) {
  if (!what.file().empty() || !what.name().empty()) return plan_upload(what, plan, answer);
  if (!what.digest().empty()) {
    std::string problem;
    const RegisteredModel* const model = registry_.find(what.digest(), problem);
    if (model == nullptr) {
      return refuse(answer, ErrorCode::NotFound,
                    problem +
                        "; to the one of [policy], or the installed one, goes: "
                        "hctl model promote --configured");
    }
    return plan_kept(model->digest, plan, answer);
  }
  if (registry_.shadow().empty()) {
    return refuse(answer, ErrorCode::Conflict,
                  "there is no shadow to promote: name a digest or a file");
  }
  return plan_kept(registry_.shadow(), plan, answer);
}

bool ModelKeeper::plan_upload(const pb::ActOnModel& what, Plan& plan, Answer& answer) {
  plan.name = what.name();
  if (what.file().size() > learned::policy_file_most) {
    return refuse(answer, ErrorCode::Invalid, plan.name + ": larger than any model");
  }
  try {
    std::vector<jobscripts::NamedTensor> weights;
    const learned::PolicyHeader header = learned::parse_policy(what.file(), plan.name, weights);
    const ModelEvent& event = plan.change.event;
    plan.change.added = RegisteredModel{header.digest, fs::path(plan.name).filename(), header.facts,
                                        event.at_ms, event.by};
    plan.change.event.digest = header.digest;
  } catch (const std::exception& error) {
    return refuse(answer, ErrorCode::Invalid, error.what());
  }
  plan.check = upload_file();
  plan.upload = true;
  return true;
}

bool ModelKeeper::plan_kept(const std::string& digest, Plan& plan, Answer& answer) {
  plan.change.event.digest = digest;
  plan.name = name_of(digest);
  plan.check = file_of(digest);
  if (is_intact(digest)) return true;
  return refuse(answer, ErrorCode::Invalid,
                plan.check + " is missing or was changed: give the model's file again");
}

bool ModelKeeper::is_intact(const std::string& digest) const {
  try {
    return learned::sha256(learned::read_policy_file(file_of(digest))) == digest;
  } catch (const std::exception&) {
    return false;
  }
}

// "" or why it could not be written.
std::string ModelKeeper::put_upload(const std::string& bytes) {
  if (mkdir(directory().c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error("cannot create " + directory(), errno);
  }
  try {
    jobscripts::write_file_atomically(upload_file(), bytes);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace hyades
