#include "cli/efficiency_columns.hpp"

#include "cli/job_columns.hpp"
#include "cli/quantity.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

std::string share_or_dash(const std::optional<double>& share) {
  return share ? format_share(share) : "-";
}

std::string energy_text(const JobEfficiency& job) {
  if (!job.energy_j) return "-";
  return (job.energy_modelled ? "~" : "") + format_quantity(job.energy_j, "J");
}

}  // namespace

Table efficiency_table(const std::vector<JobEfficiency>& jobs) {
  Table table({{"JobID", true},
               {"JobName", false, 6, 2},
               {"User", false, 6, 3},
               {"State", false, 9},
               {"Elapsed", true},
               {"TimeEff", true, 0, 4},
               {"CPUEff", true},
               {"MemEff", true},
               {"GPUEff", true, 0, 5},
               {"Energy", true, 0, 6},
               {"Suggestion", false, 10, 1}});
  for (const JobEfficiency& job : jobs) {
    const Advice advice = advise(job);
    table.add({std::to_string(job.job.id()),
               job.job.name(),
               job.job.user(),
               {job.job.state(), state_colour(job.job.state())},
               format_duration(job.elapsed_ms / 1000),
               share_or_dash(job.limit_share),
               share_or_dash(job.cpu_share),
               share_or_dash(job.memory_share),
               share_or_dash(job.gpu_share),
               energy_text(job),
               directive_line(advice)});
  }
  return table;
}

}  // namespace hyades
