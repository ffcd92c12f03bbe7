// Measured amounts for people: three digits and a unit that suits them. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hyades {

// "1.21 GiB" of bytes, "1000 MiB", "12.3 kJ", "1.53 G" of counts, "26:12" of seconds, "30 %"; other
// units stand behind the number as they are. Not escaped: a unit may be anybody's.
std::string format_quantity(double value, const std::string& unit);

// The same, or "not measured".
std::string format_quantity(const std::optional<double>& value, const std::string& unit);

// 0.253 is "25 %"; little is "0.3 %"; nullopt is "".
std::string format_share(const std::optional<double>& share);

// As printf does it, one number; at most 63 letters.
std::string printed(const char* format, double value);

// Three digits: "0", "0.123", "1.23", "12.3", "123"; "1.2e+30" where nothing else would do.
std::string format_number(double value);

// "36:12" for milliseconds, and below a minute with a fraction: "4.2 s".
std::string format_elapsed(std::int64_t ms);

}  // namespace hyades
