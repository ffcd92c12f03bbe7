#include "cli/job_environment.hpp"

#include <algorithm>
#include <map>

#include "cli/printable.hpp"

namespace hyades {
namespace {

using Variables = std::map<std::string, std::string>;

Variables parse_environment(const std::vector<std::string>& environment) {
  Variables variables;
  for (const std::string& entry : environment) {
    const std::size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos) continue;
    // Functions exported by bash: other shells choke on them, and so did other job managers.
    if (entry.rfind("BASH_FUNC_", 0) == 0) continue;
    variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return variables;
}

Variables login_variables(const Variables& all) {
  Variables chosen;
  for (const char* name : {"HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ"}) {
    if (const auto found = all.find(name); found != all.end()) chosen.insert(*found);
  }
  chosen["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
  return chosen;
}

// Splits at commas outside quotes; the quotes go.
bool split_list(const std::string& text, std::vector<std::string>& items) {
  std::string item;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        item += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ',') {
      items.push_back(std::move(item));
      item.clear();
    } else {
      item += c;
    }
  }
  items.push_back(std::move(item));
  return quote == '\0';
}

bool is_name(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
         std::string::npos;
}

void flatten(const Variables& variables, std::vector<std::string>& out) {
  out.clear();
  for (const auto& [name, value] : variables) out.push_back(name + "=" + value);
}

}  // namespace

std::string job_environment(const std::string& what, const std::vector<std::string>& environment,
                            std::vector<std::string>& out) {
  const Variables all = parse_environment(environment);
  if (what == "NIL") {
    out.clear();
    return "";
  }
  std::vector<std::string> items;
  if (!what.empty() && !split_list(what, items)) return "a quote is not closed";
  const bool everything =
      what.empty() || std::find(items.begin(), items.end(), "ALL") != items.end();
  Variables chosen = everything ? all : login_variables(all);
  if (what == "NONE") items.clear();
  for (const std::string& item : items) {
    if (item == "ALL") continue;
    if (item == "NONE" || item == "NIL") return item + " stands alone, without other names";
    const std::size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    if (!is_name(name)) {
      return "'" + escape_text(name.substr(0, 60)) + "' is not the name of a variable";
    }
    if (equals != std::string::npos) {
      chosen[name] = item.substr(equals + 1);
    } else if (const auto found = all.find(name); found != all.end()) {
      chosen[name] = found->second;
    }
  }
  flatten(chosen, out);
  return "";
}

}  // namespace hyades
