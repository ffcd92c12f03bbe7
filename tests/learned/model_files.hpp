// Files of models, good and bad, for tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "policy/learned/policy_file.hpp"

namespace hyades::learned {

class ModelFiles {
 public:
  ModelFiles() {
    char name[] = "/tmp/hyades-models-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~ModelFiles() { std::filesystem::remove_all(root_); }
  ModelFiles(const ModelFiles&) = delete;
  ModelFiles& operator=(const ModelFiles&) = delete;

  std::string path(const std::string& name) const { return root_ / name; }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  // Of random weights.
  std::string random_model(const std::string& name, std::uint64_t seed,
                           Encoder encoder = Encoder::Mlp) const {
    save_policy(path(name), PolicyNetwork(encoder, seed), -1e9, {});
    return path(name);
  }
  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path root_;
};

}  // namespace hyades::learned
