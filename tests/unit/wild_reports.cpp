// What a job may say that means ill, for its shepherd's test: `wild_reports flood` reports as fast
// as it can until it is killed, `wild_reports burst` just as much as is too much, `wild_reports
// nonsense` says everything that is no report, once.
#include <string>

#include "report/hyades_report.hpp"

namespace {

// As much as is read before a pause, and not one message lost.
int burst() {
  int failed = 0;
  for (int i = 0; i < 64; ++i) failed += hyades::send_report("burst=1", 60'000) == 0 ? 0 : 1;
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  while (what == "flood") hyades::report({{"a", 1}, {"b", 2}, {"c", 3}});
  if (what == "burst") return burst();
  if (what != "nonsense") return 2;
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  int failed = 0;
  for (const std::string& words :
       {std::string(), std::string(1000, '\0'), std::string(1000, 'x'), std::string("="),
        std::string("loss=2 %n%n"), all, std::string(1024, '\n')}) {
    failed += hyades::send_report(words, 60'000) == 0 ? 0 : 1;
  }
  return failed;
}
