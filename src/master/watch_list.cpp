#include "master/watch_list.hpp"

#include <algorithm>

namespace hyades {

bool WatchList::take(const std::vector<RankNote>& notes) {
  bool alive = true;
  for (const RankNote& note : notes) {
    const bool known = std::any_of(known_.begin(), known_.end(), [&](const RankNote& other) {
      return other.process == note.process;
    });
    if (!known) alive = add(note) && alive;
  }
  return alive;
}

bool WatchList::add(const RankNote& note) {
  known_.push_back(note);
  handles_.push_back(open_process(note.process));
  items_.push_back({handles_.back().get(), POLLIN, 0});
  return static_cast<bool>(handles_.back());
}

std::vector<std::string> WatchList::ended() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (handles_[i] && items_[i].revents == 0) continue;
    const RankNote& note = known_[i];
    const std::string who = note.rank < 0       ? "mpirun"
                            : note.node.empty() ? "the master"
                                                : "the worker of " + note.node;
    names.push_back(who + " (process " + std::to_string(note.process.pid) + ")");
  }
  return names;
}

}  // namespace hyades
