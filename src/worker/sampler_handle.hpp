// The worker's end of its sampler (sampler.hpp). A sampler that ends is started again; the worker
// never waits for it. For one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/telemetry_report.hpp"
#include "core/telemetry_settings.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class SamplerHandle {
 public:
  struct Options {
    std::string program;  // hyades-sampler
    std::string spool_directory;
    // As whom it shall go on once it has opened its sources; 0: as this process.
    uid_t uid = 0;
    gid_t gid = 0;
  };

  // Starts it. Call it before MPI_Init, so that nothing of MPI gets into it, and as root where
  // there is root. What fails is told by trouble().
  explicit SamplerHandle(Options options);
  SamplerHandle(SamplerHandle&& other) noexcept;
  SamplerHandle& operator=(SamplerHandle&&) = delete;
  ~SamplerHandle();  // ends it

  // Tells it how to measure a node of so many cores, and starts it again if it has ended a while
  // ago. Call it often.
  void turn(const TelemetrySettings& settings, int cores, BootMs now_ms);
  // Appends what it has said.
  void take(std::vector<TelemetryReport>& out);

  // Why there is none; "" otherwise.
  const std::string& trouble() const { return trouble_; }

 private:
  void start();
  void lost(const std::string& why);

  Options options_;
  UniqueFd socket_;
  pid_t pid_ = 0;
  bool told_ = false;
  TelemetrySettings settings_;
  BootMs start_again_ms_ = 0;
  std::vector<char> buffer_;  // kept for its memory
  std::string trouble_;
};

}  // namespace hyades
