#include "checker.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace hyades::test {
namespace {

using What = JournalLine::What;

// One process that keeps a journal, from its start line to its end line; one that was killed has no
// end, but perhaps signs of life.
struct Part {
  JournalLine start;
  std::optional<JournalLine> end;
  std::int64_t last_ns = 0;
};

// All of an attempt on all its nodes: the script, and the tasks of its step.
struct Attempt {
  int number = 0;
  std::vector<Part> parts;  // in the order of their starts

  std::int64_t first_ns() const { return parts.front().start.at_ns; }
  std::int64_t last_ns() const {
    std::int64_t last = 0;
    for (const Part& part : parts) last = std::max(last, part.last_ns);
    return last;
  }
  std::vector<const Part*> scripts() const {  // there should be one
    std::vector<const Part*> found;
    for (const Part& part : parts) {
      if (part.start.task < 0) found.push_back(&part);
    }
    return found;
  }
};

struct JobStory {
  std::vector<const SubmitAck*> acks;
  std::vector<Attempt> attempts;  // in the order of their starts
  std::vector<const CancelAck*> cancels;
  int deaths = 0;
  int step_deaths = 0;
  const JobResult* result = nullptr;
};

// That an attempt had cores of a node.
struct Holding {
  std::uint64_t job;
  int attempt;
  std::int64_t from_ns;
  std::int64_t to_ns;
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
    for (const Death& death : evidence_.deaths) {
      if (death.job == 0) {
        ++anonymous_deaths_;
      } else {
        ++(death.of_step ? stories_[death.job].step_deaths : stories_[death.job].deaths);
      }
    }
    for (const JobResult& result : evidence_.results) {
      JobStory& story = stories_[result.job];
      if (story.result != nullptr) find("P6", name_of(result.job) + " is listed twice");
      story.result = &result;
    }
    gather_attempts();
  }

  void gather_attempts() {
    std::map<std::string, Part> parts;  // by node, launch and process
    const auto key = [](const JournalLine& line) {
      return line.node + "/" + line.launch + "/" + std::to_string(line.pid);
    };
    for (const JournalLine& line : evidence_.journal) {
      const std::string where = name_of(line.job) + " on " + line.node + ": ";
      if (line.what == What::Start) parts[key(line)] = {line, std::nullopt, line.at_ns};
      if (line.what == What::CoreHeld) {
        find("P8", where + "core " + line.cores + " was in use by somebody else");
      }
      if (line.what == What::JobHeld) find("P3", where + "another attempt of it was alive");
    }
    for (const JournalLine& line : evidence_.journal) {
      if (line.what != What::End && line.what != What::Alive) continue;
      const auto part = parts.find(key(line));
      if (part == parts.end()) {
        find("P4", name_of(line.job) + ": an end without its start");
        continue;
      }
      part->second.last_ns = std::max(part->second.last_ns, line.at_ns);
      if (line.what == What::End) part->second.end = line;
    }
    for (auto& [process, part] : parts) attempt_of(part.start).parts.push_back(std::move(part));
    for (auto& [job, story] : stories_) sort(story);
  }

  Attempt& attempt_of(const JournalLine& line) {
    std::vector<Attempt>& attempts = stories_[line.job].attempts;
    const auto found = std::find_if(attempts.begin(), attempts.end(), [&](const Attempt& attempt) {
      return attempt.number == line.attempt;
    });
    if (found != attempts.end()) return *found;
    attempts.push_back({line.attempt, {}});
    return attempts.back();
  }

  static void sort(JobStory& story) {
    for (Attempt& attempt : story.attempts) {
      std::sort(attempt.parts.begin(), attempt.parts.end(),
                [](const Part& a, const Part& b) { return a.start.at_ns < b.start.at_ns; });
    }
    std::sort(story.attempts.begin(), story.attempts.end(),
              [](const Attempt& a, const Attempt& b) { return a.first_ns() < b.first_ns(); });
  }

  // P6: one number, one job; and it is the job that the client asked for.
  void check_ids(std::uint64_t job, const JobStory& story) {
    std::set<std::string> labels;
    for (const SubmitAck* ack : story.acks) labels.insert(ack->label);
    for (const Attempt& attempt : story.attempts) {
      for (const Part& part : attempt.parts) labels.insert(part.start.label);
    }
    if (labels.size() > 1) {
      find("P6", name_of(job) + " is " + *labels.begin() + " and also " + *labels.rbegin());
    }
    if (story.acks.empty() && !story.attempts.empty()) {
      find("P6",
           name_of(job) + " (" + *labels.begin() + ") ran, but no client ever got that number");
    }
  }

