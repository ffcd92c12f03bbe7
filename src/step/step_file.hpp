// What the programs of a job's steps read on its first node: who its nodes are and how to reach
// them. The text is described in schema/step_protocol.md. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"

namespace hyades {

struct StepNode {
  std::string node;
  std::string address;  // a name or a number, as the other nodes reach it; "": the node's name
  int port = 0;         // of its step daemon; 0: this is the first node, which needs none
  int tasks = 1;
  int cpus = 1;

  friend bool operator==(const StepNode&, const StepNode&) = default;
};

struct StepFile {
  LaunchKey key;
  std::string step_key;         // a secret of the job: 32 lower-case hexadecimal digits
  std::vector<StepNode> nodes;  // in share order; at least one

  int tasks() const;

  friend bool operator==(const StepFile&, const StepFile&) = default;
};

constexpr std::size_t step_file_bytes_max = 32u << 20;

bool is_step_key(std::string_view text);

std::string encode(const StepFile& file);

// False, `file` unchanged and `error` a clause, when `text` is not exactly such a file.
bool parse_step_file(std::string_view text, StepFile& file, std::string& error);

// The hostfile that makes a plain `mpirun` use the job's nodes: "vn1 slots=2" a line.
std::string mpi_hostfile(const StepFile& file);

// True when the two nodes are one machine: virtual nodes, which share its /tmp and /dev/shm.
bool share_a_machine(const StepNode& a, const StepNode& b);

}  // namespace hyades
