// Numbers and words in what the kernel prints. What is not exactly such a number is none: half a
// number at the end of a file that was cut off must not become a reading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hyades {

// Digits only, all of them, and within 64 bits. Else false, and `value` unchanged.
bool parse_count(std::string_view text, std::uint64_t& value);

// The same with an optional '-', within 64 bits.
bool parse_integer(std::string_view text, std::int64_t& value);

// "12", "-3.25": no exponent, no "inf", no "nan", at most 18 digits.
bool parse_decimal(std::string_view text, double& value);

// Takes the next word (separated by blanks, tabs, colons are part of a word) off `text`; "" when
// there is none.
std::string_view next_word(std::string_view& text);

// Takes the next line off `text`, without its end. False at the end, and for a last line that has
// no end: it may have been cut off.
bool next_line(std::string_view& text, std::string_view& line);

// What follows `key` on the first whole line that begins with it.
bool line_after(std::string_view text, std::string_view key, std::string_view& rest);

// The first word after `key`, if it is a count.
bool count_after(std::string_view text, std::string_view key, std::uint64_t& value);

// The only line of a file of /sys that holds one value; with or without its end.
std::string_view only_line(std::string_view text);

// In lower case, and '_' for whatever may not stand in a metric's name; "" becomes "_".
std::string metric_word(std::string_view text);

// Adds a sentence to what a collector is in trouble with; the list does not grow without end.
void add_trouble(std::string& all, std::string_view more);

}  // namespace hyades
