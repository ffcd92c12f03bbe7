#include "cli/dependency_list.hpp"

#include <charconv>

#include "wire/codec.hpp"

namespace hyades {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

bool parse_id(const std::string& text, JobId& id) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  return error == std::errc() && at == end && id != 0;
}

std::string refuse_kind(const std::string& kind) {
  if (kind == "singleton" || kind == "aftercorr" || kind == "afterburstbuffer" ||
      kind == "expand") {
    return kind + " dependencies are not supported yet; name the jobs: afterok:ID, afterany:ID";
  }
  JobId id = 0;
  if (parse_id(kind, id)) return "say what to wait for: afterok:" + kind + " or afterany:" + kind;
  return "not a dependency; use after, afterany, afterok or afternotok, then :ID[:ID...]";
}

std::string parse_one_id(const std::string& text, DependencyKind kind,
                         std::vector<Dependency>& out) {
  JobId id = 0;
  if (parse_id(text, id)) {
    const Dependency dependency{kind, id};
    for (const Dependency& have : out) {
      if (have == dependency) return "";
    }
    out.push_back(dependency);
    return "";
  }
  if (text.empty()) return "a job id is missing behind ':'; is a variable empty?";
  if (text.find('+') != std::string::npos) {
    return "a delay after a dependency (ID+MINUTES) is not supported yet";
  }
  if (text.find('_') != std::string::npos) return "job arrays are not supported yet";
  return "'" + text.substr(0, 40) + "' is not a job id";
}

}  // namespace

std::string parse_dependencies(const std::string& text, std::vector<Dependency>& out) {
  if (text.find('?') != std::string::npos) {
    return "'?' (any one of them) is not supported yet; ',' means all of them";
  }
  if (text.size() > 1'000'000) return "the list is longer than 1 MB";
  std::vector<Dependency> result;
  for (const std::string& clause : split(text, ',')) {
    const std::vector<std::string> parts = split(clause, ':');
    DependencyKind kind{};
    if (!parse_dependency_kind(parts[0], kind)) return refuse_kind(parts[0]);
    if (parts.size() == 1) return "a job id is missing: " + parts[0] + ":ID";
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (auto bad = parse_one_id(parts[i], kind, result); !bad.empty()) return bad;
    }
  }
  if (result.size() > Limits::list_max) return "more than 65536 dependencies";
  out = std::move(result);
  return "";
}

}  // namespace hyades
