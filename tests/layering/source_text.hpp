// Source files as the layering test reads them.
#pragma once

#include <string>
#include <vector>

namespace hyades {

struct SourceFile {
  std::string path;                    // relative to the repository: "src/core/job.hpp"
  std::string text;                    // as it is
  std::string code;                    // without comments and the insides of literals, line by line
  std::vector<std::string> quoted;     // #include "..."
  std::vector<std::string> bracketed;  // #include <...>

  // "core" for "src/core/job.hpp"; "" outside src/.
  std::string part() const;
};

SourceFile read_source(const std::string& path, std::string text);

// Every C++ file below these folders of the repository.
std::vector<SourceFile> source_files(const std::vector<std::string>& folders);

// "path:line" of each place at which `pattern` (ECMAScript) matches a line of `text`.
std::vector<std::string> places(const SourceFile& file, const std::string& text,
                                const std::string& pattern);

}  // namespace hyades
