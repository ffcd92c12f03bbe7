#include "trace/log_file.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace hyades {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw std::runtime_error(path + ": cannot be written: " + std::strerror(error));
}

void write_plain(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) fail(path, errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (const bool closed = std::fclose(file) == 0; !written || !closed) fail(path, errno);
}

void write_packed(const std::string& path, const std::string& text) {
  const gzFile file = gzopen(path.c_str(), "wbe");
  if (file == nullptr) fail(path, errno != 0 ? errno : ENOMEM);
  const std::size_t written = gzfwrite(text.data(), 1, text.size(), file);
  if (gzclose(file) != Z_OK || written != text.size()) fail(path, errno != 0 ? errno : EIO);
}

}  // namespace

void write_log(const std::string& path, const std::string& text) {
  if (path.ends_with(".gz")) {
    write_packed(path, text);
  } else {
    write_plain(path, text);
  }
}

}  // namespace hyades
