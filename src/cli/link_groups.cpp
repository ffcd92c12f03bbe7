#include "cli/link_groups.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/quantity.hpp"
#include "cli/table.hpp"
#include "core/hostlist.hpp"

namespace hyades {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The longest time that is near; 0: there is no gap.
double near_most(const std::vector<MeasuredLink>& links) {
  std::vector<double> times;
  for (const MeasuredLink& link : links) times.push_back(link.transfer_us());
  std::sort(times.begin(), times.end());
  double widest = kLinkGap, most = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i] < widest * times[i - 1]) continue;
    widest = times[i] / times[i - 1];
    most = times[i - 1];
  }
  return most;
}

// Of each node the first one that it can be reached from by near links.
std::map<std::string, std::string> chains(const std::vector<MeasuredLink>& links, double most) {
  std::map<std::string, std::string> first;
  for (const MeasuredLink& link : links) {
    first.try_emplace(link.a, link.a);
    first.try_emplace(link.b, link.b);
  }
  for (const MeasuredLink& link : links) {
    if (link.transfer_us() > most) continue;
    const std::string kept = first[link.a], gone = first[link.b];
    for (auto& [node, its] : first) its = its == gone ? kept : its;
  }
  return first;
}

}  // namespace

LinkGroups find_groups(const std::vector<MeasuredLink>& links) {
  LinkGroups found;
  const double most = near_most(links);
  if (most == 0) {
    found.why = "all links are alike";
    return found;
  }
  const std::map<std::string, std::string> first = chains(links, most);
  std::vector<double> near, far;
  for (const MeasuredLink& link : links) {
    const bool together = first.at(link.a) == first.at(link.b);
    if (together && link.transfer_us() > most) {
      found.why =
          link.a + " and " + link.b + " are far from each other, and near to the same nodes";
      return found;
    }
    (together ? near : far).push_back(link.transfer_us());
  }
  std::map<std::string, std::size_t> place;
  const auto add = [&](const std::string& node) {
    const auto [group, fresh] = place.try_emplace(first.at(node), found.groups.size());
    if (fresh) found.groups.emplace_back();
    std::vector<std::string>& nodes = found.groups[group->second];
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  };
  for (const MeasuredLink& link : links) {
    add(link.a);
    add(link.b);
  }
  found.far = median(far) / median(near);
  return found;
}

std::string links_page(const std::vector<MeasuredLink>& links, const Terminal& terminal) {
  Table table({{"FROM"}, {"TO"}, {"LATENCY", true}, {"RATE", true}});
  for (const MeasuredLink& link : links) {
    table.add({link.a, link.b, format_number(link.us) + " us", format_number(link.mb_s) + " MB/s"});
  }
  std::string text = table.render(terminal) + "\n";
  const LinkGroups found = find_groups(links);
  if (found.groups.empty()) return text + "No groups: " + found.why + ".\n";
  text += "Messages of 1 MiB take " + format_number(found.far) +
          " times as long between these groups. In hyades.toml:\n\n[placement]\nfar = " +
          printed("%.1f", std::max(found.far, 1.0)) + "\n";
  for (std::size_t i = 0; i < found.groups.size(); ++i) {
    text += "\n[[node]]\nname = \"" + compress_hostlist(found.groups[i]) + "\"\ngroup = \"g" +
            std::to_string(i + 1) + "\"\n";
  }
  return text;
}

Json links_json(const std::vector<MeasuredLink>& links) {
  Json list = Json::array();
  for (const MeasuredLink& link : links) {
    list.push_back({{"from", link.a}, {"to", link.b}, {"us", link.us}, {"mb_s", link.mb_s}});
  }
  const LinkGroups found = find_groups(links);
  return {{"links", list},
          {"groups", found.groups},
          {"far", found.groups.empty() ? Json(nullptr) : Json(found.far)},
          {"no_groups", text_json(found.why)}};
}

}  // namespace hyades
