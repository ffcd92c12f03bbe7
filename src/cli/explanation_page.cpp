#include "cli/explanation_page.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/job_words.hpp"
#include "cli/placement_text.hpp"
#include "cli/printable.hpp"
#include "cli/quantity.hpp"
#include "cli/times.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

std::string number(double value, const char* format = "%.4g") { return printed(format, value); }

// Models come near to 0, and never to it.
double thousandths(double value) { return std::round(value * 1000) / 1000; }

std::string run_time(double seconds) {
  return format_duration(static_cast<std::int64_t>(std::lround(seconds)));
}

// By the words of hstat's column.
std::string meaning(const std::string& reason) {
  static const std::map<std::string, std::string> words = {
      {"Priority", "others are before it"},
      {"Resources", "it is next, and there is no room yet"},
      {"Reserve", "it would leave too few cores free for jobs to come"},
      {"FasterNodes", "there is room, and it ends earlier if it waits for faster nodes"},
      {"Dependency", "it waits for other jobs"},
      {"JobHeldUser", "its user holds it; hctl release lets it go"},
      {"JobHeldAdmin", "an admin holds it"},
      {"BeginTime", "it is not to start before its time"},
      {"QueueLimit", "a limit of its queue: its user runs as much as is allowed"},
      {"ReqNodeNotAvail", "the nodes that could hold it are down or drained (hinfo -R)"},
      {"LaunchBackoff", "a node could not start it; it is tried again in a moment"},
      {"None", "it has just come"},
  };
  const auto found = words.find(reason);
  return found == words.end() ? "" : found->second;
}

