#include "master/master.hpp"

#include <poll.h>
#include <pwd.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "core/driver.hpp"
#include "core/news.hpp"
#include "master/config_file.hpp"
#include "master/fence_command.hpp"
#include "master/front_door.hpp"
#include "master/metrics_page.hpp"
#include "master/metrics_server.hpp"
#include "master/model_keeper.hpp"
#include "master/recorded_advisor.hpp"
#include "master/run_files.hpp"
#include "master/shadow_adviser.hpp"
#include "master/sqlite_store.hpp"
#include "master/state_directory.hpp"
#include "master/telemetry_board.hpp"
#include "master/trainer_process.hpp"
#include "policy/backfill_policy.hpp"
#include "version.hpp"
#include "wire/client_server.hpp"
#include "wire/fd_waiter.hpp"
#include "wire/plain_child.hpp"
#include "wire/system_clock.hpp"

namespace hyades {

namespace {

// Timers of the controller are in hundreds of milliseconds, and doorbells may be lost.
constexpr int kTick_ms = 100;
constexpr BootMs kMetricsAgain_ms = 10'000;

// Raised while starting: the message says what is wrong and the way out.
class CannotStart : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::shared_ptr<const ClusterConfig> read_config(const MasterOptions& options,
                                                 std::string& errors) {
  const bool named = !options.config_path.empty();
  ConfigResult result =
      load_config(named ? options.config_path : options.state_directory + "/hyades.toml", named);
  if (result.config) {
    // Whoever could misuse that is root already: the master itself.
    if (geteuid() == 0) result.config->node_settings.allow_root_jobs = true;
    return std::make_shared<ClusterConfig>(std::move(*result.config));
  }
  for (const std::string& error : result.errors) errors += (errors.empty() ? "" : "\n") + error;
  return nullptr;
}

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What mpirun and our own start decide whatever the file says meanwhile: it was read for them when
// the cluster was started, and may have changed before this world was formed.
ClusterConfig started_with(const MasterOptions& options, const ClusterConfig& config) {
  ClusterConfig started = config;
  const std::string ranks = from_environment("OMPI_COMM_WORLD_SIZE");
  if (ranks != from_environment("OMPI_COMM_WORLD_LOCAL_SIZE")) {
    started.networks.clear();
    std::istringstream networks(from_environment("OMPI_MCA_btl_tcp_if_include"));
    for (std::string one; std::getline(networks, one, ',');) started.networks.push_back(one);
  }
  if (!options.all_users) return started;
  const passwd* const user = geteuid() == 0 ? nullptr : getpwuid(geteuid());
  started.daemon_user = user == nullptr ? "" : user->pw_name;
  return started;
}

ClientServer::Options server_options(const MasterOptions& options, const ClusterConfig& config) {
  ClientServer::Options server{.any_user = options.all_users};
  server.listen = config.listen;
  server.munge_may_come_later = options.again;
  server.cluster = config.name;
  server.munge = {.program = program_beside_us("hyades-munge"), .socket = config.munge_socket};
  server.audit = [](const std::string& line) { spdlog::info("client: {}", line); };
  return server;
}

// Everything that a master owns, in the order in which it is needed.
class Master {
 public:
  Master(const MasterOptions& options, MpiLink& link) : link_(link) {
    std::string error;
    directory_ = StateDirectory::open(
        options.state_directory,
        options.create ? StateDirectory::IfMissing::Create : StateDirectory::IfMissing::Refuse,
        error);
    require(directory_ != nullptr, error);
    const std::string queue = directory_->path() + "/queue.db";
    require(options.create || std::filesystem::exists(queue),
            directory_->path() +
                " holds no queue (is the right file system mounted?); to make a "
                "new, empty one, start with --init, or with `hyades up`");
    const std::shared_ptr<const ClusterConfig> read = read_config(options, error);
    require(read != nullptr, error);
    ClusterConfig config = *read;
    std::vector<LateSetting> late = keep_running_settings(started_with(options, *read), config);
    config_ = std::make_shared<ClusterConfig>(std::move(config));
    store_ = SqliteStore::open(*directory_, error);
    require(store_ != nullptr, error);
    if (!store_->warning().empty()) spdlog::warn("{}", store_->warning());
    const Epoch epoch = store_->begin_epoch();
    require(epoch != 0, store_->last_error());
    server_ = ClientServer::open(directory_->path(), server_options(options, *config_), error);
    require(server_ != nullptr, error);
    policy_ = std::make_unique<BackfillPolicy>(
        std::nullopt, &trainer_, [this] { return newest_outcomes(*store_); }, &adviser_);
    open_models();
    fence_ = std::make_unique<FenceCommand>([this]() -> const ClusterConfig& {
      return driver_ ? driver_->controller().config() : *config_;
    });
    door_ = std::make_unique<FrontDoor>(
        *server_, *store_, clock_,
        MasterFacts{directory_->path(), kVersion, clock_.now().wall_ms, std::move(late)},
        [options](std::string& errors) { return read_config(options, errors); });
    driver_ =
        std::make_unique<Driver>(config_, epoch, clock_, *store_, link_, *door_, *policy_, *fence_);
    require(driver_->fatal_reason().empty(), driver_->fatal_reason());
    door_->attach(*driver_);
    door_->attach(*policy_);
    door_->attach(LearnedParts{models_.get(), &adviser_});
    open_telemetry();
    waiter_.add(server_->fd());
    waiter_.add(link_.doorbell_fd());
    spdlog::info("epoch {}: {} jobs, {} nodes known; clients at {}", epoch,
                 driver_->controller().jobs().size(),
                 driver_->controller().cluster().nodes().size(), server_->socket_path());
    for (const std::string& place : config_->listen) spdlog::info("clients also at {}", place);
  }

