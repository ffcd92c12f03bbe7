#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hyades::jobscripts {

/// A file that cannot be used. The message names the file, what is wrong with it and the fix.
class FileError : public std::runtime_error {
 public:
  FileError(const std::string& path, const std::string& problem, const std::string& fix)
      : std::runtime_error(path + ": " + problem + ". " + fix) {}
};

/// The whole file. Throws FileError where it cannot be read or is larger than `max_bytes`.
std::string read_file(const std::string& path, std::size_t max_bytes, const std::string& fix);

/// Replaces the file in one step: readers, and a machine that loses power, see either the old
/// file or all of the new one. Throws FileError and leaves the old file where that fails.
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace hyades::jobscripts
