// "Did you mean ...?": the word that somebody who mistyped probably wanted.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// The candidate with the fewest edits (insert, delete, change, swap of neighbours; case and '-'
// against '_' cost nothing) from `word`; ties go to the earlier one. "" when none is near enough
// to be a likely slip.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace hyades