  // Returns the exit code.
  int run(const std::atomic<bool>& stop) {
    while (!stop) {
      door_->count_turn();
      adviser_.look();
      keep_telemetry();
      switch (driver_->turn()) {
        case Driver::Turn::Worked:
          continue;  // there may be more
        case Driver::Turn::Idle:
          note_degraded();
          note_learned();
          note_malformed();
          note_unsent();
          note_heard();
          rest();
          continue;
        case Driver::Turn::Fatal:
          spdlog::critical("the queue's storage failed: {}; a new master replays it",
                           driver_->fatal_reason());
          return 1;
        case Driver::Turn::Deposed:
          spdlog::critical("a node has seen a newer master than this one; leaving");
          return 1;
      }
    }
    return 0;
  }

 private:
  static void require(bool condition, const std::string& error) {
    if (!condition) throw CannotStart(error);
  }

  // What was committed of the learned policy's models holds again.
  void open_models() {
    models_ = std::make_unique<ModelKeeper>(
        *store_,
        ModelKeeper::Surroundings{.state_directory = directory_->path(),
                                  .configured =
                                      [this] {
                                        return driver_ ? driver_->controller().config().policy_model
                                                       : config_->policy_model;
                                      },
                                  .changed = [this](ModelAct act) { take_model(act); }});
    require(models_->trouble().empty(), models_->trouble());
    set_shadow();
  }

  // What is done about a shadow is nothing to the model in use.
  void take_model(ModelAct act) {
    const bool is_another = act == ModelAct::Promoted || act == ModelAct::RolledBack;
    if (is_another && policy_->global() != nullptr) policy_->global()->take_another_model();
    set_shadow();
  }

  // The one that is the shadow already goes on.
  void set_shadow() {
    const ModelFile model{models_->shadow_file(), models_->registry().shadow()};
    if (model == shadow_) return;
    shadow_ = model;
    if (model.path.empty()) return adviser_.set_shadow(nullptr);
    adviser_.set_shadow(std::make_unique<RecordedAdvisor>(
        AdvisorProcess::Settings{.model = [model] { return model; },
                                 .complain = complains_of("the learned policy's shadow has")},
        [this](pb::PolicyDecision decision) {
          decision.set_shadow(true);
          keep(decision);
        }));
  }

  static std::function<void(const std::string&)> complains_of(const std::string& who) {
    return [who](const std::string& why) { spdlog::warn("{} no answer: {}", who, why); };
  }

  void keep(const pb::PolicyDecision& decision) {
    if (telemetry_) telemetry_->add_decision(decision);
  }

  // Nothing of it may keep the queue from being served.
  void open_telemetry() {
    std::string trouble;
    telemetry_store_ = TelemetryStore::open(directory_->path(), trouble);
    if (!trouble.empty()) spdlog::warn("what is measured: {}", trouble);
    telemetry_ = std::make_unique<TelemetryBoard>(telemetry_store_.get(), clock_);
    driver_->set_telemetry(telemetry_.get());
    door_->attach(*telemetry_);
    open_metrics();
  }

  // Somebody else may have the port for a while.
  void open_metrics() {
    const std::vector<std::string>& places = config_->metrics_listen;
    const BootMs now_ms = clock_.now().boot_ms;
    if (places.empty() || metrics_ || now_ms < metrics_again_ms_) return;
    metrics_again_ms_ = now_ms + kMetricsAgain_ms;
    std::string trouble;
    metrics_ = MetricsServer::open(places, trouble);
    std::string list;
    for (const std::string& place : places) list += (list.empty() ? "" : ", ") + place;
    door_->set_metrics(list, metrics_ ? "" : trouble);
    if (no_metrics_.is(metrics_ ? "" : trouble) && !metrics_) spdlog::error("{}", trouble);
  }

  void keep_telemetry() {
    open_metrics();
    if (metrics_ && metrics_->wants_page()) {
      const MetricsFacts facts = {.version = kVersion,
                                  .turns = door_->turns(),
                                  .commits = door_->commits(),
                                  .degraded = !driver_->degraded().empty(),
                                  .jobs = door_->job_counts(),
                                  .now_ms = clock_.now().wall_ms};
      metrics_->publish(metrics_page(driver_->controller(), *telemetry_, facts));
    }
    queue_meter_.turn(driver_->controller(), door_->job_counts(), clock_.now(), *telemetry_);
    const ClusterConfig& config = driver_->controller().config();
    telemetry_->turn({.minutes_days = config.keep_minutes_days, .jobs_days = config.keep_jobs_days},
                     driver_->controller().jobs());
    if (telemetry_store_ && unkept_.is(telemetry_store_->trouble())) {
      spdlog::warn("what is measured is not kept: {}", telemetry_store_->trouble());
    }
  }

