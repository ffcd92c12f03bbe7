#include "cli/profile_file.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "core/hostlist.hpp"
#include "core/nearest_word.hpp"

namespace hyades {
namespace {

constexpr int kDepthMost = 8;  // a profile of a named node has 4

// Notices what the library lets pass: a key that is there twice, and arrays in arrays without end.
class KeyGuard {
 public:
  // For Json::parse; false would drop what was read, which nobody wants.
  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    if (depth > kDepthMost) throw std::invalid_argument("too deep: no profile looks like this");
    if (event == Json::parse_event_t::object_start) seen_.emplace_back();
    if (event == Json::parse_event_t::object_end && !seen_.empty()) seen_.pop_back();
    if (event == Json::parse_event_t::key && !seen_.empty()) {
      const std::string key = value.get<std::string>();
      if (!seen_.back().insert(key).second) {
        throw std::invalid_argument("'" + key + "' is there twice; leave one of them");
      }
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> seen_;
};

std::string place_in(const std::string& text, std::size_t byte) {
  const std::size_t end = std::min(byte == 0 ? 0 : byte - 1, text.size());
  const auto begin = text.begin();
  const auto stop = begin + static_cast<std::ptrdiff_t>(end);
  return std::to_string(std::count(begin, stop, '\n') + 1);
}

class Reader {
 public:
  Reader(const std::string& file, ProfileFile& out) : file_(file), out_(out) {}

  void fail(const std::string& key, const std::string& text) {
    out_.errors.push_back(file_ + ": " + (key.empty() ? "" : key + ": ") + text);
  }

  std::optional<Json> parse(const std::string& text) {
    try {
      KeyGuard guard;
      return Json::parse(text, [&](int depth, Json::parse_event_t event, Json& value) {
        return guard(depth, event, value);
      });
    } catch (const Json::parse_error& error) {
      out_.errors.push_back(file_ + ":" + place_in(text, error.byte) +
                            ": this is not JSON; numbers are written like 12.5, names in \"\"");
    } catch (const Json::out_of_range&) {
      fail("", "a number is too large to be one; figures are below 1e308");
    } catch (const std::invalid_argument& error) {
      fail("", error.what());
    }
    return std::nullopt;
  }

  // A profile; what is wrong with it is said of `key`.
  NodeProfile profile(const Json& json, const std::string& key) {
    NodeProfile profile;
    profile.source = file_;
    const std::string inside = key.empty() ? "" : key + ".";
    if (!json.is_object()) {
      fail(key, R"(a profile is an object, such as {"figures": {"gemm_gflops": 50}})");
      return profile;
    }
    const std::size_t errors = out_.errors.size();
    for (const auto& [name, value] : json.items()) {
      if (name == "source") {
        if (value.is_string()) profile.source = value.get<std::string>();
        if (!value.is_string()) fail(inside + name, "not a text in \"\"");
      } else if (name == "measured_ms") {
        read_time(value, inside + name, profile);
      } else if (name == "figures") {
        read_figures(value, inside + name, profile);
      } else {
        unknown(name, inside, {"source", "measured_ms", "figures", "nodes"});
      }
    }
    if (!json.contains("figures")) {
      fail(key, R"("figures" is missing, such as "figures": {"gemm_gflops": 50})");
    }
    if (out_.errors.size() != errors) return profile;
    const std::string wrong = check_profile(profile);
    if (!wrong.empty()) fail(key, wrong);
    return profile;
  }

  void unknown(const std::string& name, const std::string& inside,
               const std::vector<std::string>& known) {
    const std::string nearest = nearest_word(name, known);
    fail(inside + name,
         "no such key" + (nearest.empty() ? "; use \"source\", \"measured_ms\" and \"figures\""
                                          : "; did you mean \"" + nearest + "\"?"));
  }

 private:
  void read_time(const Json& value, const std::string& key, NodeProfile& profile) {
    // So that a time of another unit or beyond all dates is noticed.
    constexpr double most = 4e12;
    if (value.is_number() && value.get<double>() >= 0 && value.get<double>() <= most) {
      profile.measured_ms = static_cast<WallMs>(value.get<double>());
    } else {
      fail(key, "not milliseconds since 1970; 0, or leave it out, when it is not known");
    }
  }

  void read_figures(const Json& value, const std::string& key, NodeProfile& profile) {
    if (!value.is_object()) return fail(key, R"(not an object, such as {"gemm_gflops": 50})");
    for (const auto& [name, figure] : value.items()) {
      if (figure.is_number()) {
        profile.figures[name] = figure.get<double>();
        doubt(key + "." + name, name);
      } else {
        fail(key + "." + name, "not a number; a figure is a number above 0, without \"\"");
      }
    }
  }

