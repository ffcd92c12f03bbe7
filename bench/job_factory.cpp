#include "job_factory.hpp"

#include <cstdio>

#include "core/job_spec.hpp"
#include "wire/codec.hpp"

namespace hyades {

namespace {

std::string variable(int number) {
  std::string text = "HYADES_BENCH_" + std::to_string(number) + "=";
  text.append(static_cast<std::size_t>(JobFactory::kVariableBytes) - text.size(), 'x');
  return text;
}

// Runs on to `bytes`, and differs from every other number's.
std::string script_of(std::uint64_t number, std::size_t bytes) {
  std::string script = "#!/bin/bash\n# " + std::to_string(number) + "\n";
  script.reserve(bytes);
  std::uint64_t state = number * 2 + 1;
  while (script.size() < bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    char line[32];
    std::snprintf(line, sizeof line, "echo %016llx\n", static_cast<unsigned long long>(state));
    script += line;
  }
  script.resize(bytes);
  return script;
}

}  // namespace

JobFactory::JobFactory(std::string directory, std::string salt) : salt_(std::move(salt)) {
  JobSpec spec;
  spec.name = "bench";
  spec.hold = true;
  spec.time_limit_s = 3600;
  JobPayload payload;
  payload.working_directory = std::move(directory);
  payload.stdout_path = "hyades-%j.out";
  payload.command_line = "hsub --hold train.sh";
  for (int i = 0; i < kVariables; ++i) payload.environment.push_back(variable(i));
  pb::Submit& submit = *nominal_.mutable_submit();
  to_pb(spec, *submit.mutable_spec());
  to_pb(payload, *submit.mutable_payload());
}

std::string JobFactory::token() { return salt_ + "-" + std::to_string(serial_); }

void JobFactory::fill_nominal(pb::ClientRequest& out) {
  ++serial_;
  if (!out.has_submit()) out = nominal_;
  pb::Submit& submit = *out.mutable_submit();
  submit.set_token(token());
  submit.mutable_spec()->set_name("train-" + std::to_string(serial_));
  submit.mutable_payload()->set_script(script_of(serial_, kScriptBytes));
}

void JobFactory::fill_script(pb::ClientRequest& out, const std::string& script,
                             const std::string& output) {
  ++serial_;
  if (!out.has_submit()) out = nominal_;
  pb::Submit& submit = *out.mutable_submit();
  submit.set_token(token());
  submit.mutable_spec()->set_hold(false);
  submit.mutable_payload()->set_script(script);
  submit.mutable_payload()->set_stdout_path(output.empty() ? "/dev/null" : output);
  submit.mutable_payload()->set_append_output(true);
}

}  // namespace hyades
