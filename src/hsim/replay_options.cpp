#include "hsim/replay_options.hpp"

#include <charconv>
#include <iostream>

#include "cli/failure.hpp"
#include "core/nearest_word.hpp"
#include "hsim/log_output.hpp"

namespace hyades {

namespace {

template <typename E, typename Parse>
E named(const Command& command, const char* option, const std::string& word,
        const std::vector<E>& values, const Parse& parse) {
  E value{};
  if (parse(word, value)) return value;
  std::vector<std::string> words;
  std::string all;
  for (const E each : values) {
    words.emplace_back(to_string(each));
    all += " " + words.back();
  }
  const std::string nearest = nearest_word(word, words);
  command.usage_error("--" + std::string(option) + "=" + word + ": there is none of that name" +
                      (nearest.empty() ? "; there are:" + all : "; did you mean " + nearest + "?"));
}

}  // namespace

int whole_number(const Command& command, const char* option, int missing, int least, int most) {
  if (!command.has(option)) return missing;
  const std::string text = command.value_of(option);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    command.usage_error("--" + std::string(option) + "=" + text + ": not a whole number from " +
                        std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

void add_window_options(Command& command) {
  command.value("start", "I", "begin with the I-th job of the log (from 0)");
  command.value("jobs", "L", "replay so many jobs (all)");
  command.value("procs", "N", "processors of the machine (what the log's header says)");
}

NamedLog read_window(const Command& command, const std::string& path) {
  const int procs = whole_number(command, "procs", 0, 1);
  const auto first = static_cast<std::size_t>(whole_number(command, "start", 0, 0));
  const auto count = static_cast<std::size_t>(whole_number(command, "jobs", 0, 1));
  const SwfLog log = read_swf(path, procs);
  say_clean_ups(command, path, log.clean_ups);
  const std::size_t jobs = log.workload.jobs.size();
  if (first + count > jobs || first >= jobs) {
    throw Failure(path + " has " + std::to_string(jobs) +
                  " usable jobs: --start and --jobs go beyond them");
  }
  const auto begin = log.workload.jobs.begin();
  return {cut(log.workload, {first, count}),
          log.header.queues,
          {},
          log.clean_ups,
          {begin, begin + static_cast<std::ptrdiff_t>(first)}};
}

Workload read_log(const Command& command, const std::string& path) {
  SwfLog log = read_swf(path);
  say_clean_ups(command, path, log.clean_ups);
  return std::move(log.workload);
}

QueueOrder order_named(const Command& command, const std::string& word, const char* option) {
  return named(command, option, word, all_queue_orders(), parse_queue_order);
}

RunTimes run_times_named(const Command& command, const std::string& word, const char* option) {
  return named(command, option, word, all_run_times(), parse_run_times);
}

Backfill backfill_named(const Command& command, const std::string& word, const char* option) {
  return named(command, option, word, all_backfills(), parse_backfill);
}

}  // namespace hyades
