#include "master/model_glance.hpp"

#include <sys/stat.h>

#include <system_error>
#include <thread>

#include "policy/learned/policy_header.hpp"

namespace hyades {

ModelGlance::State ModelGlance::state_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size),
          status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec};
}

ModelGlance::Known ModelGlance::read(const std::string& path, const std::optional<Known>& known) {
  Known now{state_of(path), {}};
  if (known && known->state == now.state) return *known;
  try {
    std::vector<jobscripts::NamedTensor> weights;
    const std::string bytes = learned::read_policy_file(path);
    learned::PolicyHeader header = learned::parse_policy(bytes, path, weights);
    now.seen = {std::move(header.digest), std::move(header.facts), ""};
  } catch (const std::exception& error) {
    now.seen.problem = error.what();
  }
  return now;
}

// Nobody could wait for a thread that hangs: it is on its own.
std::future<ModelGlance::Known> ModelGlance::begin(const std::string& path,
                                                   const std::optional<Known>& known) {
  std::packaged_task<Known()> task([path, known] { return read(path, known); });
  std::future<Known> reading = task.get_future();
  std::thread(std::move(task)).detach();
  return reading;
}

const ModelGlance::Seen& ModelGlance::look(const std::string& path) {
  File& file = files_[path];
  const bool is_late = file.reading.valid();
  try {
    if (!is_late) file.reading = begin(path, file.known);
  } catch (const std::system_error&) {
    static const Seen busy{"", {}, "this machine has no thread left to read it: try again later"};
    return busy;
  }
  const auto patience = is_late ? std::chrono::milliseconds(0) : patience_;
  if (file.reading.wait_for(patience) == std::future_status::ready) {
    file.known = file.reading.get();
    return file.known->seen;
  }
  static const Seen silent{"", {}, "its file system does not answer"};
  return silent;
}

}  // namespace hyades
