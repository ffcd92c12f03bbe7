// What the processors of this machine may draw, as the kernel's powercap lets root set it (Intel
// RAPL's long-term limit): /sys/class/powercap/intel-rapl:N. Packages only; the finer zones of a
// package and machines that have several dies in one are left alone.
//
// Whoever sets limits gives all power back when it goes. What they were before the first change is
// written down in /run, so that the next one restores them where this one is killed.
#pragma once

#include <string>
#include <vector>

namespace hyades {

struct PackageLimit {
  int package = 0;   // the operating system's number
  std::string file;  // holds microwatts
  long long usual_uw = 0;
  int percent = 100;  // of that
};

// Those that this process may set. `root`: "" for this machine, else where a tree with sys/ and
// run/ in it stands. `trouble`: why others cannot be, if there are any or there is none at all.
std::vector<PackageLimit> find_package_limits(const std::string& root, std::string& trouble);

// As the environment of the daemons has it (HYADES_TELEMETRY_ROOT), for tests.
std::string power_root();

class PowerLimits {
 public:
  explicit PowerLimits(const std::string& root);
  ~PowerLimits();
  PowerLimits(const PowerLimits&) = delete;
  PowerLimits& operator=(const PowerLimits&) = delete;

  // The package may draw so much of what it could when this was made; 100 gives all of it back.
  // Returns why that was in vain, or "". After that nothing is lowered any more.
  std::string set(int package, int percent);
  // Of that, or of restoring what was left.
  const std::string& trouble() const { return trouble_; }
  // The files in which it gave back what somebody had left lowered, with blanks between; "": none.
  const std::string& restored() const { return restored_; }
  // The packages that have less than they could draw, for people; "": none.
  std::string withheld() const;

 private:
  void restore(std::string left);
  bool nothing_to_remember() const;
  void write_memory();
  void write_limit(PackageLimit& limit, int percent);

  std::string memory_;
  std::vector<PackageLimit> limits_;
  std::string trouble_;
  std::string restored_;
};

}  // namespace hyades