  void check_starts(std::uint64_t job, const JobStory& story) {
    const bool may_requeue = story.acks.empty() || story.acks.front()->may_requeue;
    const int allowed = 1 + (may_requeue ? story.deaths : 0);
    int starts = 0;
    for (const Attempt& attempt : story.attempts) {
      const std::string its = name_of(job) + ": attempt " + std::to_string(attempt.number);
      std::map<int, int> of_task;
      for (const Part& part : attempt.parts) ++of_task[part.start.task];
      starts += of_task[-1];
      if (of_task[-1] == 0) find("P3", its + " had tasks, but no script");
      for (const auto& [task, count] : of_task) {
        if (count < 2) continue;
        find("P3", its + (task < 0 ? "" : ", task " + std::to_string(task)) + " started twice");
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

  // Nothing of an attempt gives a sign of life, on any node, once the next has given its first.
  void check_overlap(std::uint64_t job, const JobStory& story) {
    for (std::size_t i = 1; i < story.attempts.size(); ++i) {
      const Attempt& after = story.attempts[i];
      for (std::size_t j = 0; j < i; ++j) {
        const Attempt& before = story.attempts[j];
        if (before.last_ns() <= after.first_ns()) continue;
        find("P3", name_of(job) + ": attempt " + std::to_string(after.number) +
                       " started before attempt " + std::to_string(before.number) + " ended");
      }
    }
  }

  // P9. Of a job that was not held nobody outside can say whether the order to start it was on its
  // way already; then it may have started once, but never again.
  void check_cancels(std::uint64_t job, const JobStory& story) {
    for (const CancelAck* cancel : story.cancels) {
      const auto& attempts = story.attempts;
      const auto later =
          std::count_if(attempts.begin(), attempts.end(),
                        [&](const Attempt& attempt) { return attempt.first_ns() > cancel->at_ns; });
      const bool first = later == static_cast<std::ptrdiff_t>(attempts.size());
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

  // A script whose step was hit has a failure to report that is not its label's.
  void check_exit(const std::string& said, const JobStory& story) {
    const SubmitAck& ack = *story.acks.front();
    const int expected = exit_code_of(ack.label);
    if (story.attempts.empty()) return find("P4", said + ", but it never ran");
    const auto scripts = story.attempts.back().scripts();
    if (scripts.empty() || !scripts.back()->end) {
      return find("P4", said + ", but its last attempt did not come to its end");
    }
    const int code = scripts.back()->end->exit_code;
    const bool hit = story.step_deaths > 0 || (ack.tasks > 0 && story.deaths > 0);
    const bool own = code == expected || (hit && code != 0);
    if (!own || story.result->exit_code != code || story.result->exit_signal != 0 ||
        (story.result->state == "COMPLETED") != (code == 0)) {
      find("P4", said + "; its journal says " + std::to_string(code) + ", and its label " +
                     std::to_string(expected));
    } else if (ack.tasks > 0 && !hit) {
      check_step(said, ack, story.attempts.back());
    }
  }

  // Of a step that nobody disturbed every task has done its work, and each where it belongs.
  void check_step(const std::string& said, const SubmitAck& ack, const Attempt& attempt) {
    std::set<int> ended;
    std::set<std::string> nodes;
    for (const Part& part : attempt.parts) {
      if (part.start.task < 0 || !part.end) continue;
      ended.insert(part.start.task);
      nodes.insert(part.start.node);
    }
    if (static_cast<int>(ended.size()) != ack.tasks) {
      find("P4", said + ", but " + std::to_string(ended.size()) + " of its " +
                     std::to_string(ack.tasks) + " tasks came to their end");
    } else if (static_cast<int>(nodes.size()) != ack.nodes) {
      find("P4", said + ", but its tasks ran on " + std::to_string(nodes.size()) + " of " +
                     std::to_string(ack.nodes) + " nodes");
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

  // An attempt has all its nodes from its first sign of life until its script is over, and a node
  // on which something of it lives even longer.
  void gather_holdings(const Attempt& attempt,
                       std::map<std::string, std::vector<Holding>>& by_core) const {
    std::map<std::string, std::pair<std::set<int>, std::int64_t>> nodes;
    std::int64_t script_ns = 0;
    for (const Part* script : attempt.scripts()) script_ns = std::max(script_ns, script->last_ns);
    for (const Part& part : attempt.parts) {
      auto& [cores, last_ns] = nodes[part.start.node];
      for (const int core : cores_of(part.start.cores)) cores.insert(core);
      last_ns = std::max({last_ns, part.last_ns, script_ns});
    }
    for (const auto& [node, use] : nodes) {
      for (const int core : use.first) {
        by_core[node + " core " + std::to_string(core)].push_back(
            {attempt.parts.front().start.job, attempt.number, attempt.first_ns(), use.second});
      }
    }
  }

  // P8 once more, without the locks.
  void check_cores() {
    std::map<std::string, std::vector<Holding>> by_core;
    for (const auto& [job, story] : stories_) {
      for (const Attempt& attempt : story.attempts) gather_holdings(attempt, by_core);
    }
    for (auto& [core, holdings] : by_core) {
      std::sort(holdings.begin(), holdings.end(),
                [](const Holding& a, const Holding& b) { return a.from_ns < b.from_ns; });
      for (std::size_t i = 1; i < holdings.size(); ++i) {
        const Holding& before = holdings[i - 1];
        const Holding& after = holdings[i];
        if (before.to_ns <= after.from_ns || before.job == after.job) continue;
        find("P8", core + " was given to " + name_of(before.job) + " and " + name_of(after.job) +
                       " at a time");
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
