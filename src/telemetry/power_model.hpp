// How much power a node without a meter is taken to draw: a straight line between what it draws
// idle and what it draws busy. Between measured curves of real servers and that line lie up to some
// 10 % of the peak; what is computed from it is always marked as modelled.
#pragma once

namespace hyades {

struct PowerModel {
  double idle_w = 0;
  double peak_w = 0;  // all processors busy, without accelerators

  // False: nobody has said what this node draws, so nothing is modelled.
  bool is_stated() const { return idle_w >= 0 && peak_w > 0 && peak_w >= idle_w; }

  // busy: the share of the processors' time, in per cent; beyond 0 to 100 it counts as these.
  double watts(double busy) const;
};

}  // namespace hyades
