// What Hyades needs on a node's own disk before MPI can be started there: the spool directory, and
// a private directory for Open MPI's session files. Their names are predictable, so whoever can
// write to the directory could plant links for root to follow: it is ours alone, or nothing starts.
#pragma once

#include <sys/types.h>

#include <string>

#include "master/process_identity.hpp"

namespace hyades {

struct NodePlaceOptions {
  std::string spool_root;  // the node's spool is spool_root/node
  std::string node;
  std::string shared_memory;  // directory for the ranks' shared memory; "": Open MPI chooses
  std::string user;           // whom the daemons become; "": they stay what we are
};

// Empties it, so that what a killed mpirun left does not pile up, or makes it. "" when it is there,
// ours, no link, and nobody else may look into it; else what is wrong and what to do.
std::string make_private_directory(const std::string& path);

// Where root keeps what the daemons' user must not touch.
inline constexpr const char* kRootPlace = "/run/hyades";

// A path below it for `kind`, told apart by `path`: what root keeps from the daemons'
// user.
std::string root_place(const std::string& kind, const std::string& path);

// The same, and removes the directory too, unless a file called `keep` in it holds something, which
// stays. Nothing happens when it is not there.
std::string remove_private_directory(const std::string& path, const std::string& keep = "");

class NodePlace {
 public:
  explicit NodePlace(NodePlaceOptions options) : options_(std::move(options)) {}

  // Makes the spool directory when it is missing. "" when the node can be used, else a sentence
  // that names the path. Leaves alone what a running world uses.
  std::string prepare() const;
  // The scratch directory and the shared memory, empty. Nothing of an earlier world may run.
  std::string make_scratch() const;
  // Removes what make_scratch() made, and the note of the daemon, which has ended. Only the log of
  // a daemon that said something stays. What is not ours is left alone.
  void clean() const;

  std::string spool() const { return options_.spool_root + "/" + options_.node; }
  // TMPDIR of mpirun and orted.
  std::string scratch() const;
  // A worker serves this node.
  bool served() const;

  // The node daemon of Open MPI that was started here last, so that the next world can end it.
  // Nothing when it has ended.
  ProcessIdentity daemon() const;
  std::string note_daemon(const ProcessIdentity& process) const;  // "" or what is wrong

 private:
  std::string daemon_note() const { return scratch() + ".daemon"; }
  std::string prepare_spool() const;

  NodePlaceOptions options_;
};

}  // namespace hyades
