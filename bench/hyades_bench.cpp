// Measures a Hyades cluster on this machine. See --help.
#include <fstream>
#include <iostream>

#include "machine_facts.hpp"
#include "measurements.hpp"

namespace {

using namespace hyades;

void measure(Bench& bench) {
  const BenchOptions& options = bench.options;
  if (options.wants("idle")) measure_idle(bench);
  if (options.wants("latency")) measure_latency(bench);
  if (options.wants("jobs")) measure_jobs(bench);
  if (options.wants("steps")) measure_steps(bench);
  if (options.wants("rings")) measure_rings(bench);
  if (options.wants("advice")) measure_advice(bench);
  if (options.wants("decisions")) measure_decisions(bench);
  if (options.wants("placement")) measure_placement(bench);
  if (options.wants("lending")) measure_lending(bench);
  if (options.wants("replays")) measure_replays(bench);
  if (options.wants("telemetry")) measure_telemetry(bench);
  if (options.wants("acks")) measure_acks(bench);
  if (options.wants("memory") || options.wants("restart")) measure_memory_and_restart(bench);
  if (options.wants("racks")) measure_racks(bench);  // has another network from then on
}

bool write_markdown(const BenchOptions& options, const Report& report, const MachineFacts& facts) {
  if (options.markdown.empty()) return true;
  std::ofstream file(options.markdown);
  file << report.to_markdown(facts, options.command);
  file.close();
  if (file) return true;
  std::cerr << "hyades_bench: cannot write " << options.markdown << "\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const BenchOptions options = BenchOptions::parse(argc, argv);
  Report report;
  Progress progress;
  Bench bench{options, report, progress};
  try {
    MachineFacts facts = MachineFacts::collect(options.directory);
    measure(bench);
    facts.add("other load, after", other_load());
    facts.add("commit", options.commit);
    progress.clear();
    if (options.smoke) {
      std::cerr << "hyades_bench: a smoke run; its figures mean nothing\n";
      report.forget_bars();
    }
    std::cout << (options.json ? report.to_json(facts, options.command) : report.to_text());
    if (!write_markdown(options, report, facts)) return 1;
  } catch (const std::exception& error) {
    progress.clear();
    std::cerr << "hyades_bench: " << error.what() << "\n";
    return 1;
  }
  return options.require && !report.every_bar_met() ? 1 : 0;
}
