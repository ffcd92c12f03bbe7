// Tables of names for enumerations: one place for both directions.
#pragma once

#include <cstddef>
#include <string_view>

namespace hyades {

template <typename E>
struct Word {
  E value;
  std::string_view word;
};

template <typename E, std::size_t N>
constexpr std::string_view word_of(const Word<E> (&table)[N], E value) {
  for (const Word<E>& entry : table) {
    if (entry.value == value) return entry.word;
  }
  return "?";
}

template <typename E, std::size_t N>
constexpr bool parse_word(const Word<E> (&table)[N], std::string_view word, E& out) {
  for (const Word<E>& entry : table) {
    if (entry.word == word) {
      out = entry.value;
      return true;
    }
  }
  return false;
}

}  // namespace hyades
