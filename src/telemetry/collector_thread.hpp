// A collector whose source may keep it waiting (a driver, a sensor behind a slow bus), in a thread
// of its own: whoever samples it waits a few milliseconds at most and goes on, and one hung device
// file takes no other reading along.
//
// A thread that hangs in the kernel cannot be ended. It is left behind, with all it uses, when the
// object goes: a process in which is_hung() was true must leave by _exit(), which does not wait for
// it, for exit() takes apart what the thread may go on using.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "core/time.hpp"
#include "telemetry/collector.hpp"

namespace hyades {

class CollectorThread final : public Collector {
 public:
  using Make = std::function<std::unique_ptr<Collector>()>;

  struct Options {
    int patience_ms = 5;           // sample() waits so long for an answer
    int start_patience_ms = 3000;  // and the constructor so long until the source was looked at
    // Of any thread; by default the machine's time since it was started.
    std::function<BootMs()> clock = {};
  };

  // `make` runs in the thread, too: looking for a source may hang like reading it. When it takes
  // longer than the patience or throws, there are no metrics, now or ever, and trouble() says why.
  CollectorThread(std::string name, Make make, Options options);
  ~CollectorThread() override;
  CollectorThread(const CollectorThread&) = delete;
  CollectorThread& operator=(const CollectorThread&) = delete;

  std::string_view name() const override { return name_; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  // What the source answers within the patience. Where it takes longer, the answer to the call
  // before, so a reading may be one period old. No readings as long as an answer is overdue;
  // trouble() then says for how long. An answer that took more than ten seconds is thrown away:
  // nobody knows when its parts were read.
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }
  std::int64_t cpu_elsewhere_us() const override;

  // Whether the source owes an answer since more than a second.
  bool is_hung() const;

 private:
  struct Shared;
  void report_silence(BootMs waited_ms);

  std::string name_;
  Options options_;
  std::vector<Metric> metrics_;
  std::string trouble_;
  std::shared_ptr<Shared> shared_;  // with the thread, which may live longer than this
  std::thread thread_;
};

// `collector`, which was made already, in a thread of its own from now on.
std::unique_ptr<Collector> in_thread(std::unique_ptr<Collector> collector,
                                     CollectorThread::Options options);

}  // namespace hyades