  // Without space the driver leaves its inputs unread for a while, so their descriptors stay
  // readable and must not end the rest.
  void rest() {
    if (driver_->degraded().empty()) {
      waiter_.wait(std::min(kTick_ms, link_.sleep_ms_max()));
    } else {
      poll(nullptr, 0, kTick_ms);
    }
  }

  void note_degraded() {
    if (driver_->degraded() == degraded_) return;
    degraded_ = driver_->degraded();
    if (degraded_.empty()) {
      spdlog::info("the queue's storage has space again");
    } else {
      spdlog::error("submissions are refused: {}", degraded_);
    }
  }

  void note_learned() {
    const GlobalPolicy* const global = policy_->global();
    if (const bool off = global != nullptr && global->health().off; off != models_off_) {
      models_off_ = off;
      if (off) spdlog::error("the learned policy is off: {}", global->health().failure);
    }
    if (const bool off = global != nullptr && global->lookahead_health().off; off != ahead_off_) {
      ahead_off_ = off;
      if (off) spdlog::error("looking ahead is off: {}", global->lookahead_health().failure);
    }
  }

  // Otherwise a node whose messages are refused would just never join.
  void note_malformed() {
    if (!malformed_.is(link_.last_error())) return;
    spdlog::warn("refused a node's message: {} ({} refused so far)", link_.last_error(),
                 link_.counters().malformed);
  }

  // Otherwise a job whose script cannot be read would just stay LAUNCHING.
  void note_unsent() {
    if (!unsent_.is(driver_->trouble())) return;
    spdlog::error("a job's launch order could not be sent: {}", driver_->trouble());
  }

  // For the supervisor, which brings back who is not heard.
  void note_heard() {
    const BootMs now = clock_.now().boot_ms;
    if (now < heard_ms_ + kTick_ms) return;
    heard_ms_ = now;
    std::set<std::string> heard;
    for (const Node& node : driver_->controller().cluster().nodes()) {
      if (node.responding) heard.insert(node.name);
    }
    if (heard == heard_) return;
    heard_ = heard;
    try {
      RunFiles(directory_->path()).write_heard(heard);
    } catch (const std::exception& error) {
      spdlog::warn("{}", error.what());
    }
  }

  MpiLink& link_;
  SystemClock clock_;
  FdWaiter waiter_;
  std::unique_ptr<StateDirectory> directory_;
  std::shared_ptr<const ClusterConfig> config_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<ClientServer> server_;
  TrainerProcess trainer_{program_beside_us("hyades-trainer")};
  std::unique_ptr<ModelKeeper> models_;
  RecordedAdvisor advisor_{
      {.model =
           [this] {
             return ModelFile{models_->file_in_use(), models_->registry().in_use()};
           },
       .complain = complains_of("the advisor has")},
      [this](const pb::PolicyDecision& decision) { keep(decision); }};
  ShadowAdviser adviser_{advisor_, [this](const std::string& model, bool agreed) {
                           if (telemetry_) telemetry_->add_comparison(model, agreed);
                         }};
  std::unique_ptr<BackfillPolicy> policy_;
  std::unique_ptr<FenceCommand> fence_;
  std::unique_ptr<TelemetryStore> telemetry_store_;
  std::unique_ptr<TelemetryBoard> telemetry_;
  QueueMeter queue_meter_;
  std::unique_ptr<MetricsServer> metrics_;
  std::unique_ptr<FrontDoor> door_;
  std::unique_ptr<Driver> driver_;
  ModelFile shadow_;
  std::string degraded_;
  bool models_off_ = false;
  bool ahead_off_ = false;
  std::set<std::string> heard_;
  BootMs heard_ms_ = 0;
  News malformed_;
  News unsent_;
  News unkept_;
  News no_metrics_;
  BootMs metrics_again_ms_ = 0;
};

// Without its note the master serves all the same; `hyades status` does not see it then.
void leave_note(const RunFiles& files) {
  try {
    files.write_rank({0, "", own_identity()});
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
  }
}

void leave_reason(const MasterOptions& options, const std::string& reason) {
  spdlog::critical("cannot start: {}", reason);
  std::error_code error;
  if (!std::filesystem::is_directory(options.state_directory, error)) return;
  try {
    RunFiles(options.state_directory).write_failure_of("", reason);
  } catch (const std::exception&) {
    // The log has it.
  }
}

}  // namespace

int run_master(const MasterOptions& options, MpiLink& link, const std::atomic<bool>& stop) {
  try {
    Master master(options, link);
    const RunFiles files(options.state_directory);
    leave_note(files);
    files.write_failure("");
    return master.run(stop);
  } catch (const std::exception& error) {
    leave_reason(options, error.what());
    return kExitNeedsAdmin;
  }
}

}  // namespace hyades
