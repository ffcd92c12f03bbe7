#include "wire/network_login.hpp"

#include <algorithm>
#include <cctype>

namespace hyades {

namespace {

std::string job(std::uint64_t id) { return " job " + std::to_string(id); }

// A log's lines are one each, whatever a client calls a node.
std::string safe(std::string text) {
  if (text.size() > 64) text.resize(64);
  std::replace_if(
      text.begin(), text.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; },
      '?');
  return text;
}

std::string lower_name(const std::string& name) {
  std::string out = name.substr(name.find('_') + 1);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string verb_and_object(const pb::ClientRequest& request) {
  switch (request.what_case()) {
    case pb::ClientRequest::kSubmit:
      return "submit";
    case pb::ClientRequest::kActOnJob:
      return lower_name(pb::JobAction_Name(request.act_on_job().action())) +
             job(request.act_on_job().job());
    case pb::ClientRequest::kActOnNode:
      return lower_name(pb::NodeAction_Name(request.act_on_node().action())) + " node " +
             safe(request.act_on_node().node());
    case pb::ClientRequest::kActOnModel:
      return lower_name(pb::ModelAction_Name(request.act_on_model().action())) + " model";
    case pb::ClientRequest::kShowEvents:
      return "show_events" + job(request.show_events().job());
    case pb::ClientRequest::kShowScript:
      return "show_script" + job(request.show_script().job());
    case pb::ClientRequest::WHAT_NOT_SET:
      return "nothing";
    default: {
      const auto* field =
          pb::ClientRequest::descriptor()->FindFieldByNumber(static_cast<int>(request.what_case()));
      return field == nullptr ? "unknown" : field->name();
    }
  }
}

}  // namespace hyades
