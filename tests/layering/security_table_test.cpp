// The table of docs/security.md says which test holds what: each of them must be there.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace hyades {
namespace {

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(HYADES_SOURCE_DIR) + '/' + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "Suite.Name" of GoogleTest, else a test of ctest's.
bool has_test(const std::string& source, const std::string& name) {
  const std::size_t dot = name.find('.');
  const std::string pattern = dot == name.npos ? "add_test\\(NAME " + name + "\\b"
                                               : "\\bTEST(_F|_P)?\\(" + name.substr(0, dot) +
                                                     ",\\s*" + name.substr(dot + 1) + "\\)";
  return std::regex_search(source, std::regex(pattern));
}

// What is wrong with the table, a line each; the rows it has are added to `rows`.
std::string complaints(const std::string& document, std::set<std::string>& rows) {
  std::string found;
  std::istringstream lines(document);
  static const std::regex row("^\\| (S[0-9]{2}) \\|");
  static const std::regex test("`(tests/[\\w/]+\\.\\w+): ([\\w.]+)`");
  for (std::string line; std::getline(lines, line);) {
    std::smatch id;
    if (!std::regex_search(line, id, row)) continue;
    if (!rows.insert(id[1]).second) found += id.str(1) + " is there twice\n";
    const std::sregex_iterator begin(line.begin(), line.end(), test);
    if (begin == std::sregex_iterator()) found += id.str(1) + " names no test\n";
    for (auto at = begin; at != std::sregex_iterator(); ++at) {
      const std::string source = read_source(at->str(1));
      if (!has_test(source, at->str(2))) found += id.str(1) + ": no test " + at->str() + '\n';
    }
    // Nothing in the last column that is no test.
    const std::string rest = std::regex_replace(line.substr(line.rfind(" | ") + 3), test, "");
    if (rest.find('`') != rest.npos) found += id.str(1) + ": cannot read " + rest + '\n';
  }
  return found;
}

TEST(SecurityTable, NamesTestsThatExist) {
  std::set<std::string> rows;
  EXPECT_EQ(complaints(read_source("docs/security.md"), rows), "");
  for (int number = 1; number <= 31; ++number) {
    const std::string id = (number < 10 ? "S0" : "S") + std::to_string(number);
    EXPECT_EQ(rows.count(id), 1u) << id;
  }
}

TEST(SecurityTable, IsNotTakenAtItsWord) {
  const auto is_bad = [](const std::string& line) {
    std::set<std::string> rows;
    return !complaints(line + '\n', rows).empty();
  };
  const std::string here = "tests/layering/security_table_test.cpp: ";
  EXPECT_FALSE(is_bad("| S01 | a | b | `" + here + "SecurityTable.IsNotTakenAtItsWord` |"));
  EXPECT_TRUE(is_bad("| S01 | a | b | `" + here + "SecurityTable.IsNotTaken` |"));
  EXPECT_TRUE(is_bad("| S01 | a | b | `tests/no.cpp: SecurityTable.IsNotTakenAtItsWord` |"));
  EXPECT_TRUE(is_bad("| S01 | a | b | `SecurityTable.IsNotTakenAtItsWord` |"));
  EXPECT_TRUE(is_bad("| S01 | a | b | |"));
  EXPECT_TRUE(is_bad("| S01 | a | b | `tests/unit/CMakeLists.txt: nothing` |"));
}

}  // namespace
}  // namespace hyades
