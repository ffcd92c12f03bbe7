#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <sstream>
#include <string>

namespace hyades::jobscripts {

/// Exit codes of every program here. kCheckpointed asks the batch system to run the job again.
enum ExitCode : int { kSuccess = 0, kFailure = 1, kUsage = 2, kCheckpointed = 85 };

using Body = std::function<int(const boost::program_options::variables_map&)>;

/// Parses the command line, prints the help or runs `body`, and turns every exception into one
/// line on standard error and an exit code.
int run_program(int argc, char** argv, const std::string& summary,
                boost::program_options::options_description options, const Body& body);

/// A notifier that refuses values outside [low, high]; Boost itself wraps -1 into a huge count.
template <typename T>
std::function<void(const T&)> within(const std::string& option, T low, T high) {
  return [=](const T& value) {
    if (value >= low && value <= high) return;  // false for NaN too
    std::ostringstream text;
    text << "--" << option << " must be between " << low << " and " << high << ", not " << value;
    throw boost::program_options::error(text.str());
  };
}

}  // namespace hyades::jobscripts
