#include "checker.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace hyades::test {
namespace {

using What = JournalLine::What;

// From its start line to its end line; one that was killed has no end.
struct Run {
  JournalLine start;
  std::optional<JournalLine> end;
};

struct JobStory {
  std::vector<const SubmitAck*> acks;
  std::vector<Run> runs;  // in the order of their starts
  std::vector<const CancelAck*> cancels;
  int deaths = 0;
  const JobResult* result = nullptr;
};

std::string name_of(std::uint64_t job) { return "job " + std::to_string(job); }

class Checker {
 public:
  explicit Checker(const Evidence& evidence) : evidence_(evidence) {}

  std::vector<std::string> run() {
    gather();
    for (const auto& [job, story] : stories_) {
      check_ids(job, story);
      check_starts(job, story);
      check_overlap(job, story);
      check_cancels(job, story);
      if (!story.acks.empty()) check_result(job, story);
    }
    if (unexplained_starts_ > anonymous_deaths_) {
      find("P3", std::to_string(unexplained_starts_) + " starts more than allowed, but only " +
                     std::to_string(anonymous_deaths_) + " shepherds of unknown jobs were killed");
    }
    check_tokens();
    check_cores();
    for (const std::string& line : evidence_.broken_lines)
      find("P4", "unreadable journal: " + line);
    for (const std::string& process : evidence_.left_behind) find("P7", "left behind: " + process);
    return findings_;
  }

 private:
  void find(const std::string& promise, const std::string& what) {
    findings_.push_back(promise + ": " + what);
  }

  void gather() {
    for (const SubmitAck& ack : evidence_.submits) stories_[ack.job].acks.push_back(&ack);
    for (const CancelAck& ack : evidence_.cancels) stories_[ack.job].cancels.push_back(&ack);
    for (const ShepherdDeath& death : evidence_.deaths) {
      if (death.job == 0) {
        ++anonymous_deaths_;
      } else {
        ++stories_[death.job].deaths;
      }
    }
    for (const JobResult& result : evidence_.results) {
      JobStory& story = stories_[result.job];
      if (story.result != nullptr) find("P6", name_of(result.job) + " is listed twice");
      story.result = &result;
    }
    gather_runs();
  }

  void gather_runs() {
    std::map<std::string, JournalLine> ends;  // by launch and process
    const auto key = [](const JournalLine& line) {
      return line.launch + "/" + std::to_string(line.pid);
    };
    for (const JournalLine& line : evidence_.journal) {
      const std::string where = name_of(line.job) + " on " + line.node + ": ";
      if (line.what == What::End) ends[key(line)] = line;
      if (line.what == What::CoreHeld) {
        find("P8", where + "core " + line.cores + " was in use by somebody else");
      }
      if (line.what == What::JobHeld) find("P3", where + "another attempt of it was alive");
    }
    for (const JournalLine& line : evidence_.journal) {
      if (line.what != What::Start) continue;
      Run run{line, std::nullopt};
      const auto end = ends.find(key(line));
      if (end != ends.end()) run.end = end->second;
      stories_[line.job].runs.push_back(std::move(run));
      if (end != ends.end()) ends.erase(end);
    }
    for (const auto& [launch, line] : ends) {
      find("P4", name_of(line.job) + ": an end without its start");
    }
    for (auto& [job, story] : stories_) {
      std::sort(story.runs.begin(), story.runs.end(),
                [](const Run& a, const Run& b) { return a.start.at_ns < b.start.at_ns; });
    }
  }

  // P6: one number, one job; and it is the job that the client asked for.
  void check_ids(std::uint64_t job, const JobStory& story) {
    std::set<std::string> labels;
    for (const SubmitAck* ack : story.acks) labels.insert(ack->label);
    for (const Run& run : story.runs) labels.insert(run.start.label);
    if (labels.size() > 1) {
      find("P6", name_of(job) + " is " + *labels.begin() + " and also " + *labels.rbegin());
    }
    if (story.acks.empty() && !story.runs.empty()) {
      find("P6",
           name_of(job) + " (" + *labels.begin() + ") ran, but no client ever got that number");
    }
  }

  void check_starts(std::uint64_t job, const JobStory& story) {
    const bool may_requeue = story.acks.empty() || story.acks.front()->may_requeue;
    const int allowed = 1 + (may_requeue ? story.deaths : 0);
    const int starts = static_cast<int>(story.runs.size());
    std::set<int> attempts;
    for (const Run& run : story.runs) {
      if (!attempts.insert(run.start.attempt).second) {
        find("P3",
             name_of(job) + ": attempt " + std::to_string(run.start.attempt) + " started twice");
      }
    }
    if (starts <= allowed) return;
    if (!may_requeue || anonymous_deaths_ == 0) {
      find("P3", name_of(job) + " started " + std::to_string(starts) + " times; " +
                     std::to_string(allowed) + " were allowed");
    } else {
      unexplained_starts_ += starts - allowed;
    }
  }

