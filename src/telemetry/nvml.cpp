#include "telemetry/nvml.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr double bytes_per_mib = 1024.0 * 1024.0;
constexpr unsigned max_devices = 64;
constexpr std::size_t text_size = 96;  // NVML_DEVICE_UUID_V2_BUFFER_SIZE and the name's
constexpr unsigned core_sensor = 0;    // NVML_TEMPERATURE_GPU

struct Utilization {
  unsigned gpu;
  unsigned memory;
};
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

// How a process is described grew from driver to driver, and once it did so under the same version
// of the function (535.43 had 32 bytes where those before and after have 24). So the buffer is
// large enough for all, and how much of it was written tells which one it is.
constexpr std::size_t entry_sizes[] = {16, 24, 32};
constexpr std::size_t largest_entry = 32;
constexpr unsigned char untouched = 0xa5;
constexpr unsigned first_room = 64;
constexpr unsigned most_room = 16 * 1024;

std::size_t entry_size(const std::vector<unsigned char>& buffer, std::size_t entries) {
  std::size_t written = buffer.size();
  while (written > 0 && buffer[written - 1] == untouched) --written;
  for (const std::size_t size : entry_sizes) {
    if (written > size * (entries - 1) && written <= size * entries) return size;
  }
  return 0;
}

GpuProcess process_at(const unsigned char* entry) {
  std::uint32_t pid = 0;
  std::uint64_t bytes = 0;
  std::memcpy(&pid, entry, sizeof pid);
  std::memcpy(&bytes, entry + 8, sizeof bytes);
  GpuProcess process;
  process.pid = static_cast<int>(pid);
  constexpr std::uint64_t not_known = std::numeric_limits<std::uint64_t>::max();
  if (bytes != not_known) process.used_mib = static_cast<double>(bytes) / bytes_per_mib;
  return process;
}

std::string last_dl_error() {
  const char* const text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

}  // namespace

struct Nvml::Functions {
  using Handle = void*;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*handle)(unsigned, Handle*) = nullptr;
  const char* (*error_string)(int) = nullptr;
  int (*uuid)(Handle, char*, unsigned) = nullptr;
  int (*name)(Handle, char*, unsigned) = nullptr;
  int (*utilization)(Handle, Utilization*) = nullptr;
  int (*memory)(Handle, Memory*) = nullptr;
  int (*power)(Handle, unsigned*) = nullptr;
  int (*energy)(Handle, unsigned long long*) = nullptr;
  int (*temperature)(Handle, unsigned, unsigned*) = nullptr;
  int (*processes)(Handle, unsigned*, void*) = nullptr;
};

Nvml::Nvml() : call_(std::make_unique<Functions>()) {}

Nvml::~Nvml() {
  if (initialised_) call_->shutdown();
  if (library_ != nullptr) dlclose(library_);
}

std::shared_ptr<Nvml> Nvml::load(const std::string& library, std::string& why) {
  std::string file = library;
  if (file.empty()) {
    const char* const named = std::getenv("HYADES_NVML");
    file = named != nullptr && *named != '\0' ? named : "libnvidia-ml.so.1";
  }
  std::shared_ptr<Nvml> nvml(new Nvml());
  nvml->library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (nvml->library_ == nullptr) {
    why = last_dl_error();
    return nullptr;
  }
  if (nvml->find_functions()) return nvml;
  why = file + ": it is not NVML, or too old";
  return nullptr;
}

bool Nvml::start() {
  std::call_once(once_, [this] { started_ = find_devices(); });
  return started_;
}

