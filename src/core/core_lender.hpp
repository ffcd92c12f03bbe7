// Lends a node's idle cores to launches that have said that they can use more than their own
// (JobSpec::elastic), by how busy they are, and takes them back when somebody is given them. What a
// launch holds it never loses.
//
// Of the idle cores each launch gets what makes the sum of own cores x log(cores in use) largest:
// proportional fairness (Kelly 1997). That is concave in each share and the shares add up, so that
// giving core after core to where it adds most finds the best whole numbers (Fox 1966).
//
// No I/O and no clock; for one thread. The caller carries out what is returned, in that order.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/core_loan.hpp"
#include "core/ids.hpp"
#include "core/node_settings.hpp"

namespace hyades {

// Lists of cores that are longer are not written down; who has one is lent nothing, or a new worker
// could not take it back.
inline constexpr std::size_t kKnownCoresBytesMost = 600;

class CoreLender {
 public:
  // A launch that may use other cores now.
  struct Change {
    LaunchKey key;
    IdSet cores;  // its own and those that it is lent
    CoreLoan loan;
  };

  // `domains`: cores that are near each other. None: all are.
  explicit CoreLender(std::vector<IdSet> domains = {}) : domains_(std::move(domains)) {}

  // Jobs may have the first so many cores of the node. Until this is called nothing is lent.
  void configure(const NodeSettings& settings, int cores);

  // A launch is about to start with these cores, or is found to run with them; `elastic` as in
  // JobSpec. Whoever was lent some of them is to give them up first. Without cores: it is there and
  // nobody knows with which, so that nothing can be lent while it is. To say what is known already
  // changes nothing.
  std::vector<Change> arrives(const LaunchKey& key, const IdSet& own, int elastic, BootMs now_ms);
  // Nothing of it is left.
  void leaves(const LaunchKey& key) { launches_.erase(key); }
  // It keeps so many cores busy at the moment.
  void uses(const LaunchKey& key, double cores_busy);

  // What is due. `fixed`: why cores cannot be lent on this node; "": they can.
  std::vector<Change> turn(const std::string& fixed, BootMs now_ms);

  const CoreLoan& loan(const LaunchKey& key) const;
  int lent() const;           // cores, to all
  int holders() const;        // launches that were lent some
  std::string state() const;  // for people

 private:
  struct Launch {
    IdSet own;  // empty: not known
    int elastic = 0;
    CoreLoan loan;
    bool was_lent = false;
    // Since it was last decided what it is lent: how often it was looked at, and what was seen.
    int looks = 0;
    double least_busy = 0;
    double sum_busy = 0;

    int has() const { return own.size() + loan.cores.size(); }
    bool may_borrow() const { return elastic > own.size() && !own.empty(); }
  };
  // What it is to have in all.
  struct Wish {
    const LaunchKey* key;
    Launch* launch;
    int most;
    int given;
  };

  std::string obstacle(const std::string& fixed) const;
  IdSet idle() const;
  std::vector<Change> take_all_back(const std::string& why);
  std::vector<Change> say_again(BootMs now_ms);
  std::vector<Change> keep_within();
  void taken_back(BootMs now_ms);
  std::vector<Wish> wishes();
  static void share_out(std::vector<Wish>& wishes, int idle);
  IdSet best_of(const IdSet& from, const IdSet& near, int count) const;
  static Change changed(const LaunchKey& key, Launch& launch, IdSet lent, std::string why);

  std::vector<IdSet> domains_;
  bool enabled_ = true;
  int cores_ = 0;
  BootMs every_ms_ = 10'000;
  std::map<LaunchKey, Launch> launches_;
  BootMs due_ms_ = 0;
  BootMs quiet_ms_ = 0;  // for so long nothing was lent after cores had to be given back
  BootMs taken_back_ms_ = 0;
  std::string obstacle_;
};

}  // namespace hyades
