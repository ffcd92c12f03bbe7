#include "policy/learned/policy_header.hpp"

#include <openssl/evp.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "file_io.hpp"
#include "policy/global_choice.hpp"
#include "policy/global_state.hpp"

namespace hyades::learned {
namespace {

using jobscripts::FileError;

constexpr const char* kKind = "hyades global policy 2";

// Whoever has other choices or figures cannot use the weights, whatever their shapes.
std::string portfolio_text() { return choices_text(every_choice()); }
std::string figures_text() {
  std::string text;
  for (const std::string& name : global_figure_names()) text += name + " ";
  return text;
}

void refuse_programs(const std::string& path, const std::string& bytes) {
  if (bytes.starts_with("PK\x03\x04")) {
    throw FileError(path, "a TorchScript or zip archive, which may hold programs", policy_file_fix);
  }
  // A header may have such a length, but then its text follows.
  const bool pickled =
      bytes.starts_with('\x80') && bytes.size() > 1 && bytes[1] >= 2 && bytes[1] <= 5;
  if (pickled && (bytes.size() < 9 || bytes[8] != '{')) {
    throw FileError(path, "a pickle, which is a program", policy_file_fix);
  }
}

double margin_of(const std::string& path, const std::string& text) {
  double margin = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), margin);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(margin)) {
    throw FileError(path, "its margin is no number", policy_file_fix);
  }
  return margin;
}

}  // namespace

std::map<std::string, std::string> policy_facts(double margin) {
  return {{"kind", kKind},
          {"margin", std::to_string(margin)},
          {"portfolio", portfolio_text()},
          {"figures", figures_text()}};
}

std::string sha256(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot make a SHA-256 digest");
  }
  static const char* const kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string read_policy_file(const std::string& path) {
  return jobscripts::read_file(path, policy_file_most, policy_file_fix);
}

PolicyHeader parse_policy(const std::string& bytes, const std::string& path,
                          std::vector<jobscripts::NamedTensor>& tensors) {
  refuse_programs(path, bytes);
  jobscripts::Safetensors file = jobscripts::parse_safetensors(bytes, path, policy_file_fix);
  if (file.metadata["kind"] != kKind) {
    throw FileError(path, "not a global policy of this version", policy_file_fix);
  }
  if (!file.metadata.contains("checksum")) {
    throw FileError(path, "has no checksum: nobody could tell if it was changed", policy_file_fix);
  }
  if (file.metadata["portfolio"] != portfolio_text() ||
      file.metadata["figures"] != figures_text()) {
    throw FileError(path, "made for another portfolio or other observations", policy_file_fix);
  }
  std::size_t said = 0;
  for (const auto& [name, value] : file.metadata) said += name.size() + value.size();
  if (said > policy_facts_most) {
    throw FileError(path, "says more of how it was made than anybody reads", policy_file_fix);
  }
  const double margin = margin_of(path, file.metadata["margin"]);
  tensors = std::move(file.tensors);
  return {std::move(file.metadata), margin, sha256(bytes)};
}

std::string installed_policy_file() {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "share" / "hyades" / "global_policy.safetensors";
}

}  // namespace hyades::learned
