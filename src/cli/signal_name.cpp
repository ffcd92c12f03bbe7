#include "cli/signal_name.hpp"

#include <charconv>
#include <csignal>
#include <cstring>

namespace hyades {
namespace {

bool parse_number(const std::string& text, int& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end;
}

std::string upper(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

int signal_number(const std::string& name) {
  int number = 0;
  if (parse_number(name, number)) return number >= 1 && number <= 64 ? number : 0;
  std::string word = upper(name);
  if (word.rfind("SIG", 0) == 0) word.erase(0, 3);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* known = sigabbrev_np(signal);
    if (known != nullptr && word == known) return signal;
  }
  return 0;
}

std::string signal_name(int number) {
  const char* known = number > 0 && number < NSIG ? sigabbrev_np(number) : nullptr;
  return known == nullptr ? std::to_string(number) : known;
}

std::string parse_warning_signal(const std::string& text, WarningSignal& out) {
  WarningSignal result;
  std::string rest = text;
  if (const std::size_t colon = rest.find(':'); colon != std::string::npos) {
    const std::string who = upper(rest.substr(0, colon));
    if (who == "R" || who == "RB" || who == "BR") {
      return "R: (reservations) is not supported yet";
    }
    if (who != "B") return "before ':' only B (the batch shell alone) is known";
    result.batch_only = true;
    rest.erase(0, colon + 1);
  }
  if (const std::size_t at = rest.find('@'); at != std::string::npos) {
    if (!parse_number(rest.substr(at + 1), result.seconds_before_end) ||
        result.seconds_before_end > 65535) {
      return "after '@' come seconds, from 0 to 65535";
    }
    rest.resize(at);
  }
  result.signal = signal_number(rest);
  if (result.signal == 0) {
    return "no such signal; use a name or number, for example B:USR1@120";
  }
  out = result;
  return "";
}

}  // namespace hyades
