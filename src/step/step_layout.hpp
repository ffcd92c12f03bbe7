// Which tasks of a step run on which of the job's nodes. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "step/step_file.hpp"

namespace hyades {

// What the user asked for; 0 and an empty list: nothing.
struct StepRequest {
  int tasks = 0;
  int tasks_per_node = 0;
  int nodes = 0;
  std::vector<std::string> node_list;
};

// One node of a step: its tasks have the ranks first_rank, first_rank + 1, ...
struct StepShare {
  StepNode where;
  int first_rank = 0;
  int tasks = 0;
};

// Block distribution: ranks count up through the nodes in the job's order. Without any wish every
// node gets the tasks that the job has there; fewer tasks fill the first nodes, unless --nodes asks
// for as many nodes, which then get one each before any gets more. False and `error` a sentence
// when the job does not have what is asked for.
bool lay_out_step(const StepFile& job, const StepRequest& request, std::vector<StepShare>& shares,
                  std::string& error);

// "2(x3),1": equal neighbours together.
std::string counts_per_node(const std::vector<int>& counts);

// The names as short as they get without changing their order: "vn[1-3]", but "vn3,vn1".
std::string ordered_hostlist(const std::vector<std::string>& names);

}  // namespace hyades
