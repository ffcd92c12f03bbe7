// What the fake NVML (fake_nvml.cpp) is to answer. A test that loaded it changes this directly; a
// program that cannot be reached that way gets a file, see there.
#pragma once

namespace hyades {

constexpr unsigned kFakeGpus = 4;

struct FakeGpu {
  int code = 0;  // of every question about it; 15: it is lost
  // Of one question; 0: it answers.
  int utilization_code = 0;
  int memory_code = 0;
  int power_code = 0;
  int energy_code = 0;
  int temperature_code = 0;
  int processes_code = 0;

  unsigned utilization = 37;
  unsigned long long memory_total = 8ull << 30;
  unsigned long long memory_used = 2ull << 30;
  unsigned power_mw = 123'456;
  unsigned long long energy_mj = 5'000;
  unsigned temperature = 61;

  unsigned processes = 0;  // with the pids 1000, 1001, ...
  unsigned first_pid = 1000;
  unsigned long long process_used = 1ull << 30;
  unsigned process_entry_bytes = 24;  // as drivers differ in
};

struct FakeNvml {
  int init_code = 0;
  int count_code = 0;
  unsigned devices = 2;
  unsigned delay_ms = 0;  // each question takes this long
  FakeGpu gpu[kFakeGpus];
  int users = 0;      // nvmlInit without nvmlShutdown
  int questions = 0;  // about devices
};

}  // namespace hyades

// FakeNvml*, by dlsym.
constexpr const char* kFakeNvmlSymbol = "fake_nvml";