class Page {
 public:
  void line(const std::string& key, const std::string& value) {
    text_ += key + std::string(12 - std::min<std::size_t>(key.size(), 11), ' ') +
             escape_text(value) + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void say_waiting(const pb::JobInfo& job, std::int64_t now_ms, Page& page) {
  page.line("waits", format_duration(std::max<std::int64_t>(now_ms - job.submit_ms(), 0) / 1000) +
                         ": " + job.reason() + ", " + meaning(job.reason()));
  for (const pb::Dependency& dependency : job.dependencies()) {
    page.line("", "for job " + std::to_string(dependency.job()));
  }
  if (!job.last_reason().empty()) page.line("", job.last_reason());
}

// "index, easy, score 1528; chosen by model 8378ffe7a22c, which expects 0.030 of it and 0.010 of
// saf"
std::string rule_text(const pb::JobExplanation& why) {
  std::string text = why.policy() + ", " + why.backfill() + ", score " + number(why.score());
  if (thousandths(why.ageing()) > 0) text += ", ageing " + number(thousandths(why.ageing()));
  if (why.advised() && why.model().empty()) text += "; chosen by looking ahead";
  if (why.model().empty()) return text;
  text += "; chosen by model " + why.model().substr(0, 12);
  if (why.choice() != why.policy()) text += " (" + why.choice() + ")";
  const pb::RuleValue* runner_up = nullptr;
  double chosen = 0;
  for (const pb::RuleValue& value : why.values()) {
    if (value.rule() == why.choice()) {
      chosen = value.value();
    } else if (runner_up == nullptr || value.value() > runner_up->value()) {
      runner_up = &value;
    }
  }
  if (runner_up == nullptr) return text;
  if (runner_up->value() > chosen) {
    return text + ", its fallback: it expects " + number(runner_up->value(), "%.3f") + " of " +
           runner_up->rule() + ", not enough more than " + number(chosen, "%.3f");
  }
  return text + ", which expects " + number(chosen, "%.3f") + " of it and " +
         number(runner_up->value(), "%.3f") + " of " + runner_up->rule();
}

void say_guard(const pb::JobExplanation& why, std::int64_t now_ms, Page& page) {
  if (!why.guarded()) return;
  if (why.first()) return page.line("guard", "has waited too long: it goes before all others");
  const std::int64_t left_s = (why.over_age_ms() - now_ms) / 1000;
  page.line("guard", left_s > 0 ? "goes before others in " + format_duration(left_s) +
                                      ", unless waits get longer for all"
                                : "has waited too long; another one has waited longer");
}

void say_schedule(const pb::JobInfo& job, const pb::JobExplanation& why, std::int64_t now_ms,
                  Page& page) {
  if (job.expected_start_ms() > 0) {
    page.line("starts", local_time(job.expected_start_ms()) + " at the latest" +
                            (why.reserved_nodes().empty() ? "" : ", on " + why.reserved_nodes()));
  }
  if (!why.faster_nodes().empty()) {
    page.line("faster", "on " + why.faster_nodes() + " it is expected to end " +
                            local_time(why.faster_end_ms()) + ", here and now " +
                            local_time(why.now_end_ms()) + "; it waits for that until " +
                            local_time(why.patient_until_ms()) + " at the latest");
  }
  page.line("place", why.position() == 0
                         ? "kept back, of " + std::to_string(why.waiting()) + " that wait"
                         : std::to_string(why.position()) + " of " + std::to_string(why.waiting()) +
                               " that wait");
  page.line("needs", (why.cores() == 1 ? "1 core" : std::to_string(why.cores()) + " cores") + "; " +
                         std::to_string(why.free_cores()) + " of " +
                         std::to_string(why.queue_cores()) + " are free");
  page.line("order", rule_text(why));
  if (why.has_played()) page.line("played", played_text(why.played()));
  std::string run = "asked for " + format_duration(job.time_limit_s());
  if (why.run_times() != "request") {
    run += ", expected " + run_time(why.run_s());
    if (why.run_q10_s() != why.run_q90_s()) {
      run += " (" + run_time(why.run_q10_s()) + " to " + run_time(why.run_q90_s()) + ")";
    }
    run += " by " + why.run_times();
  }
  page.line("runs", run);
  if (thousandths(why.reserve()) > 0) {
    page.line("reserve", number(100 * thousandths(why.reserve())) +
                             " % stay free beside jobs expected to run " + "longer than " +
                             format_duration(why.reserve_after_s()));
  }
  say_guard(why, now_ms, page);
  for (const std::string& option : why.starts_with()) {
    page.line("at once", "it would start with " + option);
  }
}

}  // namespace

std::string played_text(const pb::PlayedCosts& played) {
  const bool of_waits = played.objective() == "wait";
  const auto cost = [&](double value) { return of_waits ? run_time(value) : number(value); };
  std::string text = cost(played.cost()) +
                     (of_waits ? " of waiting a job from then on; "
                               : " added to the slowdown of each job, if yesterday's come again; ");
  text += cost(played.hand_set()) + " by hand-set, " + cost(played.least()) + " by " +
          played.best_rule();
  if (played.best_reserve() > 0) text += " with reserve " + number(played.best_reserve());
  text += " at best";
  if (played.gated()) text += "; what the model chose cost too much, so it is hand-set";
  return text;
}

std::string explanation_page(const pb::JobInfo& job, const pb::JobExplanation& why,
                             std::int64_t now_ms) {
  Page page;
  page.line("job", std::to_string(job.id()) + " (" + job.name() + ") of " + job.user() +
                       " in queue " + job.queue() + ": " + job.state());
  if (job.state() == "PENDING") {
    say_waiting(job, now_ms, page);
    if (why.scheduled()) say_schedule(job, why, now_ms, page);
    return page.text();
  }
  if (job.start_ms() > 0) {
    const std::int64_t waited_s =
        std::max<std::int64_t>(job.start_ms() - job.submit_ms(), 0) / 1000;
    page.line("started", local_time(job.start_ms()) + " on " + job.node_names() + ", after " +
                             format_duration(waited_s) +
                             (job.start_reason().empty() ? "" : ", " + job.start_reason()));
  }
  if (why.has_placement()) {
    const char* key = "placed";
    for (const std::string& line : placement_lines(why.placement())) {
      page.line(key, line);
      key = "";
    }
  }
  for (const pb::NodeLoan& loan : job.loans()) {
    page.line("lent", "cores " + loan.cores() + " of " + loan.node() + " since " +
                          local_time(loan.since_ms()) + ": " + loan.why());
  }
  for (const pb::NodeCap& cap : job.caps()) {
    page.line("power", cap.node() + " gives it " + std::to_string(cap.percent()) +
                           " % of its power since " + local_time(cap.since_ms()) + ": " +
                           cap.why());
  }
  if (!job.power_obstacle().empty()) {
    const std::string agreed = job.power_margin() > 0
                                   ? "may run " + std::to_string(job.power_margin()) + " % slower; "
                                   : "";
    page.line("power", agreed + job.power_obstacle());
  }
  if (has_ended(job)) {
    page.line("ended", end_sentence(job));
  } else if (!job.reason().empty()) {
    page.line("why", job.reason());
  }
  return page.text();
}

namespace {

Json time_or_null(std::int64_t at_ms) { return at_ms > 0 ? Json(utc_time(at_ms)) : Json(nullptr); }

}  // namespace

Json explanation_json(const pb::JobInfo& job, const pb::JobExplanation& why) {
  Json out = job_json(job);
  Json schedule;
  if (why.scheduled()) {
    schedule = {{"policy", why.policy()},
                {"backfill", why.backfill()},
                {"run_times", why.run_times()},
                {"reserve", why.reserve()},
                {"reserve_after", why.reserve_after_s()},
                {"ageing", why.ageing()},
                {"by", !why.advised()        ? "rule"
                       : why.model().empty() ? "lookahead"
                                             : "model"},
                {"model", text_json(why.model())},
                {"choice", text_json(why.choice())},
                {"played", why.has_played() ? played_json(why.played()) : Json(nullptr)},
                {"values", rule_values_json(why.values())},
                {"position", why.position()},
                {"waiting", why.waiting()},
                {"score", why.score()},
                {"expected_run", why.run_s()},
                {"expected_run_10", why.run_q10_s()},
                {"expected_run_90", why.run_q90_s()},
                {"guarded", why.guarded()},
                {"first_at", why.guarded() ? Json(utc_time(why.over_age_ms())) : Json(nullptr)},
                {"first", why.first()},
                {"cores", why.cores()},
                {"free_cores", why.free_cores()},
                {"queue_cores", why.queue_cores()},
                {"reserved_nodes", why.reserved_nodes()},
                {"faster_nodes", text_json(why.faster_nodes())},
                {"faster_end", time_or_null(why.faster_end_ms())},
                {"now_end", time_or_null(why.now_end_ms())},
                {"patient_until", time_or_null(why.patient_until_ms())},
                {"starts_with",
                 std::vector<std::string>(why.starts_with().begin(), why.starts_with().end())}};
  }
  out["schedule"] = schedule;
  out["placement"] = why.has_placement() ? placement_json(why.placement()) : Json(nullptr);
  return out;
}

}  // namespace hyades
