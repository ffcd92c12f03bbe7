// Writes each target's seeds into a folder, as libFuzzer wants them: write_seeds DIRECTORY
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz_targets.hpp"

namespace {

void write(const std::filesystem::path& folder, const std::vector<std::string>& seeds) {
  std::filesystem::create_directories(folder);
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    std::ofstream(folder / std::to_string(i), std::ios::binary) << seeds[i];
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  const std::filesystem::path top = argv[1];
  for (const hyades::fuzz::FuzzTarget& target : hyades::fuzz::fuzz_targets()) {
    write(top / target.name, target.seeds);
  }
}
