#include "cli/state_directory.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace hyades {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string home_directory() {
  if (std::string home = variable("HOME"); !home.empty()) return home;
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr || entry->pw_dir == nullptr ? "" : entry->pw_dir;
}

std::string absolute(const std::string& path, const std::string& current) {
  std::filesystem::path whole(path);
  if (whole.is_relative()) whole = std::filesystem::path(current) / whole;
  std::string text = whole.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace

std::string choose_state_directory(const StateDirectorySources& sources) {
  if (!sources.option.empty()) return absolute(sources.option, sources.current);
  if (!sources.hyades_dir.empty()) return absolute(sources.hyades_dir, sources.current);
  // The XDG rules: a relative XDG_STATE_HOME counts as unset.
  if (!sources.xdg_state.empty() && sources.xdg_state.front() == '/') {
    return absolute(sources.xdg_state + "/hyades", sources.current);
  }
  if (sources.home.empty()) return "";
  return absolute(sources.home + "/.local/state/hyades", sources.current);
}

std::string state_directory(const std::string& option) {
  std::error_code error;
  const std::string chosen = choose_state_directory({
      .option = option,
      .hyades_dir = variable("HYADES_DIR"),
      .xdg_state = variable("XDG_STATE_HOME"),
      .home = home_directory(),
      .current = std::filesystem::current_path(error).string(),
  });
  if (chosen.empty()) {
    throw std::runtime_error(
        "no state directory: give --dir DIR or set HYADES_DIR (this user has no home directory)");
  }
  return chosen;
}

MasterAddress choose_master(const std::string& master_option, const std::string& dir_option) {
  if (!master_option.empty()) return {.state_directory = "", .network = master_option};
  const std::string network = variable("HYADES_MASTER");
  if (dir_option.empty() && !network.empty()) return {.state_directory = "", .network = network};
  return {.state_directory = state_directory(dir_option), .network = ""};
}

}  // namespace hyades
