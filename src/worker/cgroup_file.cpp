#include "worker/cgroup_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "wire/unique_fd.hpp"

namespace hyades {

bool write_cgroup_file(const std::string& path, std::string_view text) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ssize_t written = -1;
  do {
    if (file) written = write(file.get(), text.data(), text.size());
  } while (file && written < 0 && errno == EINTR);
  return written == static_cast<ssize_t>(text.size());
}

bool read_cgroup_file(const std::string& path, std::string& text) {
  text.clear();
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  char buffer[4096];
  while (true) {
    const ssize_t size = read(file.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

std::int64_t cgroup_number(std::string_view text, std::int64_t fallback) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : fallback;
}

std::int64_t cgroup_number(std::string_view text, std::string_view name, std::int64_t fallback) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return cgroup_number(line.substr(name.size() + 1), fallback);
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return fallback;
}

std::string cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (int cpu : cpus) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

bool make_cgroup_directory(const std::string& path) {
  return mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

void remove_empty_cgroups(const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') rmdir((path + '/' + entry->d_name).c_str());
  }
  closedir(directory);
  rmdir(path.c_str());
}

bool remove_cgroup(const std::string& path) { return rmdir(path.c_str()) == 0 || errno == ENOENT; }

}  // namespace hyades
