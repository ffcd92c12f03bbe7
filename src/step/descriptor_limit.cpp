#include "step/descriptor_limit.hpp"

namespace hyades {

DescriptorLimit::DescriptorLimit() {
  getrlimit(RLIMIT_NOFILE, &usual_);
  raised_ = {usual_.rlim_max, usual_.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised_) != 0) raised_ = usual_;
}

DescriptorLimit::Usual::Usual(const DescriptorLimit& limit) : limit_(limit) {
  setrlimit(RLIMIT_NOFILE, &limit_.usual_);
}

DescriptorLimit::Usual::~Usual() { setrlimit(RLIMIT_NOFILE, &limit_.raised_); }

}  // namespace hyades
