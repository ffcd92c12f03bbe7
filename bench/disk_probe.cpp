#include "disk_probe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "submit_swarm.hpp"

namespace hyades {

SampleSet probe_disk(const std::string& directory, double seconds) {
  const std::string path = directory + "/disk-probe";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot create " + path);
  const std::string page(4096, 'x');
  SampleSet times_ms;
  const double end_s = now_s() + seconds;
  while (now_s() < end_s) {
    const double begin_s = now_s();
    if (write(file, page.data(), page.size()) != static_cast<ssize_t>(page.size()) ||
        fdatasync(file) != 0) {
      close(file);
      throw std::runtime_error("cannot write " + path);
    }
    times_ms.add(1000 * (now_s() - begin_s));
  }
  close(file);
  unlink(path.c_str());
  return times_ms;
}

}  // namespace hyades
