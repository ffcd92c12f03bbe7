// Where and when a measurement was made: without it no number means anything.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hyades {

struct MachineFacts {
  std::vector<std::pair<std::string, std::string>> lines;  // name, value, in order

  // `directory`: on whose file system the cluster's state was.
  static MachineFacts collect(const std::string& directory);
  void add(std::string name, std::string value) {
    lines.emplace_back(std::move(name), std::move(value));
  }
};

// The load averages, and how much of the cores is busy right now (watched for a second): what else
// runs on the machine, when it is asked while no cluster of ours does.
std::string other_load();

}  // namespace hyades
