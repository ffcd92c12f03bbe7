// The words of hreport. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// Writes the words as a message that is never too long. False, and `wrong` a sentence that names
// the word and how it should be, when one is no NAME=VALUE that would be taken.
bool write_report(const std::vector<std::string>& words, std::string& message, std::string& wrong);

}  // namespace hyades
