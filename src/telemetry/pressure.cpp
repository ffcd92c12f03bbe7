#include "telemetry/pressure.hpp"

#include "telemetry/fields.hpp"

namespace hyades {

Pressure::Pressure(const std::string& root, const std::string& of)
    : file_(root + "/proc/pressure/" + of) {}

bool Pressure::read(double& percent) {
  if (!file_.read()) return why_ = file_.why(), false;
  std::string_view rest;
  double value = 0;
  const bool good = line_after(file_.text(), "some avg10=", rest) &&
                    parse_decimal(next_word(rest), value) && value >= 0 && value <= 100;
  why_ = good ? "" : file_.path() + ": no share of time in it";
  if (good) percent = value;
  return good;
}

}  // namespace hyades
