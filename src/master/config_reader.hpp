// Reads the values of one TOML table and collects every mistake with its line.
#pragma once

#include <toml++/toml.h>

#include <functional>
#include <string>
#include <vector>

#include "core/device_files.hpp"
#include "core/resources.hpp"

namespace hyades {

// All mistakes of one file.
class ConfigErrors {
 public:
  explicit ConfigErrors(std::string path) : path_(std::move(path)) {}

  void add(std::size_t line, const std::string& message);
  void add(const toml::node& node, const std::string& message) {
    add(node.source().begin.line, message);
  }
  bool empty() const { return found_.empty(); }
  // "path:line: message", in the order of lines.
  std::vector<std::string> sorted() const;

 private:
  struct Found {
    std::size_t line;
    std::string text;
  };
  std::string path_;
  std::vector<Found> found_;
};

// Each function below leaves `out` alone when the key is absent or wrong; a wrong one is reported.
class ConfigReader {
 public:
  // `where` is how people call the table: "[cluster]". All references must outlive the reader.
  ConfigReader(const toml::table& table, std::string where, ConfigErrors& errors)
      : table_(table), where_(std::move(where)), errors_(errors) {}

  void text(const char* key, std::string& out);
  void flag(const char* key, bool& out);
  // An absolute path, or "".
  void path(const char* key, std::string& out);
  // Below a folder that is named elsewhere: "device/temp".
  void file_name(const char* key, std::string& out);
  // "degC", "%": at most 16 printable characters.
  void unit(const char* key, std::string& out);
  // Any finite number but 0.
  void factor(const char* key, double& out);
  // A number from 0 to `most`, which is not above 1.
  void share(const char* key, double& out, double most);
  // A program and its arguments: the first element is an absolute path.
  void command(const char* key, std::vector<std::string>& out);
  void integer(const char* key, int& out, int least, int most);
  // "2:00:00", "1-0" or a number of minutes.
  void duration(const char* key, int& seconds, int least, int most);
  // "64G" or a number of MiB, not less than `least`.
  void memory(const char* key, MiB& out, MiB least = 0);
  // One of `words`, else the nearest one is proposed.
  void choice(const char* key, std::string& out, const std::vector<std::string>& words);
  // "n[1-4]" or a list of such strings.
  void hosts(const char* key, std::vector<std::string>& out);
  // A list of words without blanks; sorted, each once.
  void words(const char* key, std::vector<std::string>& out);
  // { gpu = 2 }; sorted by kind.
  void devices(const char* key, std::vector<DeviceCount>& out);
  // The whole table: kinds of devices and the patterns of their files, one or a list; sorted.
  void device_files(std::vector<DeviceFiles>& out);
  // Calls `each` for every element of a list.
  void list(const char* key, const std::function<void(const toml::node&)>& each);
  // The same, and for what is no list the element itself.
  void one_or_list(const char* key, const std::function<void(const toml::node&)>& each);

  // Where to point for what concerns this key, or the table when it is absent.
  std::size_t line_of(const char* key) const;
  void error(const char* key, const std::string& message);

  // Reports every key that none of the functions above was asked for.
  void finish();

 private:
  const toml::node* find(const char* key);
  void wrong(const toml::node& node, const char* key, const std::string& expected);

  const toml::table& table_;
  std::string where_;
  ConfigErrors& errors_;
  std::vector<std::string> known_;
};

// Letters, digits, '.', '_' and '-', beginning with a letter or digit, at most 64.
bool is_config_word(const std::string& text);

// As people should see it: control characters and bytes that are not UTF-8 made visible, cut after
// `longest` bytes.
std::string shown(const std::string& text, std::size_t longest = 60);

}  // namespace hyades