  void check_overlap(std::uint64_t job, const JobStory& story) {
    for (std::size_t i = 1; i < story.runs.size(); ++i) {
      const Run& before = story.runs[i - 1];
      if (before.end && before.end->at_ns > story.runs[i].start.at_ns) {
        find("P3", name_of(job) + ": attempt " + std::to_string(story.runs[i].start.attempt) +
                       " started before attempt " + std::to_string(before.start.attempt) +
                       " ended");
      }
    }
  }

  // P9. Of a job that was not held nobody outside can say whether the order to start it was on its
  // way already; then it may have started once, but never again.
  void check_cancels(std::uint64_t job, const JobStory& story) {
    for (const CancelAck* cancel : story.cancels) {
      const auto later = std::count_if(story.runs.begin(), story.runs.end(), [&](const Run& run) {
        return run.start.at_ns > cancel->at_ns;
      });
      const bool first = later == static_cast<std::ptrdiff_t>(story.runs.size());
      const int allowed = !cancel->had_not_started && first ? 1 : 0;
      if (later > allowed) {
        find("P9", name_of(job) + " started after its cancellation was accepted");
      }
    }
  }

  void check_result(std::uint64_t job, const JobStory& story) {
    if (story.result == nullptr) {
      find("P1",
           name_of(job) + " (" + story.acks.front()->label + ") was accepted and is not known");
      return;
    }
    const JobResult& result = *story.result;
    const std::string said = name_of(job) + " is " + result.state + " with exit code " +
                             std::to_string(result.exit_code) + ", signal " +
                             std::to_string(result.exit_signal);
    if (result.state == "COMPLETED" || result.state == "FAILED") {
      check_exit(said, story);
    } else if (result.state == "CANCELLED") {
      if (story.cancels.empty()) find("P4", said + ", but nobody cancelled it");
    } else if (result.state == "NODE_FAIL") {
      if (story.deaths == 0 && anonymous_deaths_ == 0) {
        find("P4", said + ", but nothing happened to it");
      }
    } else {
      find("P4", said + ", which no job here can be");
    }
  }

  void check_exit(const std::string& said, const JobStory& story) {
    const int expected = exit_code_of(story.acks.front()->label);
    if (story.runs.empty()) {
      find("P4", said + ", but it never ran");
    } else if (!story.runs.back().end) {
      find("P4", said + ", but its last attempt did not come to its end");
    } else if (story.runs.back().end->exit_code != expected ||
               story.result->exit_code != expected || story.result->exit_signal != 0 ||
               (story.result->state == "COMPLETED") != (expected == 0)) {
      find("P4", said + "; its journal says " + std::to_string(story.runs.back().end->exit_code) +
                     ", and its label " + std::to_string(expected));
    }
  }

  void check_tokens() {
    std::map<std::string, std::uint64_t> jobs;
    std::map<std::string, std::uint64_t> labels;
    for (const SubmitAck& ack : evidence_.submits) {
      const auto [token, fresh] = jobs.emplace(ack.token, ack.job);
      if (!fresh && token->second != ack.job) {
        find("P2",
             "token " + ack.token + " is " + name_of(token->second) + " and " + name_of(ack.job));
      }
      const auto [label, first] = labels.emplace(ack.label, ack.job);
      if (!first && label->second != ack.job) {
        find("P2", ack.label + " is " + name_of(label->second) + " and " + name_of(ack.job));
      }
    }
  }

  // P8 once more, without the locks: no two runs whose times are known share a core.
  void check_cores() {
    std::map<std::string, std::vector<const Run*>> users;
    for (const auto& [job, story] : stories_) {
      for (const Run& run : story.runs) {
        if (!run.end) continue;
        for (const int core : cores_of(run.start.cores)) {
          users[run.start.node + " core " + std::to_string(core)].push_back(&run);
        }
      }
    }
    for (auto& [core, runs] : users) {
      std::sort(runs.begin(), runs.end(),
                [](const Run* a, const Run* b) { return a->start.at_ns < b->start.at_ns; });
      for (std::size_t i = 1; i < runs.size(); ++i) {
        if (runs[i - 1]->end->at_ns <= runs[i]->start.at_ns) continue;
        find("P8", core + " was given to " + name_of(runs[i - 1]->start.job) + " and " +
                       name_of(runs[i]->start.job) + " at a time");
      }
    }
  }

  const Evidence& evidence_;
  std::map<std::uint64_t, JobStory> stories_;
  int anonymous_deaths_ = 0;
  int unexplained_starts_ = 0;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> check(const Evidence& evidence) { return Checker(evidence).run(); }

}  // namespace hyades::test
