// Submissions as the measurements need them.
#pragma once

#include <cstdint>
#include <string>

#include "hyades.pb.h"

namespace hyades {

class JobFactory {
 public:
  static constexpr int kScriptBytes = 2048;
  static constexpr int kVariables = 50;
  static constexpr int kVariableBytes = 40;

  // Jobs work in `directory`. Tokens are made from `salt` and a serial number.
  JobFactory(std::string directory, std::string salt);

  // What users send: a script of 2 KB, a different one each time, 50 variables of 40 bytes, a
  // token as hsub makes one. Held, so that it only waits. Distinct jobs in every field that people
  // make distinct. `out` may be used again and again.
  void fill_nominal(pb::ClientRequest& out);

  // Runs `script` (its first line names a program) with the same 50 variables. "": no output file.
  void fill_script(pb::ClientRequest& out, const std::string& script, const std::string& output);

  std::uint64_t made() const { return serial_; }

  // NAME=value, as all these jobs have them.
  const pb::JobPayload& sample() const { return nominal_.submit().payload(); }

 private:
  std::string token();

  std::string salt_;
  pb::ClientRequest nominal_;
  std::uint64_t serial_ = 0;
};

}  // namespace hyades
