#include "cli/directives.hpp"

#include <string_view>

#include "cli/printable.hpp"

namespace hyades {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

// A word for messages: short and harmless, whatever the script holds.
std::string shown(std::string_view text) {
  return cut_text(escape_text(text.substr(0, 200)), 60, "...");
}

// Hands out a text line by line, without the line ends, counting from 1.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool next(std::string_view& line) {
    if (at_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    line = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++number_;
    return true;
  }
  int number() const { return number_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  int number_ = 0;
};

// Splits the part of a directive line behind "#HSUB" into words, as sbatch does.
class WordSplitter {
 public:
  explicit WordSplitter(std::string_view line) : line_(line) {}

  // False at the end of the line, or when `error` says what is wrong with it.
  bool next(std::string& word, std::string& error) {
    while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
    if (at_ >= line_.size() || line_[at_] == '#') return false;
    if (line_[at_] == ':') {
      error = "unexpected ':' at the start of '" + shown(line_.substr(at_)) + "'";
      return false;
    }
    word.clear();
    char quote = '\0';
    for (; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (c == '\\') {
        // The next character stands for itself; a backslash at the very end for nothing.
        if (++at_ == line_.size()) break;
        word += line_[at_];
      } else if (quote != '\0') {
        if (c == quote) {
          quote = '\0';
        } else {
          word += c;
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (is_blank(c)) {
        break;
      } else if (c == '#') {
        at_ = line_.size();  // a comment, even in the middle of a word
        break;
      } else {
        word += c;
      }
    }
    if (quote == '\0') return true;
    error = std::string("unmatched ") + quote + " in '" + shown(line_) + "'";
    return false;
  }

 private:
  std::string_view line_;
  std::size_t at_ = 0;
};

// "$NAME", "${" or "$(" in a word: the shell would replace it, we do not.
bool looks_like_expansion(const std::string& word) {
  for (std::size_t at = word.find('$'); at != std::string::npos; at = word.find('$', at + 1)) {
    if (at + 1 >= word.size()) return false;
    const char c = word[at + 1];
    if (c == '{' || c == '(' || c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
      return true;
    }
  }
  return false;
}

// "#HSUB", "#SBATCH" or "#SLURM" when the line is a directive, else "".
std::string_view keyword_of(std::string_view line) {
  for (const std::string_view keyword : {"#HSUB", "#SBATCH", "#SLURM"}) {
    if (line.substr(0, keyword.size()) == keyword) return keyword;
  }
  return "";
}

// True for the first line of the script that does something.
bool is_command(std::string_view line) {
  for (const char c : line) {
    if (!is_blank(c)) return c != '#';
  }
  return false;
}

class Scanner {
 public:
  Scanner(const std::string& script, const std::string& file)
      : lines_(script), file_(file.empty() ? std::string("script") : escape_text(file)) {}

  Directives run() {
    std::string_view line;
    while (lines_.next(line)) {
      note_line_end(line);
      if (const auto keyword = keyword_of(line); !keyword.empty()) {
        read_directive(line.substr(keyword.size()), keyword);
      } else if (is_command(line)) {
        first_command_ = lines_.number();
        warn_of_late_directives();
        break;
      }
    }
    if (dos_line_ != 0) {
      warn(dos_line_,
           "DOS line ends (CR LF): the interpreter may choke on them; convert with "
           "'dos2unix'");
    }
    return std::move(result_);
  }

 private:
  std::string place(int line) const { return file_ + ":" + std::to_string(line) + ": "; }
  void warn(int line, const std::string& text) { result_.warnings.push_back(place(line) + text); }

  void note_line_end(std::string_view line) {
    if (dos_line_ == 0 && !line.empty() && line.back() == '\r') dos_line_ = lines_.number();
  }

  void read_directive(std::string_view rest, std::string_view keyword) {
    const int line = lines_.number();
    if (keyword == "#SLURM") warn(line, "#SLURM is an old spelling; write #SBATCH or #HSUB");
    auto& words = keyword == "#HSUB" ? result_.hsub : result_.sbatch;
    WordSplitter splitter(rest);
    std::string word;
    std::string error;
    while (splitter.next(word, error)) {
      if (looks_like_expansion(word)) {
        warn(line, "'" + shown(word) +
                       "' is taken literally: variables are not expanded in "
                       "directives; set them on the hsub command line");
      }
      words.push_back({word, line});
    }
    if (!error.empty()) result_.errors.push_back(place(line) + error);
  }

  // Nothing behind the first command counts; people are surprised by that, so they are told.
  void warn_of_late_directives() {
    constexpr int shown_max = 3;
    int late = 0;
    std::string_view line;
    while (lines_.next(line)) {
      const auto keyword = keyword_of(line);
      if (keyword.empty() || ++late > shown_max) continue;
      warn(lines_.number(), std::string(keyword) +
                                " is ignored here: it stands after the first "
                                "command (line " +
                                std::to_string(first_command_) + ")");
    }
    if (late > shown_max) {
      warn(first_command_, "and " + std::to_string(late - shown_max) +
                               " more directives after this first command are ignored");
    }
  }

  Lines lines_;
  std::string file_;
  int first_command_ = 0;
  int dos_line_ = 0;
  Directives result_;
};

}  // namespace

Directives scan_directives(const std::string& script, const std::string& file) {
  return Scanner(script, file).run();
}

std::string check_first_line(const std::string& script, const std::string& file) {
  const std::string place = (file.empty() ? std::string("script") : escape_text(file)) + ":1: ";
  if (script.empty()) return place + "the script is empty";
  const bool shebang = script.substr(0, 2) == "#!";
  const std::string line = script.substr(0, std::min(script.find('\n'), script.size()));
  if (shebang && line.find_first_not_of(" \t\r", 2) != std::string::npos) return "";
  if (line.find('\0') != std::string::npos || script.compare(0, 4,
                                                             "\x7f"
                                                             "ELF") == 0) {
    return place +
           "this is a binary, not a script; to run a program, use: hsub --wrap 'PROGRAM "
           "ARGUMENTS'";
  }
  return place +
         "the first line must be '#!' and an interpreter, for example #!/bin/bash; to run "
         "a single command, use: hsub --wrap 'COMMAND'";
}

}  // namespace hyades
