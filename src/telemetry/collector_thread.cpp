#include "telemetry/collector_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "telemetry/clocks.hpp"

namespace hyades {
namespace {

constexpr BootMs kOverdueMs = 1'000;
constexpr BootMs kAnswerMaxMs = 10'000;

std::string in_seconds(BootMs ms) { return std::to_string(ms / 1000) + " s"; }

// While this lives, threads are started deaf: signals are for those who wait for them.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

// Both sides touch it only under the mutex; `collector` belongs to the thread alone.
struct CollectorThread::Shared {
  explicit Shared(Make make_collector) : make(std::move(make_collector)) {}

  void run();
  bool look(std::unique_lock<std::mutex>& lock);

  std::mutex mutex;
  std::condition_variable changed;
  Make make;
  std::function<BootMs()> clock;
  std::unique_ptr<Collector> collector;
  std::vector<Metric> metrics;
  std::string trouble;
  std::vector<double> values;
  std::int64_t cpu_us = 0;
  BootMs asked_ms = 0;
  BootMs took_ms = 0;
  bool busy = true;       // with looking for the source, at first
  bool answered = false;  // and nobody took it yet
  bool stop = false;
};

// Makes the collector; false when there is none.
bool CollectorThread::Shared::look(std::unique_lock<std::mutex>& lock) {
  std::string wrong = "no such source";
  lock.unlock();
  try {
    collector = make();
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  lock.lock();
  if (collector) {
    metrics = collector->metrics();
    wrong = collector->trouble();
  }
  trouble = wrong;
  cpu_us = thread_cpu_us();
  busy = false;
  changed.notify_all();
  return collector != nullptr;
}

void CollectorThread::Shared::run() {
  std::unique_lock lock(mutex);
  if (!look(lock)) return;
  std::vector<double> readings;
  while (true) {
    changed.wait(lock, [&] { return stop || busy; });
    if (stop) return;
    lock.unlock();
    collector->sample(readings);
    const BootMs now_ms = clock();
    lock.lock();
    values = readings;
    trouble = collector->trouble();
    cpu_us = thread_cpu_us();
    took_ms = now_ms - asked_ms;
    answered = true;
    busy = false;
    changed.notify_all();
  }
}

CollectorThread::CollectorThread(std::string name, Make make, Options options)
    : name_(std::move(name)),
      options_(std::move(options)),
      shared_(std::make_shared<Shared>(std::move(make))) {
  if (!options_.clock) options_.clock = boot_clock_ms;
  shared_->clock = options_.clock;
  shared_->asked_ms = options_.clock();
  try {
    const NoSignals deaf;
    thread_ = std::thread([shared = shared_] { shared->run(); });
  } catch (const std::system_error& error) {
    shared_->busy = false;
    trouble_ = std::string("cannot start a thread: ") + error.what();
    return;
  }
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_for(lock, std::chrono::milliseconds(options_.start_patience_ms),
                            [&] { return !shared_->busy; });
  if (shared_->busy) {
    trouble_ =
        "no answer for " + in_seconds(options_.start_patience_ms) + " when it was looked for";
  } else {
    metrics_ = shared_->metrics;
    trouble_ = shared_->trouble;
  }
}

CollectorThread::~CollectorThread() {
  if (!thread_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->stop = true;
  shared_->changed.notify_all();
  const bool busy = shared_->busy;
  lock.unlock();
  if (busy) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void CollectorThread::report_silence(BootMs waited_ms) {
  trouble_ = waited_ms < kOverdueMs ? "no answer yet" : "no answer for " + in_seconds(waited_ms);
}

void CollectorThread::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  if (metrics_.empty()) return;
  const BootMs now_ms = options_.clock();
  std::unique_lock lock(shared_->mutex);
  Shared& shared = *shared_;
  // Kept in case the new question is not answered in time.
  const bool late = shared.answered && shared.took_ms <= kAnswerMaxMs;
  if (late) {
    values = shared.values;
    trouble_ = shared.trouble;
  }
  shared.answered = false;
  if (!shared.busy) {
    shared.busy = true;
    shared.asked_ms = now_ms;
    shared.changed.notify_all();
    shared.changed.wait_for(lock, std::chrono::milliseconds(options_.patience_ms),
                            [&] { return !shared.busy; });
  }
  if (shared.answered) {
    values = shared.values;
    trouble_ = shared.trouble;
    shared.answered = false;
  } else if (!late) {
    report_silence(now_ms - shared.asked_ms);
  }
  values.resize(metrics_.size(), kNoReading);
}

std::int64_t CollectorThread::cpu_elsewhere_us() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->cpu_us;
}

bool CollectorThread::is_hung() const {
  const BootMs now_ms = options_.clock();
  const std::lock_guard lock(shared_->mutex);
  return shared_->busy && now_ms - shared_->asked_ms > kOverdueMs;
}

std::unique_ptr<Collector> in_thread(std::unique_ptr<Collector> collector,
                                     CollectorThread::Options options) {
  std::string name(collector->name());
  // Functions are copied, collectors are not.
  auto held = std::make_shared<std::unique_ptr<Collector>>(std::move(collector));
  return std::make_unique<CollectorThread>(
      std::move(name), [held] { return std::move(*held); }, std::move(options));
}

}  // namespace hyades
