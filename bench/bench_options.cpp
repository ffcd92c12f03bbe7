#include "bench_options.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <vector>

#include "version.hpp"

namespace hyades {

namespace {

namespace po = boost::program_options;

constexpr int kUsageError = 2;

const std::vector<std::string> kMeasurements = {
    "acks",      "advice", "decisions", "idle",    "jobs",  "latency", "lending",  "memory",
    "placement", "racks",  "replays",   "restart", "rings", "steps",   "telemetry"};

constexpr const char* kUsage =
    "Usage: hyades_bench "
    "[all|acks|advice|decisions|idle|jobs|latency|lending|memory|placement|\n"
    "       racks|replays|restart|rings|steps|telemetry]... [options]\n\n"
    "Starts a local cluster of its own in a temporary directory, measures it, prints each figure\n"
    "beside its bar, and takes the cluster down again.\n\n"
    "  acks     durable submissions a second over 1 and 64 connections\n"
    "  jobs     jobs that do nothing, a second, beside a two-way posix_spawn loop\n"
    "  latency  from submission to start on an idle cluster\n"
    "  idle     CPU that each process uses while nothing happens\n"
    "  memory   of the master, with many jobs queued\n"
    "  restart  of a killed master, with the same many jobs\n"
    "  rings    bytes that an hour of a node's readings takes; needs no cluster\n"
    "  advice   answers of hyades-advisor, and its memory; needs no cluster\n"
    "  decisions  a scheduling pass, by order, queue and nodes; needs no cluster\n"
    "  placement  makespans on unlike nodes, with phase 2 and without; needs root, for quotas\n"
    "  lending  a busy job with the idle core of its node and without; needs control groups\n"
    "  racks    a job that talks, on near and far nodes, with phase 2 and without; needs root,\n"
    "           for networks in namespaces\n"
    "  replays  jobs a second of hsim, by length of the log and of the queue; needs no cluster\n"
    "  steps    hrun beside a posix_spawn loop, and jobs on several nodes\n"
    "  telemetry  how much slower jobs are for it, by period and number of jobs (8 minutes)\n\n"
    "Exit codes: 0 measured, 1 failed (with --require: or a bar is missed), 2 usage.\n\n";

[[noreturn]] void usage_error(const std::string& message) {
  std::cerr << "hyades_bench: " << message << " (--help shows how)\n";
  std::exit(kUsageError);
}

po::options_description describe(BenchOptions& options) {
  po::options_description described("Options");
  const auto add = [&](const char* name, auto& value, const char* text) {
    described.add_options()(name, po::value(&value)->default_value(value), text);
  };
  add("dir", options.directory, "where to make the temporary directory; the disk matters");
  add("seconds", options.seconds, "of each repetition");
  add("rounds", options.rounds, "repetitions; medians are reported");
  add("idle-seconds", options.idle_seconds, "idle: how long to watch");
  add("queued-jobs", options.queued_jobs, "memory, restart: jobs in the queue");
  add("trivial-jobs", options.trivial_jobs, "jobs: in each repetition");
  add("latency-jobs", options.latency_jobs, "latency: in all");
  add("commit", options.commit, "what is measured; only printed");
  described.add_options()("require", po::bool_switch(&options.require),
                          "exit with 1 when a bar is missed")(
      "json", po::bool_switch(&options.json), "print JSON")(
      "markdown", po::value(&options.markdown), "also write the result to this file")(
      "smoke", po::bool_switch(&options.smoke),
      "everything as short as can be, to see that it works; the figures mean nothing")(
      "help,h", "print this help")("version", "print the version");
  return described;
}

// Only what was not said.
void shorten(const po::variables_map& values, BenchOptions& options) {
  const auto set = [&](const char* name, auto& value, auto small) {
    if (values[name].defaulted()) value = small;
  };
  set("seconds", options.seconds, 0.3);
  set("rounds", options.rounds, 1);
  set("idle-seconds", options.idle_seconds, 1.0);
  set("queued-jobs", options.queued_jobs, 500);
  set("trivial-jobs", options.trivial_jobs, 50);
  set("latency-jobs", options.latency_jobs, 5);
}

void choose(const std::vector<std::string>& words, BenchOptions& options) {
  for (const std::string& word : words) {
    if (word == "all") {
      options.wanted.insert(kMeasurements.begin(), kMeasurements.end());
    } else if (std::count(kMeasurements.begin(), kMeasurements.end(), word) > 0) {
      options.wanted.insert(word);
    } else {
      usage_error("unknown measurement '" + word + "'");
    }
  }
  if (words.empty()) choose({"all"}, options);
}

void check(const BenchOptions& options) {
  if (options.smoke && options.require) usage_error("--smoke judges nothing: no --require with it");
  if (options.seconds <= 0 || options.idle_seconds <= 0) usage_error("times must be above 0");
  if (options.rounds < 1 || options.queued_jobs < 1 || options.trivial_jobs < 1 ||
      options.latency_jobs < 1) {
    usage_error("counts must be above 0");
  }
}

}  // namespace

BenchOptions BenchOptions::parse(int argc, char** argv) {
  BenchOptions options;
  std::vector<std::string> words;
  const po::options_description described = describe(options);
  po::options_description all;
  all.add(described).add_options()("measurement", po::value(&words));
  po::positional_options_description positions;
  positions.add("measurement", -1);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(all).positional(positions).run(), values);
    po::notify(values);
    if (values.count("help") != 0) {
      std::cout << kUsage << described;
      std::exit(0);
    }
    if (values.count("version") != 0) {
      std::cout << "hyades_bench " << kVersion << "\n";
      std::exit(0);
    }
    if (options.smoke) shorten(values, options);
  } catch (const po::error& error) {
    usage_error(error.what());
  }
  choose(words, options);
  check(options);
  options.directory = std::filesystem::absolute(options.directory).lexically_normal().string();
  options.command = "hyades_bench";
  for (int i = 1; i < argc; ++i) options.command += std::string(" ") + argv[i];
  return options;
}

}  // namespace hyades
