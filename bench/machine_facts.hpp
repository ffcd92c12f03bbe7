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

// The load averages of the last minute and of the last five.
std::string load_average();

}  // namespace hyades
