#include "step/mpi_variables.hpp"

#include <algorithm>
#include <initializer_list>

namespace hyades {
namespace {

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

}  // namespace

bool belongs_to_outer_mpi(std::string_view variable) {
  const std::string_view name = name_of(variable);
  return starts_with_any(name, {"OMPI_", "PMIX_", "ORTE_", "PRTE_", "OPAL_", "PMI_", "HYDRA_",
                                "I_MPI_HYDRA_"}) ||
         name == "HFI_NO_BACKTRACE" || name == "IPATH_NO_BACKTRACE" || name == "PSM2_DEVICES";
}

bool belongs_to_launching_mpi(std::string_view variable) {
  const std::string_view name = name_of(variable);
  if (!belongs_to_outer_mpi(name) || name.starts_with("OMPI_ALLOW_RUN_AS_ROOT")) return false;
  if (!name.starts_with("OMPI_MCA_")) return true;
  // Where the ranks of a world find their daemon, and what they are there.
  return name != "OMPI_MCA_orte_default_hostfile" &&
         (starts_with_any(name, {"OMPI_MCA_ess", "OMPI_MCA_orte_", "OMPI_MCA_pmix",
                                 "OMPI_MCA_initial_wdir", "OMPI_MCA_shmem_RUNTIME"}) ||
          (name == "OMPI_MCA_plm" && variable != "OMPI_MCA_plm=rsh") || name == "OMPI_MCA_routed");
}

}  // namespace hyades
