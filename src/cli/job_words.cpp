#include "cli/job_words.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "cli/command.hpp"

namespace hyades {
namespace {

struct StateWord {
  const char* name;
  const char* code;
  bool final;
};

constexpr StateWord kStates[] = {
    {"PENDING", "PD", false},      {"LAUNCHING", "CF", false},     {"RUNNING", "R", false},
    {"UNKNOWN", "?", false},       {"COMPLETED", "CD", true},      {"FAILED", "F", true},
    {"CANCELLED", "CA", true},     {"TIMEOUT", "TO", true},        {"NODE_FAIL", "NF", true},
    {"LAUNCH_FAILED", "LF", true}, {"OUT_OF_MEMORY", "OOM", true}, {"COMPLETING", "CG", false},
};

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

bool parse_id(const std::string& text, std::uint64_t& id) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  return error == std::errc() && at == end && id != 0;
}

}  // namespace

bool is_final_state(const std::string& state) {
  return std::any_of(std::begin(kStates), std::end(kStates),
                     [&](const StateWord& word) { return word.final && state == word.name; });
}

// By what is not final, so that a state that this program does not know yet counts as an end.
bool has_ended(const pb::JobInfo& job) {
  return std::none_of(std::begin(kStates), std::end(kStates), [&](const StateWord& word) {
    return !word.final && job.state() == word.name;
  });
}

std::string state_word(const std::string& text) {
  const std::string word = upper(text);
  for (const StateWord& state : kStates) {
    if (word == state.name || word == state.code) return state.name;
  }
  if (word == "BF" || word == "BOOT_FAIL") return "LAUNCH_FAILED";
  if (word == "CONFIGURING") return "LAUNCHING";
  if (word == "TIMED_OUT") return "TIMEOUT";
  if (word == "NODE_FAILED") return "NODE_FAIL";
  if (word == "CANCELED") return "CANCELLED";
  return "";
}

const std::vector<std::string>& state_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> list;
    for (const StateWord& state : kStates) list.push_back(state.name);
    return list;
  }();
  return words;
}

bool has_exit(const pb::JobInfo& job) {
  if (!has_ended(job)) return false;
  if (job.exit_code() != 0 || job.exit_signal() != 0) return true;
  if (job.state() == "CANCELLED") return job.start_ms() > 0;
  return job.state() != "LAUNCH_FAILED" && job.state() != "NODE_FAIL";
}

std::string exit_text(const pb::JobInfo& job) {
  return std::to_string(job.exit_code()) + ":" + std::to_string(job.exit_signal());
}

int exit_code_for(const pb::JobInfo& job) {
  if (job.exit_signal() > 0) return 128 + job.exit_signal();
  if (job.exit_code() != 0) return job.exit_code() & 0xff ? job.exit_code() & 0xff : 1;
  return job.state() == "COMPLETED" ? 0 : 1;
}

std::string end_sentence(const pb::JobInfo& job) {
  std::string text = "job " + std::to_string(job.id()) + " (" + job.name() + "): " + job.state();
  if (job.exit_signal() > 0) {
    text += ", signal " + std::to_string(job.exit_signal());
  } else if (has_exit(job)) {
    text += ", exit code " + std::to_string(job.exit_code());
  }
  return job.reason().empty() ? text : text + " (" + job.reason() + ")";
}

bool parse_job_ids(const std::string& text, std::vector<std::uint64_t>& out) {
  std::vector<std::uint64_t> ids;
  for (const std::string& word : split_list(text)) {
    const std::size_t dash = word.find('-');
    std::uint64_t first = 0;
    if (!parse_id(word.substr(0, dash), first)) return false;
    std::uint64_t last = first;
    if (dash != std::string::npos && !parse_id(word.substr(dash + 1), last)) return false;
    if (last < first || last - first >= 10'000) return false;
    for (std::uint64_t id = first; id <= last; ++id) ids.push_back(id);
  }
  if (ids.empty()) return false;
  out.insert(out.end(), ids.begin(), ids.end());
  return true;
}

}  // namespace hyades
