// A remote shell for machines in a box: like sshd and ssh in what matters to their callers. The
// command is one string for sh; output and errors come back apart; the call lasts until the command
// has ended and nobody holds its output any more; 255 when the machine cannot be reached.
#pragma once

#include <string>

namespace hyades::test {

// As the first process of a machine: also collects orphans. Never returns.
[[noreturn]] void serve_shell(const std::string& address);

// Runs `command` on the host and returns its exit code.
int call_shell(const std::string& host, const std::string& command);

}  // namespace hyades::test
