// A stand-in for libnvidia-ml.so.1: the functions that Hyades calls, with answers that a test sets.
//
// FAKE_NVML_STATE may name a file that is read before every answer; without it, and for programs
// that are given no such variable, that is the library's own name with ".state" behind it. It has
// lines of a word and a number: "devices 2", "delay_ms 100", and of a device "0 utilization 50", "0
// power_mw 90000", "0 energy_mj 1000", "0 memory_used 1048576", "0 temperature 40", "0 code 15", "0
// processes 1", "0 first_pid 4711", "0 process_used 1048576". Words that it does not know it passes
// over.
#include "fake_nvml.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace hyades {
namespace {

constexpr int not_found = 6;
constexpr int insufficient_size = 7;

FakeNvml& state() {
  static FakeNvml nvml;
  return nvml;
}

void set_gpu(FakeGpu& gpu, const std::string& word, unsigned long long number) {
  if (word == "code") gpu.code = static_cast<int>(number);
  if (word == "utilization") gpu.utilization = static_cast<unsigned>(number);
  if (word == "memory_used") gpu.memory_used = number;
  if (word == "power_mw") gpu.power_mw = static_cast<unsigned>(number);
  if (word == "energy_mj") gpu.energy_mj = number;
  if (word == "temperature") gpu.temperature = static_cast<unsigned>(number);
  if (word == "processes") gpu.processes = static_cast<unsigned>(number);
  if (word == "first_pid") gpu.first_pid = static_cast<unsigned>(number);
  if (word == "process_used") gpu.process_used = number;
}

void read_file() {
  const char* const named = std::getenv("FAKE_NVML_STATE");
  static const int here = 0;
  Dl_info self = {};
  if (named == nullptr && dladdr(&here, &self) == 0) return;
  std::ifstream file(named != nullptr ? named : std::string(self.dli_fname) + ".state");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string first;
    unsigned long long number = 0;
    words >> first;
    if (first == "devices" && words >> number) state().devices = static_cast<unsigned>(number);
    if (first == "delay_ms" && words >> number) state().delay_ms = static_cast<unsigned>(number);
    std::string word;
    if (first.size() == 1 && first[0] >= '0' && first[0] < '0' + static_cast<int>(kFakeGpus) &&
        words >> word >> number) {
      set_gpu(state().gpu[first[0] - '0'], word, number);
    }
  }
}

FakeGpu& gpu_of(void* handle) {
  read_file();
  if (state().delay_ms > 0) usleep(state().delay_ms * 1000);
  ++state().questions;
  return *static_cast<FakeGpu*>(handle);
}

int first_code(const FakeGpu& gpu, int own) { return gpu.code != 0 ? gpu.code : own; }

}  // namespace
}  // namespace hyades

using hyades::FakeGpu;
using hyades::first_code;
using hyades::gpu_of;
using hyades::state;

extern "C" {

struct FakeUtilization {
  unsigned gpu, memory;
};
struct FakeMemory {
  unsigned long long total, free, used;
};

void* fake_nvml() { return &state(); }

int nvmlInit_v2() {
  hyades::read_file();
  if (state().init_code == 0) ++state().users;
  return state().init_code;
}

int nvmlShutdown() {
  --state().users;
  return 0;
}

const char* nvmlErrorString(int code) {
  return code == 15 ? "GPU is lost" : code == 3 ? "Not Supported" : "Some Error";
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = state().devices;
  return state().count_code;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  if (index >= state().devices || index >= hyades::kFakeGpus) return hyades::not_found;
  *handle = &state().gpu[index];
  return 0;
}

int nvmlDeviceGetUUID(void* handle, char* text, unsigned size) {
  const FakeGpu& gpu = gpu_of(handle);
  std::snprintf(text, size, "GPU-fake-%td", &gpu - state().gpu);
  return gpu.code;
}

int nvmlDeviceGetName(void* handle, char* text, unsigned size) {
  std::snprintf(text, size, "Fake GPU");
  return gpu_of(handle).code;
}

int nvmlDeviceGetUtilizationRates(void* handle, FakeUtilization* answer) {
  const FakeGpu& gpu = gpu_of(handle);
  *answer = {gpu.utilization, 1};
  return first_code(gpu, gpu.utilization_code);
}

int nvmlDeviceGetMemoryInfo(void* handle, FakeMemory* answer) {
  const FakeGpu& gpu = gpu_of(handle);
  *answer = {gpu.memory_total, gpu.memory_total - gpu.memory_used, gpu.memory_used};
  return first_code(gpu, gpu.memory_code);
}

int nvmlDeviceGetPowerUsage(void* handle, unsigned* milliwatts) {
  const FakeGpu& gpu = gpu_of(handle);
  *milliwatts = gpu.power_mw;
  return first_code(gpu, gpu.power_code);
}

int nvmlDeviceGetTotalEnergyConsumption(void* handle, unsigned long long* millijoules) {
  const FakeGpu& gpu = gpu_of(handle);
  *millijoules = gpu.energy_mj;
  return first_code(gpu, gpu.energy_code);
}

int nvmlDeviceGetTemperature(void* handle, unsigned sensor, unsigned* degrees) {
  const FakeGpu& gpu = gpu_of(handle);
  *degrees = sensor == 0 ? gpu.temperature : 999;
  return first_code(gpu, gpu.temperature_code);
}

int nvmlDeviceGetComputeRunningProcesses_v3(void* handle, unsigned* count, void* entries) {
  const FakeGpu& gpu = gpu_of(handle);
  const int code = first_code(gpu, gpu.processes_code);
  if (code != 0) return code;
  const unsigned room = *count;
  *count = gpu.processes;
  if (gpu.processes > room) return hyades::insufficient_size;
  auto* entry = static_cast<unsigned char*>(entries);
  for (unsigned i = 0; i < gpu.processes; ++i, entry += gpu.process_entry_bytes) {
    const std::uint32_t pid = gpu.first_pid + i;
    const std::uint32_t no_instance = 0xffffffff;
    const std::uint64_t none_protected = 0;
    std::memcpy(entry, &pid, 4);
    std::memcpy(entry + 8, &gpu.process_used, 8);
    if (gpu.process_entry_bytes < 24) continue;
    std::memcpy(entry + 16, &no_instance, 4);
    std::memcpy(entry + 20, &no_instance, 4);
    if (gpu.process_entry_bytes >= 32) std::memcpy(entry + 24, &none_protected, 8);
  }
  return 0;
}
}
