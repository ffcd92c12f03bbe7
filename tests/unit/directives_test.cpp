// The head of a script is read by sbatch's grammar, point by point, and survives any bytes.
#include "cli/directives.hpp"

#include <gtest/gtest.h>

#include "cli/printable.hpp"

namespace hyades {
namespace {

using Words = std::vector<std::string>;

Words texts(const std::vector<DirectiveWord>& words) {
  Words out;
  for (const DirectiveWord& word : words) out.push_back(word.text);
  return out;
}

Directives scan(const std::string& body) { return scan_directives("#!/bin/sh\n" + body, "job.sh"); }

Words sbatch(const std::string& body) { return texts(scan(body).sbatch); }

bool mentions(const Words& messages, const std::string& text) {
  for (const std::string& message : messages) {
    if (message.find(text) != std::string::npos) return true;
  }
  return false;
}

struct Case {
  const char* body;
  Words words;
};

TEST(Directives, SplitIntoWordsAsSbatchDoes) {
  const Case cases[] = {
      // Column 0, case-sensitive, no blank needed behind the keyword.
      {"#SBATCH -N 4\n", {"-N", "4"}},
      {"#SBATCH--time=1\n", {"--time=1"}},
      {"##SBATCH -N 4\n", {}},
      {"# SBATCH -N 4\n", {}},
      {" #SBATCH -N 4\n", {}},
      {"#sbatch -N 4\n", {}},
      {"#SBATCH\n", {}},
      // Several options a line, every form of them, lines joined.
      {"#SBATCH -N4 -n 8 --time=10 --mem 4G\n", {"-N4", "-n", "8", "--time=10", "--mem", "4G"}},
      {"#SBATCH -N\n#SBATCH 4\n", {"-N", "4"}},
      {"#SBATCH\t-N\t4\v\f\n", {"-N", "4"}},
      // Quotes, also in the middle of a word; the other kind is an ordinary character.
      {"#SBATCH --comment=\"a b\"\n", {"--comment=a b"}},
      {"#SBATCH '--comment=a b' -H\n", {"--comment=a b", "-H"}},
      {"#SBATCH --comment=\"it's # here\"\n", {"--comment=it's # here"}},
      {"#SBATCH --comment=a'b'c\"d\"\n", {"--comment=abcd"}},
      {"#SBATCH -J ''\n", {"-J", ""}},
      // A backslash makes the next character an ordinary one.
      {"#SBATCH -J a\\ b\n", {"-J", "a b"}},
      {"#SBATCH -J a\\#b\n", {"-J", "a#b"}},
      {"#SBATCH -J \"a\\\"b\"\n", {"-J", "a\"b"}},
      {"#SBATCH -J ab\\\n", {"-J", "ab"}},
      // An unquoted # ends the line, even inside a word.
      {"#SBATCH -N 4 # four nodes\n", {"-N", "4"}},
      {"#SBATCH -J a#b -H\n", {"-J", "a"}},
      {"#SBATCH #-N 4\n", {}},
      // ':' is only wrong where a word begins.
      {"#SBATCH --gres=gpu:2\n", {"--gres=gpu:2"}},
      {"#SBATCH \":\"\n", {":"}},
      // DOS line ends are blanks.
      {"#SBATCH -N 4\r\n#SBATCH -H\r\n", {"-N", "4", "-H"}},
      // No newline at the end.
      {"#SBATCH -N 4", {"-N", "4"}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(sbatch(c.body), c.words) << c.body;
    EXPECT_TRUE(scan(c.body).errors.empty()) << c.body;
  }
}

TEST(Directives, KeepTheirLineNumbers) {
  const Directives found = scan("\n#SBATCH -N 4\n# comment\n#HSUB -n 2\n");
  ASSERT_EQ(found.sbatch.size(), 2u);
  EXPECT_EQ(found.sbatch[0], (DirectiveWord{"-N", 3}));
  ASSERT_EQ(found.hsub.size(), 2u);
  EXPECT_EQ(found.hsub[1], (DirectiveWord{"2", 5}));
}

TEST(Directives, StopAtTheFirstCommandAndWarnOfLaterOnes) {
  const Directives found = scan(
      "#SBATCH -N 1\n\n   \n  # indented comment\n#SBATCH -n 2\necho hi\n#SBATCH -t 5\n"
      "cat <<EOF\n#HSUB --mem=4G\nEOF\n");
  EXPECT_EQ(texts(found.sbatch), (Words{"-N", "1", "-n", "2"}));
  EXPECT_TRUE(found.hsub.empty());
  ASSERT_EQ(found.warnings.size(), 2u);
  EXPECT_EQ(found.warnings[0],
            "job.sh:8: #SBATCH is ignored here: it stands after the first command (line 7)");
  EXPECT_TRUE(mentions(found.warnings, "job.sh:10: #HSUB is ignored here"));
}

TEST(Directives, ManyLateOnesAreCountedNotListed) {
  std::string body = "echo\n";
  for (int i = 0; i < 1000; ++i) body += "#SBATCH -N 1\n";
  const Directives found = scan(body);
  EXPECT_LE(found.warnings.size(), 4u);
  EXPECT_TRUE(mentions(found.warnings, "997 more"));
}

TEST(Directives, UnmatchedQuoteIsFatalAndNamesThePlace) {
  const Directives found = scan("#SBATCH -J ok\n#SBATCH --comment=\"a b\n");
  ASSERT_EQ(found.errors.size(), 1u);
  EXPECT_EQ(found.errors[0], "job.sh:3: unmatched \" in ' --comment=\"a b'");
  EXPECT_TRUE(mentions(scan("#HSUB 'x\n").errors, "job.sh:2: unmatched '"));
}

TEST(Directives, WordThatBeginsWithAColonIsFatal) {
  const Directives found = scan("#SBATCH -N 1 : -N 2\n");
  ASSERT_EQ(found.errors.size(), 1u);
  EXPECT_EQ(found.errors[0], "job.sh:2: unexpected ':' at the start of ': -N 2'");
}

TEST(Directives, VariablesStayLiteralWithAWarning) {
  for (const char* body :
       {"#SBATCH -o $HOME/x\n", "#SBATCH -J ${NAME}\n", "#SBATCH -J \"$(id)\"\n"}) {
    const Directives found = scan(body);
    EXPECT_TRUE(mentions(found.warnings, "taken literally")) << body;
  }
  EXPECT_EQ(sbatch("#SBATCH -J $X\n"), (Words{"-J", "$X"}));
  for (const char* body : {"#SBATCH -J cost5$\n", "#SBATCH -J a$1\n", "#SBATCH -o %j.out\n"}) {
    EXPECT_TRUE(scan(body).warnings.empty()) << body;
  }
}

TEST(Directives, DialectsAreKeptApart) {
  const Directives found = scan("#HSUB -N 1\n#SBATCH -N 2\n#HSUB -n 3\n#SLURM -H\n");
  EXPECT_EQ(texts(found.hsub), (Words{"-N", "1", "-n", "3"}));
  EXPECT_EQ(texts(found.sbatch), (Words{"-N", "2", "-H"}));
  EXPECT_TRUE(mentions(found.warnings, "job.sh:5: #SLURM is an old spelling"));
}

TEST(Directives, DosLineEndsAreAcceptedWithOneWarning) {
  const Directives found =
      scan_directives("#!/bin/sh\r\n#SBATCH -N 2\r\n#HSUB -n 4\r\necho\r\n", "dos.sh");
  EXPECT_EQ(texts(found.sbatch), (Words{"-N", "2"}));
  EXPECT_EQ(texts(found.hsub), (Words{"-n", "4"}));
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_TRUE(mentions(found.warnings, "dos.sh:1: DOS line ends"));
}

TEST(Directives, AnyBytesSurvive) {
  const std::string nul("#SBATCH -J a\0b\n", 15);
  EXPECT_EQ(sbatch(nul), (Words{"-J", std::string("a\0b", 3)}));
  const std::string line(1 << 20, 'x');
  EXPECT_EQ(sbatch("#SBATCH -J " + line + "\n"), (Words{"-J", line}));
  EXPECT_EQ(sbatch("#SBATCH " + std::string(1 << 20, ' ') + "-H\n"), (Words{"-H"}));
  EXPECT_EQ(sbatch("#SBATCH \xff\xfe\n"), (Words{"\xff\xfe"}));
  // The message about a megabyte is short, and harmless on a terminal.
  const Directives found = scan("#SBATCH '\x1b[2J" + line);
  ASSERT_EQ(found.errors.size(), 1u);
  EXPECT_LT(found.errors[0].size(), 200u);
  EXPECT_EQ(found.errors[0].find('\x1b'), std::string::npos);
  std::string noise;
  unsigned state = 12345;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 1664525u + 1013904223u;
    noise += static_cast<char>(state >> 24);
    if (i % 97 == 0) noise += "\n#SBATCH ";
  }
  scan(noise);
  scan_directives(noise, noise.substr(0, 1000));
}

TEST(FirstLine, MustNameAnInterpreter) {
  EXPECT_EQ(check_first_line("#!/bin/sh\necho\n", "a.sh"), "");
  EXPECT_EQ(check_first_line("#! /usr/bin/env python3", "a.sh"), "");
  EXPECT_EQ(check_first_line("#!/bin/bash\r\necho\r\n", "a.sh"), "");
  EXPECT_EQ(check_first_line("", "a.sh"), "a.sh:1: the script is empty");
  for (const char* script :
       {"echo hi\n", "\n#!/bin/sh\n", " #!/bin/sh\n", "#!\n", "#! \r\n", "#"}) {
    EXPECT_NE(check_first_line(script, "a.sh").find("a.sh:1: the first line must be '#!'"),
              std::string::npos)
        << script;
  }
  EXPECT_NE(check_first_line("\x7f"
                             "ELF\x02",
                             "a.out")
                .find("this is a binary"),
            std::string::npos);
  EXPECT_NE(check_first_line(std::string("MZ\0\0", 4), "a.exe").find("this is a binary"),
            std::string::npos);
}

TEST(FirstLine, MessagesNameAHostileFileHarmlessly) {
  const std::string message = check_first_line("x", "a\x1b[31m\n.sh");
  EXPECT_EQ(message, escape_text(message));
}

}  // namespace
}  // namespace hyades
