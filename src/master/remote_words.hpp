// How the supervisor and hyades-remote speak about nodes: the command lines of one are what the
// other understands.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace hyades {

// First word of what `hyades-remote check` says; facts as key=value behind it.
inline constexpr const char* kRemoteGreeting = "hyades-node";
// Begins the line that says why the machine cannot be a node.
inline constexpr const char* kRemoteProblem = "problem: ";
// How long starting one node's daemon may take.
inline constexpr std::chrono::seconds kRemoteStart{25};

// Tells a rank that it runs on the supervisor's host: its value is the state directory.
inline constexpr const char* kSupervisedVariable = "HYADES_SUPERVISED";

// Where things are, on every node alike.
struct RemotePlace {
  std::string program;  // hyades-remote
  std::string launch_agent;
  std::string spool_root;
  std::string shared_memory;
  std::string user;
  std::string addresses;  // "name address\n" of all nodes
  std::string failures;   // directory in which `reach` notes, in a file named for the host, why
                          // it could not be started

  // The command line of `hyades-remote VERB` for a node.
  std::vector<std::string> words(const std::string& verb, const std::string& node) const;

  // Through mpirun's environment to the `hyades-remote reach` that it calls.
  std::map<std::string, std::string> environment() const;
  static RemotePlace from_environment(const std::function<std::string(const char* name)>& variable);
};

}  // namespace hyades