bool Nvml::find_functions() {
  const auto find = [this](auto& function, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (function != nullptr) return;
      void* const symbol = dlsym(library_, name);
      std::memcpy(&function, &symbol, sizeof function);
    }
  };
  find(call_->init, {"nvmlInit_v2"});
  find(call_->shutdown, {"nvmlShutdown"});
  find(call_->count, {"nvmlDeviceGetCount_v2"});
  find(call_->handle, {"nvmlDeviceGetHandleByIndex_v2"});
  find(call_->error_string, {"nvmlErrorString"});
  find(call_->uuid, {"nvmlDeviceGetUUID"});
  find(call_->name, {"nvmlDeviceGetName"});
  find(call_->utilization, {"nvmlDeviceGetUtilizationRates"});
  find(call_->memory, {"nvmlDeviceGetMemoryInfo"});
  find(call_->power, {"nvmlDeviceGetPowerUsage"});
  find(call_->energy, {"nvmlDeviceGetTotalEnergyConsumption"});
  find(call_->temperature, {"nvmlDeviceGetTemperature"});
  find(call_->processes,
       {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
  return call_->init && call_->shutdown && call_->count && call_->handle && call_->uuid;
}

bool Nvml::find_devices() {
  int code = call_->init();
  if (code != Success) {
    trouble_ = "nvmlInit: " + error(code);
    return false;
  }
  initialised_ = true;
  unsigned count = 0;
  code = call_->count(&count);
  if (code != Success) {
    trouble_ = "nvmlDeviceGetCount: " + error(code);
    return false;
  }
  if (count > max_devices) {
    trouble_ = "NVML claims to have " + std::to_string(count) + " devices";
    return false;
  }
  for (unsigned i = 0; i < count; ++i) add_device(i);
  if (count == 0) trouble_ = "NVML has no device";
  return true;
}

void Nvml::add_device(unsigned index) {
  Device device;
  char text[text_size] = {};
  int code = call_->handle(index, &device.handle);
  if (code == Success) code = call_->uuid(device.handle, text, text_size);
  if (code != Success) {
    return add_trouble(trouble_, "NVIDIA device " + std::to_string(index) + ": " + error(code));
  }
  device.uuid.assign(text, strnlen(text, text_size));
  if (call_->name != nullptr && call_->name(device.handle, text, text_size) == Success) {
    device.name.assign(text, strnlen(text, text_size));
  }
  devices_.push_back(std::move(device));
}

std::string Nvml::error(int code) const {
  const char* const text = call_->error_string == nullptr ? nullptr : call_->error_string(code);
  return text == nullptr ? "NVML error " + std::to_string(code) : text;
}

int Nvml::utilization(std::size_t device, double& percent) const {
  if (call_->utilization == nullptr) return FunctionNotFound;
  Utilization answer = {};
  const int code = call_->utilization(devices_.at(device).handle, &answer);
  if (code == Success) percent = answer.gpu;
  return code;
}

int Nvml::memory(std::size_t device, double& used_mib, double& total_mib) const {
  if (call_->memory == nullptr) return FunctionNotFound;
  Memory answer = {};
  const int code = call_->memory(devices_.at(device).handle, &answer);
  if (code != Success) return code;
  used_mib = static_cast<double>(answer.used) / bytes_per_mib;
  total_mib = static_cast<double>(answer.total) / bytes_per_mib;
  return code;
}

int Nvml::power(std::size_t device, double& watts) const {
  if (call_->power == nullptr) return FunctionNotFound;
  unsigned milliwatts = 0;
  const int code = call_->power(devices_.at(device).handle, &milliwatts);
  if (code == Success) watts = milliwatts / 1000.0;
  return code;
}

int Nvml::energy(std::size_t device, double& joules) const {
  if (call_->energy == nullptr) return FunctionNotFound;
  unsigned long long millijoules = 0;
  const int code = call_->energy(devices_.at(device).handle, &millijoules);
  if (code == Success) joules = static_cast<double>(millijoules) / 1000.0;
  return code;
}

int Nvml::temperature(std::size_t device, double& degrees) const {
  if (call_->temperature == nullptr) return FunctionNotFound;
  unsigned answer = 0;
  const int code = call_->temperature(devices_.at(device).handle, core_sensor, &answer);
  if (code == Success) degrees = answer;
  return code;
}

int Nvml::processes(std::size_t device, std::vector<GpuProcess>& found,
                    std::string& trouble) const {
  found.clear();
  int code = call_->processes == nullptr ? FunctionNotFound : InsufficientSize;
  std::vector<unsigned char> buffer;
  unsigned count = 0;
  // There may be more of them by the time of the second question.
  for (unsigned room = first_room; code == InsufficientSize && room <= most_room; room *= 4) {
    buffer.assign(room * largest_entry, untouched);
    count = room;
    code = call_->processes(devices_.at(device).handle, &count, buffer.data());
    if (code == Success && count > room) code = InvalidArgument;
  }
  if (code != Success) {
    add_trouble(trouble, "processes of " + devices_.at(device).uuid + ": " + error(code));
    return code;
  }
  if (count == 0) return code;
  const std::size_t size = entry_size(buffer, count);
  if (size == 0) {
    add_trouble(trouble, "the processes of " + devices_.at(device).uuid +
                             " are in a form that is not known here");
    return InvalidArgument;
  }
  for (std::size_t i = 0; i < count; ++i) found.push_back(process_at(buffer.data() + i * size));
  return code;
}

}  // namespace hyades