  // Any other name is that of a class of work, and a slip would go unnoticed.
  void doubt(const std::string& key, const std::string& name) {
    const std::vector<std::string>& measured = measured_figures();
    if (std::count(measured.begin(), measured.end(), name) > 0) return;
    const std::string nearest = nearest_word(name, measured);
    if (nearest.empty()) return;
    out_.warnings.push_back(file_ + ": " + key + ": taken for a class of work; did you mean \"" +
                            nearest + "\"?");
  }

  const std::string& file_;
  ProfileFile& out_;
};

// The profiles of a file of named nodes, by node; each name once.
std::vector<NamedProfile> named_profiles(const Json& nodes, Reader& reader) {
  std::vector<NamedProfile> all;
  std::map<std::string, std::string> said;
  if (!nodes.is_object()) {
    reader.fail("nodes", R"(not an object, such as {"n[1-4]": {"figures": {...}}})");
    return all;
  }
  for (const auto& [names, json] : nodes.items()) {
    const std::string key = "nodes." + names;
    std::vector<std::string> expanded;
    std::string error;
    if (!expand_hostlist(names, expanded, error)) reader.fail(key, error);
    const NodeProfile profile = reader.profile(json, key);
    for (const std::string& node : expanded) {
      const auto [at, is_new] = said.emplace(node, names);
      if (!is_new) {
        reader.fail(key, "node " + node + " is in '" + at->second + "' already; name it once");
      }
      all.push_back({node, profile});
    }
  }
  if (nodes.empty()) reader.fail("nodes", "no node is in it");
  return all;
}

// Those that were asked for, in the order in which they were.
std::vector<NamedProfile> only(const std::vector<NamedProfile>& all,
                               const std::vector<std::string>& nodes, Reader& reader) {
  std::vector<NamedProfile> chosen;
  for (const std::string& node : nodes) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const NamedProfile& named) { return named.node == node; });
    if (found == all.end()) {
      reader.fail("nodes", "node " + node + " is not in it; add it, or do not name it");
    } else {
      chosen.push_back(*found);
    }
  }
  return chosen;
}

}  // namespace

ProfileFile parse_profiles(const std::string& text, const std::string& file,
                           const std::vector<std::string>& nodes) {
  ProfileFile result;
  Reader reader(file, result);
  const std::optional<Json> json = reader.parse(text);
  if (!json) return result;
  if (json->is_object() && json->contains("nodes")) {
    for (const auto& [name, value] : json->items()) {
      if (name != "nodes") reader.fail(name, "not beside \"nodes\"; each node has its own");
    }
    result.profiles = named_profiles((*json)["nodes"], reader);
    if (!nodes.empty() && result.errors.empty()) {
      result.profiles = only(result.profiles, nodes, reader);
    }
  } else {
    const NodeProfile profile = reader.profile(*json, "");
    if (nodes.empty() && result.errors.empty()) {
      reader.fail(
          "", "whose profile is this? name the nodes: hctl node profile NODE... --from " + file);
    }
    for (const std::string& node : nodes) result.profiles.push_back({node, profile});
  }
  if (!result.errors.empty()) result.profiles.clear();
  return result;
}

Json profile_json(const NodeProfile& profile) {
  Json figures = Json::object();
  for (const auto& [name, value] : profile.figures) figures[name] = value;
  return {{"source", profile.source}, {"measured_ms", profile.measured_ms}, {"figures", figures}};
}

std::string figure_text(double value) {
  constexpr int digits = 4;
  const int before_point = value < 1 ? 1 : static_cast<int>(std::log10(value)) + 1;
  const int after_point = value < 1 ? digits : std::max(digits - before_point, 0);
  char text[64];
  const bool plain = value >= 1e-3 && value < 1e12;
  std::snprintf(text, sizeof text, plain ? "%.*f" : "%.*g", plain ? after_point : digits, value);
  return text;
}

bool parse_kernel_seconds(const std::string& text, double& seconds) {
  constexpr double most = 60;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || !(value > 0) || value > most) return false;
  seconds = value;
  return true;
}

std::string figure_unit(const std::string& figure) {
  static const std::map<std::string, std::string> units = {{"gemm_gflops", "Gflop/s"},
                                                           {"stream_gbs", "GB/s"},
                                                           {"stream_one_gbs", "GB/s"},
                                                           {"chase_ns", "ns"},
                                                           {"disk_mbs", "MB/s"},
                                                           {"idle_w", "W"},
                                                           {"busy_w", "W"}};
  const auto found = units.find(figure);
  return found == units.end() ? "" : found->second;
}

const std::vector<std::string>& measured_figures() {
  static const std::vector<std::string> names = {
      "gemm_gflops", "stream_gbs", "stream_one_gbs", "chase_ns", "disk_mbs", "idle_w", "busy_w"};
  return names;
}

}  // namespace hyades
