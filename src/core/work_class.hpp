// What a job does with a node. No number says how fast a node is: each class of work has its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hyades {

// Of the time that the work takes on the best node there is, the share that goes by each of the
// node's figures (core/node_profile.hpp). On another node each share takes longer as that figure is
// worse (the roofline's view: Williams, Waterman and Patterson 2009, here as a sum rather than a
// maximum, so that it is smooth). What is left over takes the same time everywhere.
struct WorkClass {
  std::string name;
  double compute = 0;  // gemm_gflops
  double memory = 0;   // stream_one_gbs; also what it takes of the node's stream_gbs
  double latency = 0;  // chase_ns
  double disk = 0;     // disk_mbs
  double network = 0;  // between its nodes: near ones are faster

  double total() const { return compute + memory + latency + disk + network; }

  friend bool operator==(const WorkClass&, const WorkClass&) = default;
};

// Jobs of this class stay where the global policy puts them.
inline constexpr std::string_view kUnplacedWorkClass = "none";

// compute, memory, latency, disk, network, mixed, none. Sites may redefine them and add others.
const std::vector<WorkClass>& known_work_classes();

// Of a job that says nothing, in a queue that says nothing.
inline constexpr std::string_view kDefaultWorkClass = "mixed";

// "" if it may name a class: letters, digits and _.-, at most 64.
std::string check_class_name(std::string_view name);

}  // namespace hyades
