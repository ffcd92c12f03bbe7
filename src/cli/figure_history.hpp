// The last values of figures, for small plots of what was seen while looking on. One thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "hyades.pb.h"

namespace hyades {

// True for what only grows ("so far"): its plot is how fast it grew.
bool is_total(const pb::Figure& figure);

class FigureHistory {
 public:
  // The figures as of that moment. One that was not measured anew adds nothing.
  void add(const google::protobuf::RepeatedPtrField<pb::Figure>& figures, WallMs at_ms);

  // The newest last: values, or for what only grows the growth a second. At most the last 200.
  std::vector<double> values_of(const std::string& name) const;

 private:
  struct Track {
    std::deque<double> values;
    double last = 0;
    bool begun = false;
  };

  std::map<std::string, Track> tracks_;
  WallMs last_ms_ = 0;
};

}  // namespace hyades
