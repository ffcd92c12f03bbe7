#include "master/hostfile.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "core/hostlist.hpp"
#include "core/nearest_word.hpp"

namespace hyades {

namespace {

constexpr std::size_t kBytesMax = 4u << 20;
constexpr std::size_t kAddressMax = 255;

class Reader {
 public:
  Reader(const std::string& path, HostfileResult& result) : path_(path), result_(result) {}

  void read(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      ++line_;
      read_line(line.substr(0, line.find('#')));
    }
    if (result_.hosts.empty() && result_.errors.empty()) {
      ++line_;
      error("no host is named; write one name a line");
    }
  }

 private:
  void error(const std::string& what) {
    result_.errors.push_back(path_ + ":" + std::to_string(line_) + ": " + what);
  }

  void read_line(const std::string& line) {
    std::istringstream words(line);
    std::string hosts;
    if (!(words >> hosts)) return;
    std::vector<std::string> names;
    std::string reason;
    if (!expand_hostlist(hosts, names, reason)) return error(reason);
    std::string address;
    for (std::string word; words >> word;) {
      if (!read_option(word, address)) return;
    }
    if (!address.empty() && names.size() > 1) {
      return error("address= belongs to one host, but '" + hosts + "' stands for " +
                   std::to_string(names.size()) + "; give each a line of its own");
    }
    for (const std::string& name : names) add(name, address.empty() ? name : address);
  }

  bool read_option(const std::string& word, std::string& address) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::string value = equals == word.npos ? "" : word.substr(equals + 1);
    // Of the host files of other programs.
    if (key == "slots" || key == "max_slots" || key == "max-slots") {
      error("'" + word +
            "': how many cores a host has Hyades finds out itself; leave it out, and " +
            "to offer other numbers, set cores of a [[node]] in the configuration");
      return false;
    }
    if (key != "address") {
      const std::string nearest = nearest_word(key, {"address"});
      error("'" + word + "' is not understood" +
            (nearest.empty() ? "; possible: address=ADDRESS" : "; did you mean " + nearest + "=?"));
      return false;
    }
    // It becomes an argument of the launch agent, which must not take it for an option.
    const bool good = !value.empty() && value.size() <= kAddressMax && value[0] != '-' &&
                      std::all_of(value.begin(), value.end(), [](unsigned char c) {
                        return std::isalnum(c) != 0 || std::strchr(".:_-@%", c) != nullptr;
                      });
    if (!good) error("'" + word + "': an address is a host name or a number such as 10.0.0.17");
    if (good) address = value;
    return good;
  }

  void add(const std::string& name, const std::string& address) {
    const auto [found, fresh] = defined_.emplace(name, line_);
    if (fresh) {
      result_.hosts.push_back({name, address});
    } else {
      error("host '" + name + "' is named twice; the first is in line " +
            std::to_string(found->second));
    }
  }

  const std::string& path_;
  HostfileResult& result_;
  std::map<std::string, int> defined_;
  int line_ = 0;
};

}  // namespace

HostfileResult parse_hostfile(const std::string& text, const std::string& path) {
  HostfileResult result;
  Reader(path, result).read(text);
  if (!result.errors.empty()) result.hosts.clear();
  return result;
}

HostfileResult load_hostfile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kBytesMax + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad() || (text.empty() && !file.eof())) {
    return {{}, {path + ": cannot read the host file: " + std::strerror(errno)}};
  }
  if (text.size() > kBytesMax) return {{}, {path + ":1: larger than 4 MiB: this is no host file"}};
  return parse_hostfile(text, path);
}

}  // namespace hyades
