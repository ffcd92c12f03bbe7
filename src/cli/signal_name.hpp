// Signals as people write them: "USR1", "SIGUSR1", "sigusr1", "10".
#pragma once

#include <string>

#include "core/job_spec.hpp"

namespace hyades {

// 0 when there is no such signal.
int signal_number(const std::string& name);

// "TERM" for 15; the number when the signal has no name.
std::string signal_name(int number);

// --signal=[B:]SIG[@SECONDS]. "" and `out` set, or a clause that says what is wrong.
std::string parse_warning_signal(const std::string& text, WarningSignal& out);

}  // namespace hyades
