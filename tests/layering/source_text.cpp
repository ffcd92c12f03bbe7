#include "source_text.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace hyades {

namespace {

// Blanks out comments and the contents of string and character literals; lines stay where they
// are.
class Stripper {
 public:
  explicit Stripper(const std::string& text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//"))
        skip_to("\n", 0);
      else if (starts("/*"))
        skip_to("*/", 2);
      else if (starts("R\""))
        skip_raw();
      else if (text_[at_] == '"' || (text_[at_] == '\'' && !in_number()))
        skip_literal(text_[at_]);
      else
        out_ += text_[at_++];
    }
    return out_;
  }

 private:
  bool starts(const char* what) const { return text_.compare(at_, std::strlen(what), what) == 0; }
  bool in_number() const {  // 1'000
    return at_ > 0 && std::isxdigit(static_cast<unsigned char>(text_[at_ - 1]));
  }
  void blank(std::size_t end) {
    for (; at_ < end; ++at_) {
      if (text_[at_] == '\n') out_ += '\n';
    }
  }
  void skip_to(const std::string& end, std::size_t more) {
    const std::size_t found = text_.find(end, at_);
    blank(found == std::string::npos ? text_.size() : found + more);
  }
  void skip_raw() {
    const std::size_t open = text_.find('(', at_);
    const std::string end = ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
    out_ += "\"\"";
    skip_to(end, end.size());
  }
  void skip_literal(char quote) {
    out_ += quote;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    blank(std::min(end + 1, text_.size()));
    out_ += quote;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string SourceFile::part() const {
  if (path.rfind("src/", 0) != 0) return "";
  const std::size_t end = path.find('/', 4);
  return end == std::string::npos ? "" : path.substr(4, end - 4);
}

SourceFile read_source(const std::string& path, std::string text) {
  SourceFile file;
  file.path = path;
  file.text = std::move(text);
  file.code = Stripper(file.text).run();
  static const std::regex include("^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]");
  std::istringstream lines(file.text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_search(line, found, include)) continue;
    (found[1] == "<" ? file.bracketed : file.quoted).push_back(found[2]);
  }
  return file;
}

std::vector<SourceFile> source_files(const std::vector<std::string>& folders) {
  namespace fs = std::filesystem;
  const fs::path root = HYADES_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".c" && extension != ".h") {
        continue;
      }
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      files.push_back(read_source(fs::relative(entry.path(), root).string(), text.str()));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<std::string> places(const SourceFile& file, const std::string& text,
                                const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (std::regex_search(line, expression)) {
      found.push_back(file.path + ":" + std::to_string(number) + ": " + line);
    }
  }
  return found;
}

}  // namespace hyades
