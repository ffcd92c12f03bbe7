#include "telemetry/papi_preset.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace hyades {
namespace {

// How often each native event counts: 1 or -1, or 0 for not at all.
using Signs = std::vector<int>;

std::optional<Signs> combined(const Signs& a, const Signs& b, int sign) {
  Signs sum = a;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] += sign * b[i];
    if (sum[i] < -1 || sum[i] > 1) return std::nullopt;
  }
  return sum;
}

// "N0|N1|-|": N0 minus N1. Nothing but sums and differences.
std::optional<Signs> parse_postfix(std::string_view text, std::size_t count) {
  std::vector<Signs> stack;
  while (!text.empty()) {
    const std::string_view token = text.substr(0, text.find('|'));
    text.remove_prefix(std::min(text.size(), token.size() + 1));
    if (token.starts_with('N')) {
      std::size_t index = 0;
      const auto [end, error] =
          std::from_chars(token.data() + 1, token.data() + token.size(), index);
      if (error != std::errc() || end != token.data() + token.size() || index >= count) return {};
      stack.emplace_back(count, 0);
      stack.back()[index] = 1;
    } else if ((token == "+" || token == "-") && stack.size() >= 2) {
      const auto sum = combined(stack[stack.size() - 2], stack.back(), token == "+" ? 1 : -1);
      if (!sum) return {};
      stack.pop_back();
      stack.back() = *sum;
    } else if (!token.empty()) {
      return {};
    }
  }
  if (stack.size() != 1) return {};
  return stack.front();
}

std::optional<Signs> signs_of(const PapiPreset& preset) {
  const std::size_t count = preset.natives.size();
  if (count == 0) return {};
  Signs signs(count, 1);
  if (preset.derived == "DERIVED_POSTFIX") return parse_postfix(preset.postfix, count);
  if (preset.derived == "DERIVED_SUB") {
    std::fill(signs.begin() + 1, signs.end(), -1);
    return signs;
  }
  const bool single = count == 1 && (preset.derived.empty() || preset.derived == "NOT_DERIVED");
  if (!single && preset.derived != "DERIVED_ADD") return {};
  return signs;
}

}  // namespace

void add_preset(const PapiPreset& preset, const EncodeNative& encode, CounterCatalogue& catalogue) {
  const std::optional<Signs> signs = signs_of(preset);
  if (!signs) {
    return catalogue.add_missing(preset.name, "here it is more than a sum of events");
  }
  PlannedCounter counter{preset.name, CounterSide::User, {}};
  for (std::size_t i = 0; i < signs->size(); ++i) {
    if ((*signs)[i] == 0) continue;
    PerfTerm term;
    if (!encode(preset.natives[i], term) || !is_harmless(term)) {
      return catalogue.add_missing(
          preset.name, "its event " + preset.natives[i] + " cannot be put to the kernel");
    }
    term.subtract = (*signs)[i] < 0;
    counter.terms.push_back(term);
  }
  if (counter.terms.empty() || counter.terms.size() > counter_terms_max) {
    return catalogue.add_missing(preset.name, "here it needs too many events");
  }
  catalogue.add({std::move(counter), "PAPI preset"});
}

}  // namespace hyades
