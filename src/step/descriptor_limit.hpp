// How many files a process may have open: as many as it can get for us, who hold a few for each
// task or node, and what it was for those whom we start, since some programs take a large limit
// badly.
#pragma once

#include <sys/resource.h>

namespace hyades {

class DescriptorLimit {
 public:
  // Raises it as far as it goes. To be made once, first.
  DescriptorLimit();

  // While one of these lives, children are started with the limit that was there before. What is
  // open beyond it stays open.
  class Usual {
   public:
    explicit Usual(const DescriptorLimit& limit);
    ~Usual();
    Usual(const Usual&) = delete;
    Usual& operator=(const Usual&) = delete;

   private:
    const DescriptorLimit& limit_;
  };

 private:
  rlimit usual_ = {};
  rlimit raised_ = {};
};

}  // namespace hyades
