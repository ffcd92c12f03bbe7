// Writes the text of a log to a file.
#pragma once

#include <string>

namespace hyades {

// Packed with gzip when the name ends with ".gz"; "-" is standard output. Throws
// std::runtime_error, with a sentence that names the file.
void write_log(const std::string& path, const std::string& text);

}  // namespace hyades
