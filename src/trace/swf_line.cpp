#include "trace/swf_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>

#include "trace/swf_header.hpp"
#include "trace/swf_reader.hpp"

namespace hyades {
namespace {

constexpr int fields_of_a_job = 18;

struct Field {
  int number;  // from 1, as the format's description counts
  const char* name;
  std::int64_t max;
};

constexpr Field id_field{1, "job number", 1'000'000'000'000'000};
constexpr Field submit_field{2, "submit time", trace_seconds_max};
constexpr Field wait_field{3, "wait time", trace_seconds_max};
constexpr Field run_field{4, "run time", trace_seconds_max};
constexpr Field got_procs_field{5, "allocated processors", trace_procs_max};
constexpr Field procs_field{8, "requested processors", trace_procs_max};
constexpr Field request_field{9, "requested time", trace_seconds_max};
constexpr Field memory_field{10, "requested memory", 1'000'000'000'000'000};
constexpr Field user_field{12, "user", INT32_MAX};
constexpr Field group_field{13, "group", INT32_MAX};
constexpr Field executable_field{14, "executable", INT32_MAX};
constexpr Field queue_field{15, "queue", INT32_MAX};
constexpr Field partition_field{16, "partition", INT32_MAX};

// A field as it stands in the line.
struct Token {
  std::string_view text;
  std::int64_t value = 0;  // if it is plain
  bool plain = false;      // nothing but some digits, with or without a minus: nearly all are
};

using Tokens = std::array<Token, fields_of_a_job + 1>;

bool is_blank(char character) { return character == ' ' || character == '\t'; }

// The word at `at`, which is not blank; returns its end.
const char* take_token(const char* at, const char* end, Token& token) {
  constexpr std::ptrdiff_t digits_max = 18;  // that surely are an int64_t
  const char* const begin = at;
  const bool negative = *at == '-';
  if (negative) ++at;
  const char* const digits = at;
  std::int64_t value = 0;
  for (; at != end && *at >= '0' && *at <= '9' && at - digits < digits_max; ++at) {
    value = value * 10 + (*at - '0');
  }
  token.plain = at != digits && (at == end || is_blank(*at));
  token.value = negative ? -value : value;
  while (at != end && !is_blank(*at)) ++at;
  token.text = {begin, static_cast<std::size_t>(at - begin)};
  return at;
}

// How many the line has, counted up to one too many.
int split(std::string_view line, Tokens& tokens) {
  const char* at = line.data();
  const char* const end = at + line.size();
  int count = 0;
  while (true) {
    while (at != end && is_blank(*at)) ++at;
    if (at == end || count > fields_of_a_job) return count;
    at = take_token(at, end, tokens[count++]);
  }
}

enum class Number { Whole, Rounded, None, TooLarge };

// Numbers with a fraction or an exponent are rare, and slower.
Number round_number(std::string_view text, std::int64_t max, std::int64_t& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || text.empty() || std::isnan(number)) return Number::None;
  if (error != std::errc() || std::fabs(number) > static_cast<double>(max)) return Number::TooLarge;
  value = static_cast<std::int64_t>(std::llround(number));
  return static_cast<double>(value) == number ? Number::Whole : Number::Rounded;
}

Number parse_number(const Token& token, std::int64_t max, std::int64_t& value) {
  if (!token.plain) return round_number(token.text, max, value);
  value = token.value;
  return value > max || value < -max ? Number::TooLarge : Number::Whole;
}

// Takes fields out of a line until one is wrong.
class FieldTaker {
 public:
  FieldTaker(const Tokens& tokens, CleanUps& clean_ups, std::string* problem)
      : tokens_(tokens), clean_ups_(clean_ups), problem_(problem) {}

  bool take(const Field& field, std::int64_t& value) {
    const Token& token = tokens_[field.number - 1];
    const Number kind = parse_number(token, field.max, value);
    if (kind == Number::Whole) return true;
    if (kind == Number::Rounded) {
      rounded_ = true;
      return true;
    }
    if (problem_ != nullptr) {
      *problem_ = "field " + std::to_string(field.number) + " (" + field.name + ") is \"" +
                  header_text(token.text.substr(0, 40)) +
                  (kind == Number::None ? "\", not a number" : "\", more than any log has");
    }
    return false;
  }

  // What is unknown when it is negative.
  bool take_known(const Field& field, std::int64_t& value) {
    if (!take(field, value)) return false;
    if (value < -1) other_negative_ = true;
    if (value < 0) value = -1;
    return true;
  }

  bool take_label(const Field& field, int& label) {
    std::int64_t value = -1;
    if (!take_known(field, value)) return false;
    label = static_cast<int>(value);
    return true;
  }

  // -1 for what is no such number: the line is as good without.
  std::int64_t take_if_good(const Field& field) {
    std::int64_t value = -1;
    const Number kind = parse_number(tokens_[field.number - 1], field.max, value);
    return kind == Number::Whole || kind == Number::Rounded ? std::max<std::int64_t>(value, -1)
                                                            : -1;
  }

  void count() {
    if (rounded_) clean_ups_.add(CleanUp::Rounded);
    if (other_negative_) clean_ups_.add(CleanUp::OtherNegative);
  }

 private:
  const Tokens& tokens_;
  CleanUps& clean_ups_;
  std::string* problem_;
  bool rounded_ = false;
  bool other_negative_ = false;
};

}  // namespace

bool parse_swf_line(std::string_view line, TraceJob& job, CleanUps& clean_ups,
                    std::string* problem) {
  Tokens tokens;
  const int count = split(line, tokens);
  if (count != fields_of_a_job) {
    if (problem != nullptr) {
      *problem = count < fields_of_a_job ? "has " + std::to_string(count) + " fields, a job has 18"
                                         : "has more than 18 fields";
    }
    return false;
  }
  FieldTaker taker(tokens, clean_ups, problem);
  std::int64_t got_procs = -1;
  std::int64_t procs = -1;
  const bool taken =
      taker.take(id_field, job.id) && taker.take(submit_field, job.submit_s) &&
      taker.take(run_field, job.run_s) && taker.take(got_procs_field, got_procs) &&
      taker.take(procs_field, procs) && taker.take(request_field, job.request_s) &&
      taker.take_known(memory_field, job.memory_per_proc_kib) &&
      taker.take_label(user_field, job.user) && taker.take_label(group_field, job.group) &&
      taker.take_label(executable_field, job.executable) &&
      taker.take_label(queue_field, job.queue) && taker.take_label(partition_field, job.partition);
  if (!taken) return false;
  if (procs <= 0 && got_procs > 0) {
    procs = got_procs;
    clean_ups.add(CleanUp::AllocatedProcessors);
  }
  job.procs = static_cast<int>(procs);
  job.wait_s = taker.take_if_good(wait_field);
  taker.count();
  return true;
}

}  // namespace hyades
