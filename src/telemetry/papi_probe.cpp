#include "telemetry/papi_probe.hpp"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <papi.h>
#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "telemetry/papi_preset.hpp"

namespace hyades {
namespace {

constexpr int perf_event_component = 0;
constexpr const char* task_clock = "perf::TASK-CLOCK";
constexpr long known_answer_us = 5000;
constexpr double tolerance = 0.2;  // of so short a time

std::string words_of(int code) {
  return std::string(PAPI_strerror(code)) + " (" + std::to_string(code) + ")";
}

// The program's own part only, as PAPI counts by default; the shepherd sees to that.
bool encode_native(const std::string& native, PerfTerm& term) {
  perf_event_attr attributes = {};
  attributes.size = sizeof attributes;
  pfm_perf_encode_arg_t argument = {};
  argument.attr = &attributes;
  argument.size = sizeof argument;
  if (pfm_get_os_event_encoding(native.c_str(), PFM_PLM3, PFM_OS_PERF_EVENT, &argument) !=
      PFM_SUCCESS) {
    return false;
  }
  term.type = attributes.type;
  term.config = attributes.config;
  term.config1 = attributes.config1;
  term.config2 = attributes.config2;
  return true;
}

int add_presets(CounterCatalogue& catalogue) {
  int code = static_cast<int>(PAPI_PRESET_MASK);
  int found = 0;
  for (int rc = PAPI_enum_event(&code, PAPI_ENUM_FIRST); rc == PAPI_OK;
       rc = PAPI_enum_event(&code, PAPI_PRESET_ENUM_AVAIL)) {
    PAPI_event_info_t info = {};
    // The first one comes whether it can be had or not.
    if (PAPI_query_event(code) != PAPI_OK || PAPI_get_event_info(code, &info) != PAPI_OK) continue;
    if (info.count == 0) continue;
    PapiPreset preset{info.symbol, info.derived, info.postfix, {}};
    for (unsigned i = 0; i < info.count && i < PAPI_MAX_INFO_TERMS; ++i) {
      preset.natives.emplace_back(info.name[i]);
    }
    add_preset(preset, encode_native, catalogue);
    ++found;
  }
  return found;
}

std::string why_no_presets() {
  const PAPI_component_info_t* const component = PAPI_get_component_info(perf_event_component);
  if (component != nullptr && component->disabled_reason[0] != '\0') {
    return component->disabled_reason;
  }
  const PAPI_hw_info_t* const hardware = PAPI_get_hardware_info();
  const bool is_virtual = hardware != nullptr && hardware->virtualized != 0;
  return is_virtual ? "a virtual machine without performance counters"
                    : "PAPI finds no performance counters";
}

// Burns a known time in a child of its own, so that it is only counted by who follows children.
[[noreturn]] void burn_in_grandchild(int go) {
  char byte = 0;
  if (read(go, &byte, 1) != 1) _exit(1);
  const pid_t grandchild = fork();
  if (grandchild == 0) {
    rusage usage = {};
    do {
      getrusage(RUSAGE_SELF, &usage);
    } while (usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec +
                 usage.ru_stime.tv_sec * 1'000'000 + usage.ru_stime.tv_usec <
             known_answer_us);
    _exit(0);
  }
  int status = 0;
  if (grandchild > 0) waitpid(grandchild, &status, 0);
  _exit(0);
}

// "" once the set counts `child`; else what refused. Every code counts: after a failed attach, PAPI
// starts nevertheless, and counts whoever asked.
std::string attach(int& set, pid_t child) {
  PAPI_option_t inherit = {};
  int rc = PAPI_create_eventset(&set);
  if (rc != PAPI_OK) return "PAPI_create_eventset: " + words_of(rc);
  rc = PAPI_assign_eventset_component(set, perf_event_component);
  if (rc != PAPI_OK) return "PAPI_assign_eventset_component: " + words_of(rc);
  inherit.inherit.eventset = set;
  inherit.inherit.inherit = PAPI_INHERIT_ALL;
  rc = PAPI_set_opt(PAPI_INHERIT, &inherit);
  if (rc != PAPI_OK) return "PAPI_set_opt(PAPI_INHERIT): " + words_of(rc);
  rc = PAPI_attach(set, static_cast<unsigned long>(child));
  if (rc != PAPI_OK) return "PAPI_attach: " + words_of(rc);
  rc = PAPI_add_named_event(set, task_clock);
  if (rc != PAPI_OK) return std::string(task_clock) + ": " + words_of(rc);
  rc = PAPI_start(set);
  return rc == PAPI_OK ? "" : "PAPI_start: " + words_of(rc);
}

std::string judge(int set, pid_t child, int go) {
  if (write(go, "g", 1) != 1) return "not tried: the child could not be told to go";
  int status = 0;
  waitpid(child, &status, 0);
  long long counted_ns = 0;
  const int rc = PAPI_stop(set, &counted_ns);
  if (rc != PAPI_OK) return "PAPI_stop: " + words_of(rc);
  const double counted_us = static_cast<double>(counted_ns) / 1000;
  const bool good = std::abs(counted_us - known_answer_us) < tolerance * known_answer_us;
  return std::string(good ? "works" : "is wrong") + ": " + std::to_string(std::lround(counted_us)) +
         " us counted of a grandchild's " + std::to_string(known_answer_us);
}

std::string try_attach() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "not tried: no pipe";
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    burn_in_grandchild(ends[0]);
  }
  close(ends[0]);
  if (child < 0) {
    close(ends[1]);
    return "not tried: no child";
  }
  int set = PAPI_NULL;
  const std::string refused = attach(set, child);
  const std::string verdict = refused.empty() ? judge(set, child, ends[1]) : "fails, " + refused;
  close(ends[1]);  // a child that was not told to go leaves
  int status = 0;
  if (!refused.empty()) waitpid(child, &status, 0);
  if (set != PAPI_NULL) {
    PAPI_cleanup_eventset(set);
    PAPI_destroy_eventset(&set);
  }
  return verdict;
}

}  // namespace

PapiFindings ask_papi() {
  PapiFindings findings;
  const int version = PAPI_library_init(PAPI_VER_CURRENT);
  if (version != PAPI_VER_CURRENT) {
    findings.summary = "PAPI cannot be used: " + words_of(version);
    findings.attach = "not tried";
    findings.catalogue.set_general_reason(findings.summary);
    return findings;
  }
  const int presets = pfm_initialize() == PFM_SUCCESS ? add_presets(findings.catalogue) : 0;
  findings.summary = "PAPI " + std::to_string(PAPI_VERSION_MAJOR(version)) + "." +
                     std::to_string(PAPI_VERSION_MINOR(version)) + ": ";
  if (presets > 0) {
    findings.summary += std::to_string(presets) + " presets";
    findings.catalogue.set_general_reason("the processor has no such event");
  } else {
    findings.summary += "no presets, " + why_no_presets();
    findings.catalogue.set_general_reason(why_no_presets());
  }
  findings.attach = try_attach();
  PAPI_shutdown();
  return findings;
}

}  // namespace hyades
