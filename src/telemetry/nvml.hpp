// NVIDIA's management library, found while running: the driver brings it, no header of it is needed
// and none is there on most machines. Declared here is only what is used, by the documented ABI.
//
// Each call may take as long as the driver likes, or hang; several threads may ask at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "telemetry/metric.hpp"

namespace hyades {

// A process that computes on a device.
struct GpuProcess {
  int pid = 0;                   // as the machine numbers them, not a container
  double used_mib = kNoReading;  // where the driver does not say
};

class Nvml {
 public:
  // What NVML's functions return; those that are told apart here.
  enum Code : int {
    Success = 0,
    InvalidArgument = 2,
    NotSupported = 3,
    NoPermission = 4,
    InsufficientSize = 7,
    FunctionNotFound = 13,
    GpuIsLost = 15,
  };

  struct Device {
    std::string uuid;
    std::string name;
    void* handle = nullptr;
  };

  // library: its file; "": what HYADES_NVML names, else "libnvidia-ml.so.1". Null where there is no
  // such library, and `why` says so. Does not ask the driver yet.
  static std::shared_ptr<Nvml> load(const std::string& library, std::string& why);

  // Asks the driver which devices there are, once; others wait until whoever came first is done.
  // False where there is no driver, or it fails: trouble() says which, and there are no devices.
  bool start();
  bool is_started() const { return started_; }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml();

  // After start(), as are the others. The devices that answered then, in the driver's order.
  const std::vector<Device>& devices() const { return devices_; }
  // What was wrong with those that did not; "": nothing.
  const std::string& trouble() const { return trouble_; }

  // Each returns what NVML did; only with Success are the figures set. As the driver says them.
  int utilization(std::size_t device, double& percent) const;
  int memory(std::size_t device, double& used_mib, double& total_mib) const;
  int power(std::size_t device, double& watts) const;
  int energy(std::size_t device, double& joules) const;  // since the driver was loaded
  int temperature(std::size_t device, double& degrees) const;

  // The processes on a device now. Not with Success: none, and `trouble` says why.
  int processes(std::size_t device, std::vector<GpuProcess>& found, std::string& trouble) const;

  std::string error(int code) const;

 private:
  struct Functions;

  Nvml();
  bool find_functions();
  bool find_devices();
  void add_device(unsigned index);

  void* library_ = nullptr;
  bool initialised_ = false;
  std::once_flag once_;
  std::atomic<bool> started_ = false;
  std::unique_ptr<Functions> call_;
  std::vector<Device> devices_;
  std::string trouble_;
};

}  // namespace hyades
