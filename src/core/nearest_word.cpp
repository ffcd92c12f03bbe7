#include "core/nearest_word.hpp"

#include <algorithm>
#include <cstddef>

namespace hyades {
namespace {

// Nobody mistypes longer words, and the table below is quadratic.
constexpr std::size_t longest_word = 64;

std::string fold(const std::string& word) {
  std::string out = word;
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return out;
}

std::size_t edits(const std::string& a, const std::string& b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return table[i * width + j];
  };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

}  // namespace

std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > longest_word) return "";
  const std::string folded = fold(word);
  std::string best;
  std::size_t fewest = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > longest_word) continue;
    const std::size_t count = edits(folded, fold(candidate));
    // A third of the letters wrong is another word, not a slip.
    if (count > std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3)) continue;
    if (best.empty() || count < fewest) {
      best = candidate;
      fewest = count;
    }
  }
  return best;
}

}  // namespace hyades
