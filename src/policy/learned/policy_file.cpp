#include "policy/learned/policy_file.hpp"

#include <openssl/evp.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "file_io.hpp"

namespace hyades::learned {
namespace {

using jobscripts::FileError;

constexpr const char* kFix = "Make one with htrain, or leave out the model";
constexpr const char* kKind = "hyades global policy 1";

// Whoever has other rules or figures cannot use the weights, whatever their shapes.
std::string portfolio_text() {
  std::string text;
  for (const GlobalRule& rule : global_rules()) text += std::string(rule.name) + " ";
  return text;
}
std::string figures_text() {
  std::string text;
  for (const std::string& name : global_figure_names()) text += name + " ";
  return text;
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

void refuse_programs(const std::string& path, const std::string& bytes) {
  if (bytes.starts_with("PK\x03\x04")) {
    throw FileError(path, "a TorchScript or zip archive, which may hold programs", kFix);
  }
  if (bytes.starts_with("\x80\x02") || bytes.starts_with("\x80\x04")) {
    throw FileError(path, "a pickle, which is a program", kFix);
  }
}

std::string fact(const PolicyModel& model, const std::string& name) {
  const auto found = model.facts.find(name);
  return found == model.facts.end() ? "" : found->second;
}

double margin_of(const std::string& path, const std::string& text) {
  double margin = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), margin);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(margin)) {
    throw FileError(path, "its margin is no number", kFix);
  }
  return margin;
}

}  // namespace

std::string save_policy(const std::string& path, const PolicyNetwork& network, double margin,
                        std::map<std::string, std::string> facts) {
  facts["kind"] = kKind;
  facts["encoder"] = to_string(network.encoder());
  facts["margin"] = std::to_string(margin);
  facts["portfolio"] = portfolio_text();
  facts["figures"] = figures_text();
  jobscripts::write_safetensors(path, network.weights(), facts);
  return sha256(jobscripts::read_file(path, policy_file_most, kFix));
}

PolicyModel load_policy(const std::string& path) {
  const std::string bytes = jobscripts::read_file(path, policy_file_most, kFix);
  refuse_programs(path, bytes);
  jobscripts::Safetensors file = jobscripts::parse_safetensors(bytes, path, kFix);
  Encoder encoder{};
  if (file.metadata["kind"] != kKind || !parse_encoder(file.metadata["encoder"], encoder)) {
    throw FileError(path, "not a global policy of this version", kFix);
  }
  PolicyModel model{PolicyNetwork(encoder, 0), 0, std::move(file.metadata), sha256(bytes)};
  if (fact(model, "portfolio") != portfolio_text() || fact(model, "figures") != figures_text()) {
    throw FileError(path, "made for another portfolio or other observations", kFix);
  }
  model.margin = margin_of(path, fact(model, "margin"));
  try {
    model.network.set_weights(file.tensors);
  } catch (const std::invalid_argument& wrong) {
    throw FileError(path, wrong.what(), kFix);
  }
  return model;
}

}  // namespace hyades::learned
