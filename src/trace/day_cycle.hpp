// The hours of a day at which jobs are submitted, as Lublin and Feitelson (2003) found them: few at
// night, most in the early afternoon.
#pragma once

#include <array>
#include <cstdint>

namespace hyades {

class DayCycle {
 public:
  DayCycle();

  // The second, from a midnight on, by which as much has been submitted as would be in `even_s`
  // seconds if all hours were alike. Grows with even_s; the same after whole days.
  double second_of(double even_s) const;

  static constexpr int halves_of_hours = 48;

 private:
  // What was submitted before each half hour; the whole day is as many as it has seconds.
  std::array<double, halves_of_hours + 1> before_;
};

}  // namespace hyades
