// Lowers what a node's processors may draw for as long as that costs its jobs no more speed than
// they have said they can do without (JobSpec::power_margin), and lifts the cap when it does.
//
// Speed is what the job says of its progress, or else the instructions that it executes; compared
// with what was measured shortly before without a cap. Step by step down, as in the search of
// runtimes like GEOPM for the lowest power within a margin; what a cap costs cannot be computed
// from the counters, only seen. A zone is capped only while every launch in it agrees. Zones that a
// launch has cores in are capped alike, as its parts wait for each other.
//
// No I/O and no clock; for one thread. The caller carries out what is returned.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/node_settings.hpp"
#include "core/power_cap.hpp"

namespace hyades {

class PowerCapper {
 public:
  struct Change {
    std::size_t zone = 0;  // of those that it was made with
    int percent = 100;     // again, now and then, while caps cannot be set
  };

  explicit PowerCapper(std::vector<PowerZone> zones = {}) : zones_(std::move(zones)) {}

  // Until this is called nothing is capped.
  void configure(const NodeSettings& settings);

  // A launch is about to start with these cores, or is found to run with them; `margin` as in
  // JobSpec. Without cores: it is there and nobody knows with which. To say what is known already
  // changes nothing. `unwilling`: why that is 0 although it may have agreed to more ("runs on
  // several nodes").
  void arrives(const LaunchKey& key, const IdSet& cores, int margin,
               const std::string& unwilling = "");
  // It may use these from now on.
  void moves(const LaunchKey& key, const IdSet& cores);
  // Nothing of it is left.
  void leaves(const LaunchKey& key);
  // By now it has done so much. What counts is how fast that grows; `unit` tells what is counted
  // from what was counted before.
  void progresses(const LaunchKey& key, const std::string& unit, double done, BootMs at_ms);

  // What is due. `fixed`: why caps cannot be set on this node; "": they can. `withheld`: what could
  // not be given back, told of every launch.
  std::vector<Change> turn(const std::string& fixed, BootMs now_ms,
                           const std::string& withheld = "");

  PowerCap cap(const LaunchKey& key) const;
  int capped() const;         // zones
  std::string state() const;  // for people

 private:
  // How fast a launch is, over all of the time since it was last started anew: what comes in steps
  // would look fast or slow between two of them.
  class Speed {
   public:
    void start_anew() { started_ = false; }  // with the next step
    void go_on() { from_ = done_, from_ms_ = done_ms_, steps_ = 0; }
    void add(double done, BootMs at_ms);
    void forget() { known_ = started_ = false; }  // what was done so far
    bool known() const;
    bool seen() const { return started_; }
    double get() const { return (done_ - from_) / static_cast<double>(done_ms_ - from_ms_); }

   private:
    bool known_ = false;
    bool started_ = false;
    double from_ = 0;
    BootMs from_ms_ = 0;
    double done_ = 0;
    BootMs done_ms_ = 0;
    int steps_ = 0;
  };
  struct Launch {
    IdSet cores;  // that it may use; empty: not known
    int margin = 0;
    std::string unwilling;
    PowerCap cap;
    std::string unit;
    Speed speed;
    double uncapped = 0;   // its speed without a cap
    bool is_other = true;  // what was measured before is not of it as it is
  };
  enum class Stage { Waiting, Measuring, Lowering, Holding };
  // Zones that launches have in common, and those launches.
  struct Group {
    std::vector<std::size_t> zones;
    std::vector<LaunchKey> launches;
    Stage stage = Stage::Waiting;
    int percent = 100;
    int held_percent = 100;  // before it was measured again
    BootMs since_ms = 0;     // of the stage and the cap
    BootMs due_ms = 0;       // to be looked at next
    BootMs measuring_took_ms = 0;
    BootMs pause_ms = 0;   // before the next attempt, after it had to be lifted
    int too_slow = 0;      // so many looks in a row
    std::string obstacle;  // why it is not capped, or no lower
  };
  // The launch that is nearest to what it can do without, or furthest beyond it.
  struct Worst {
    LaunchKey key;
    double lost_percent = 0;  // of its speed
    int margin = 0;

    bool too_much() const { return lost_percent > margin; }
  };

  bool is_elsewhere(const Launch& launch) const;
  std::vector<Group> groups_of_now() const;
  void regroup(BootMs now_ms, std::vector<Change>& changes);
  std::string obstacle(const std::string& fixed, const Group& group) const;
  bool measured(const Group& group) const;
  std::string unmeasured(const Group& group) const;
  Worst worst(const Group& group) const;
  static std::string words_for(const Group& group, const Worst& worst);
  BootMs next_pause(const Group& group) const;
  void turn(Group& group, const std::string& wrong, BootMs now_ms, std::vector<Change>& changes);
  void begin_anew(const std::string& fixed, BootMs now_ms, std::vector<Change>& changes);
  std::string no_lower() const;
  std::string words_of_stage(const Group& group, BootMs now_ms) const;
  void tell(Group& group, const std::string& wrong, BootMs now_ms);
  static void tell(Launch& launch, const std::string& obstacle);
  void look(Group& group, BootMs now_ms, std::vector<Change>& changes);
  void look_lower(Group& group, const Worst& worst, BootMs now_ms, std::vector<Change>& changes);
  void wait(Group& group, BootMs for_ms, const std::string& why, BootMs now_ms,
            std::vector<Change>& changes);
  void set(Group& group, Stage stage, int percent, const std::string& why, BootMs now_ms,
           std::vector<Change>& changes);

  std::vector<PowerZone> zones_;
  bool enabled_ = false;
  int least_percent_ = 100;
  BootMs every_ms_ = 30'000;
  std::map<LaunchKey, Launch> launches_;
  bool members_changed_ = true;
  bool settings_changed_ = false;
  std::vector<Group> groups_;
  std::string obstacle_;
  BootMs said_again_ms_ = 0;
};

}  // namespace hyades
