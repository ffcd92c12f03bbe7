#include "cli/device_request.hpp"

#include <algorithm>
#include <charconv>

#include "core/job_spec.hpp"

namespace hyades {
namespace {

bool parse_count(const std::string& text, int& count) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, count);
  return error == std::errc() && at == end && count <= Limits::count_max;
}

bool is_word(const std::string& text) {
  return !text.empty() && text.size() <= 64 && text[0] != '-' && text[0] != '.' &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
             std::string::npos;
}

void add(DeviceRequest& request, const std::string& kind, int count) {
  if (count == 0) return;
  auto at = std::lower_bound(
      request.devices.begin(), request.devices.end(), kind,
      [](const DeviceCount& device, const std::string& name) { return device.kind < name; });
  if (at != request.devices.end() && at->kind == kind) {
    at->count = std::min(at->count + count, Limits::count_max);
  } else {
    request.devices.insert(at, {kind, count});
  }
}

std::string parse_item(std::string item, DeviceRequest& out) {
  constexpr const char* help = "not a device; use NAME:COUNT or NAME:TYPE:COUNT, as in gpu:2";
  if (item.rfind("gres/", 0) == 0) item.erase(0, 5);
  const std::size_t first = item.find_first_of(":=");
  const std::string kind = item.substr(0, first);
  if (!is_word(kind)) return help;
  int count = 1;
  std::string type;
  if (first != std::string::npos) {
    const std::string rest = item.substr(first + 1);
    const std::size_t second = rest.find(':');
    if (second != std::string::npos) {
      type = rest.substr(0, second);
      if (!is_word(type) || !parse_count(rest.substr(second + 1), count)) return help;
    } else if (!parse_count(rest, count)) {
      if (rest[0] >= '0' && rest[0] <= '9') return help;  // "2x", "0.5"
      if (!is_word(rest)) return help;
      type = rest;  // "gpu:a100": one of that type
      count = 1;
    }
  }
  add(out, kind, count);
  if (!type.empty() && count > 0) out.features.push_back(type);
  return "";
}

}  // namespace

std::string parse_gres(const std::string& text, DeviceRequest& out) {
  if (text == "none" || text == "NONE") return "";
  if (text.size() > 65536) return "the list is longer than 64 KB";
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(',', begin);
    auto bad = parse_item(text.substr(begin, end - begin), out);
    if (!bad.empty()) return bad;
    if (end == std::string::npos) return "";
    begin = end + 1;
  }
}

std::string parse_gpu_count(const std::string& text, int& count, std::string& type) {
  const std::size_t colon = text.find(':');
  const std::string number = colon == std::string::npos ? text : text.substr(colon + 1);
  const std::string name = colon == std::string::npos ? "" : text.substr(0, colon);
  int value = 0;
  if (!parse_count(number, value) || (colon != std::string::npos && !is_word(name))) {
    return "not a number of GPUs; use COUNT or TYPE:COUNT";
  }
  count = value;
  type = name;
  return "";
}

}  // namespace hyades
