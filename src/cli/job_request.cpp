#include "cli/job_request.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "cli/begin_time.hpp"
#include "cli/command.hpp"
#include "cli/dependency_list.hpp"
#include "cli/device_request.hpp"
#include "cli/job_environment.hpp"
#include "cli/printable.hpp"
#include "cli/signal_name.hpp"
#include "core/counter_names.hpp"
#include "core/hostlist.hpp"
#include "core/units.hpp"
#include "core/work_class.hpp"

namespace hyades {
namespace {

constexpr const char* kTimeHelp = "not a time; use minutes, h:mm:ss or d-hh:mm:ss";
constexpr const char* kMemoryHelp = "not an amount of memory; use 512M, 4G or 1T";

bool parse_int(const std::string& text, int& out) {
  const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  if (text.size() == sign) return false;
  const auto [at, error] = std::from_chars(begin, end, out);
  return error == std::errc() && at == end;
}

// Reads the options one by one into a request. Every reader reports at the option's own place.
class Builder {
 public:
  Builder(const SubmitOptions& options, const SubmitSurroundings& surroundings, Diagnostics& found)
      : options_(options), surroundings_(surroundings), found_(found) {}

  void read_spec(const std::string& default_name) {
    JobSpec& spec = request_.spec;
    spec.name = options_.has("job-name") ? options_.value("job-name") : default_name;
    spec.queue = options_.value("partition");
    if (spec.queue.find(',') != std::string::npos) {
      fail("partition", "several queues for one job are not supported yet; name one");
    }
    spec.hold = options_.has("hold");
    spec.requeue = !options_.has("no-requeue");
    spec.exclusive = options_.has("exclusive");
    read_time_limit();
    read_lease();
    read_counters();
    read_class();
    read_geometry();
    read_elastic();
    read_power_margin();
    read_hosts();
    read_devices();
    read_memory();
    read_priority();
    read_rest();
  }

  void read_payload(const std::vector<std::string>& arguments, bool speaks_sbatch) {
    JobPayload& payload = request_.payload;
    payload.arguments = arguments;
    payload.umask = surroundings_.umask;
    payload.comment = options_.value("comment");
    payload.working_directory = working_directory();
    payload.stdin_path = file_option("input");
    payload.stdout_path = file_option("output");
    payload.stderr_path = file_option("error");
    if (payload.stdout_path.empty()) {
      payload.stdout_path = speaks_sbatch ? "slurm-%j.out" : "hyades-%j.out";
    }
    if (options_.has("open-mode")) {
      const std::string mode = options_.value("open-mode");
      payload.append_output = mode == "append" || mode == "a";
      if (!payload.append_output && mode != "truncate" && mode != "t") {
        fail("open-mode", "not a mode; use append or truncate");
      }
    }
    auto bad =
        job_environment(options_.value("export"), surroundings_.environment, payload.environment);
    if (!bad.empty()) fail("export", bad);
  }

  JobRequest take() { return std::move(request_); }
  JobRequest& request() { return request_; }

 private:
  void fail(const std::string& option, const std::string& text) {
    found_.errors.push_back(options_.find(option)->place + ": " + text);
  }
  void warn(const std::string& option, const std::string& text) {
    found_.warnings.push_back(options_.find(option)->place + ": " + text);
  }

  // False when the option was not given or is wrong (which is then reported). `words`: what it may
  // be instead, for people.
  bool read_count(const std::string& option, int lowest, int& out, int highest = Limits::count_max,
                  const std::string& words = "") {
    if (!options_.has(option)) return false;
    int value = 0;
    if (!parse_int(options_.value(option), value)) {
      fail(option, "not a number" + words);
    } else if (value < lowest || value > highest) {
      fail(option,
           "must be from " + std::to_string(lowest) + " to " + std::to_string(highest) + words);
    } else {
      out = value;
      return true;
    }
    return false;
  }

  void read_time_limit() {
    if (!options_.has("time")) return;
    const std::string text = options_.value("time");
    int seconds = 0;
    if (!parse_duration_s(text, seconds)) {
      const bool endless = text == "UNLIMITED" || text == "unlimited" || text == "INFINITE" ||
                           text == "infinite" || text == "-1";
      fail("time", endless ? "a job without a time limit is not supported; give a long one, such "
                             "as 30-00:00:00"
                           : kTimeHelp);
    } else if (seconds == 0) {
      warn("time", "0 is taken as not given: the queue's default limit applies");
    } else {
      request_.spec.time_limit_s = seconds;
    }
  }

  // "20s" or a time limit's form; "none".
  void read_lease() {
    if (!options_.has("lease")) return;
    const std::string text = options_.value("lease");
    int seconds = 0;
    if (text == "none") {
      request_.spec.lease_s = -1;
    } else if ((text.ends_with('s') && parse_int(text.substr(0, text.size() - 1), seconds)) ||
               parse_duration_s(text, seconds)) {
      constexpr int least_s = 10;
      if (seconds < least_s) {
        fail("lease", "a lease must be 10 seconds or longer: a short hiccup would end the job");
      }
      request_.spec.lease_s = seconds;
    } else {
      fail("lease", "use seconds (20s), minutes, m:ss, h:mm:ss or d-hh:mm:ss, or none");
    }
  }

  // Which classes there are, the master knows.
  void read_class() {
    if (!options_.has("class")) return;
    request_.spec.work_class = options_.value("class");
    const std::string wrong = check_class_name(request_.spec.work_class);
    if (!wrong.empty()) fail("class", wrong);
  }

  // Without a number: all that there are.
  void read_elastic() {
    if (!options_.has("elastic")) return;
    const std::string text = options_.value("elastic");
    if (text == "no") {
      request_.spec.elastic = -1;
    } else if (text.empty() || text == "yes") {
      request_.spec.elastic = Limits::count_max;
    } else {
      read_count("elastic", 1, request_.spec.elastic, Limits::count_max, ", yes or no");
      const JobSpec& spec = request_.spec;
      if (spec.elastic > 0 && spec.elastic <= spec.cpus_per_task) {
        warn("elastic", "means nothing, as the job has " + std::to_string(spec.cpus_per_task) +
                            (spec.cpus_per_task == 1 ? " core" : " cores") +
                            " of its own at least; give the most that it can use");
      }
    }
  }

  void read_power_margin() {
    if (!options_.has("power-margin")) return;
    if (options_.value("power-margin") == "no") {
      request_.spec.power_margin = -1;
    } else {
      read_count("power-margin", 1, request_.spec.power_margin, Limits::power_margin_max,
                 ", or no");
    }
    if (request_.spec.power_margin > 0 && request_.spec.nodes > 1) {
      warn("power-margin", "jobs of several nodes are not capped");
    }
  }

  void read_counters() {
    if (!options_.has("counters")) return;
    std::vector<std::string>& counters = request_.spec.counters;
    counters = split_list(options_.value("counters"));
    std::string bad = check_counters(counters);
    if (counters.empty()) bad = "name at least one, or none";
    if (!bad.empty()) fail("counters", bad);
  }

  // "-N 4" or "-N 2-4".
  void read_nodes() {
    if (!options_.has("nodes")) return;
    const std::string text = options_.value("nodes");
    const std::size_t dash = text.find('-', 1);
    int low = 0;
    int high = 0;
    const bool good = parse_int(text.substr(0, dash), low) &&
                      (dash == std::string::npos || parse_int(text.substr(dash + 1), high));
    if (!good) return fail("nodes", "not a number of nodes; use 4 or 2-4");
    if (low < 1 || low > Limits::count_max) {
      return fail("nodes", "must be from 1 to " + std::to_string(Limits::count_max));
    }
    if (dash != std::string::npos && high < low) {
      return fail("nodes", "the range ends before it begins");
    }
    if (high > low) {
      warn("nodes", "ranges are not supported yet: the job gets " + std::to_string(low) +
                        (low == 1 ? " node" : " nodes"));
    }
    request_.spec.nodes = low;
  }

  void read_geometry() {
    JobSpec& spec = request_.spec;
    read_nodes();
    read_count("ntasks-per-node", 1, spec.tasks_per_node);
    read_count("cpus-per-task", 1, spec.cpus_per_task);
    if (read_count("ntasks", 1, spec.tasks)) {
      if (spec.nodes > spec.tasks) {
        warn("ntasks", "fewer tasks than nodes: the job gets " + std::to_string(spec.tasks) +
                           (spec.tasks == 1 ? " node" : " nodes"));
        spec.nodes = spec.tasks;
      }
    } else {
      const std::int64_t tasks =
          std::int64_t{std::max(1, spec.nodes)} * std::max(1, spec.tasks_per_node);
      spec.tasks = static_cast<int>(std::min<std::int64_t>(tasks, Limits::count_max));
      if (tasks > Limits::count_max) fail("ntasks-per-node", "more than 1000000 tasks in all");
    }
  }

  void read_host_option(const std::string& option, std::vector<std::string>& out) {
    if (!options_.has(option)) return;
    std::string error;
    if (!expand_hostlist(options_.value(option), out, error)) fail(option, error);
  }

  void read_hosts() {
    JobSpec& spec = request_.spec;
    read_host_option("nodelist", spec.node_list);
    read_host_option("exclude", spec.exclude);
    const int named = static_cast<int>(spec.node_list.size());
    if (named == 0) return;
    const std::set<std::string> excluded(spec.exclude.begin(), spec.exclude.end());
    const auto both =
        std::find_if(spec.node_list.begin(), spec.node_list.end(),
                     [&](const std::string& node) { return excluded.contains(node); });
    if (both != spec.node_list.end()) {
      fail("exclude", "node " + *both + " is in --nodelist as well; leave it out of one of them");
    }
    if (spec.nodes > named) {
      fail("nodelist", "names " + std::to_string(named) + " nodes, but the job asks for " +
                           std::to_string(spec.nodes));
    } else if (spec.nodes == 0 && !options_.has("ntasks")) {
      // sbatch gives a job all the nodes that it names.
      spec.nodes = named;
      spec.tasks = std::max(spec.tasks, named * std::max(1, spec.tasks_per_node));
    }
  }

  // How many GPUs each node has to have, from whichever option says so; 0 when none does.
  int gpus_on_each_node(std::string& type) {
    int count = 0;
    const auto read = [&](const char* option) {
      if (!options_.has(option)) return false;
      auto bad = parse_gpu_count(options_.value(option), count, type);
      if (!bad.empty()) fail(option, bad);
      return bad.empty();
    };
    JobSpec& spec = request_.spec;
    if (read("gpus-per-node")) return count;
    if (read("gpus-per-task")) {
      const int tasks = spec.tasks_per_node > 0 ? std::min(spec.tasks_per_node, spec.tasks)
                                                : tasks_on_each_node("gpus-per-task");
      return static_cast<int>(
          std::min<std::int64_t>(std::int64_t{count} * tasks, Limits::count_max));
    }
    if (read("gpus")) {
      if (spec.nodes == 0) spec.nodes = 1;
      if (count % spec.nodes != 0) {
        fail("gpus", "cannot be shared evenly by " + std::to_string(spec.nodes) +
                         " nodes; use --gpus-per-node");
      }
      return count / spec.nodes;
    }
    return 0;
  }

  int tasks_on_each_node(const std::string& option) {
    JobSpec& spec = request_.spec;
    if (spec.nodes == 0) spec.nodes = 1;
    if (spec.tasks % spec.nodes != 0) {
      fail(option, std::to_string(spec.tasks) + " tasks cannot be shared evenly by " +
                       std::to_string(spec.nodes) + " nodes; add --ntasks-per-node");
    }
    return spec.tasks / spec.nodes;
  }

  void read_devices() {
    DeviceRequest devices;
    if (options_.has("gres")) {
      auto bad = parse_gres(options_.value("gres"), devices);
      if (!bad.empty()) fail("gres", bad);
    }
    std::string type;
    const int gpus = gpus_on_each_node(type);
    const auto is_gpu = [](const DeviceCount& device) { return device.kind == "gpu"; };
    const auto have = std::find_if(devices.devices.begin(), devices.devices.end(), is_gpu);
    if (gpus > 0 && have == devices.devices.end()) {
      parse_gres("gpu:" + (type.empty() ? "" : type + ":") + std::to_string(gpus), devices);
    } else if (gpus > 0 && have->count != gpus) {
      fail("gres", "asks for " + std::to_string(have->count) +
                       " GPUs on each node, and another "
                       "option for " +
                       std::to_string(gpus));
    }
    request_.spec.devices_per_node = devices.devices;
    read_features(devices.features);
    read_cpus_per_gpu();
  }

  int gpus() const {
    for (const DeviceCount& device : request_.spec.devices_per_node) {
      if (device.kind == "gpu") return device.count;
    }
    return 0;
  }

  void read_cpus_per_gpu() {
    int count = 0;
    if (options_.has("cpus-per-task") || !read_count("cpus-per-gpu", 1, count)) return;
    if (gpus() == 0) return fail("cpus-per-gpu", "the job asks for no GPU");
    JobSpec& spec = request_.spec;
    const int tasks = spec.tasks_per_node > 0 ? std::min(spec.tasks_per_node, spec.tasks)
                                              : tasks_on_each_node("cpus-per-gpu");
    const std::int64_t cores = std::int64_t{count} * gpus();
    spec.cpus_per_task =
        static_cast<int>(std::min<std::int64_t>((cores + tasks - 1) / tasks, Limits::count_max));
  }

  void read_features(const std::vector<std::string>& from_devices) {
    auto& features = request_.spec.features;
    const std::string text = options_.value("constraint");
    if (text.find_first_of("|[]()*") != std::string::npos) {
      fail("constraint", "only features joined by & are supported yet, as in ssd&avx2");
    } else if (options_.has("constraint")) {
      for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find_first_of("&,", begin), text.size());
        const std::string feature = text.substr(begin, end - begin);
        if (feature.empty()) return fail("constraint", "a feature is missing");
        features.push_back(feature);
        begin = end + 1;
      }
    }
    features.insert(features.end(), from_devices.begin(), from_devices.end());
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
  }

  void read_memory() {
    int given = 0;
    const auto read = [&](const char* option, MiB& out) {
      if (!options_.has(option)) return;
      ++given;
      if (!parse_memory_mib(options_.value(option), out)) fail(option, kMemoryHelp);
      if (given > 1) fail(option, "memory is asked for in two ways; use one of them");
    };
    JobSpec& spec = request_.spec;
    MiB per_gpu = 0;
    read("mem", spec.memory_per_node_mib);
    read("mem-per-cpu", spec.memory_per_cpu_mib);
    read("mem-per-gpu", per_gpu);
    if (per_gpu > 0) {
      if (gpus() == 0) fail("mem-per-gpu", "the job asks for no GPU");
      spec.memory_per_node_mib = std::min(per_gpu, MiB{1} << 40) * gpus();
    }
    const bool zero = options_.has("mem") && spec.memory_per_node_mib == 0;
    if (zero && given == 1 && found_.errors.empty() && !spec.exclusive) {
      warn("mem",
           "0 (all the memory of a node) is not supported without --exclusive: no memory "
           "is set aside for the job");
    }
  }

  void read_priority() {
    int priority = 0;
    if (options_.has("priority") && !parse_int(options_.value("priority"), priority)) {
      fail("priority", "not a number");
    }
    int nice = 0;
    if (const ChosenOption* option = options_.find("nice")) {
      nice = 100;
      if (option->has_value && !parse_int(option->value, nice)) fail("nice", "not a number");
    }
    const std::int64_t sum = std::int64_t{priority} - nice;
    if (sum < -Limits::count_max || sum > Limits::count_max) {
      fail(options_.has("priority") ? "priority" : "nice", "must be from -1000000 to 1000000");
    } else {
      request_.spec.priority = static_cast<int>(sum);
    }
  }

  void read_rest() {
    JobSpec& spec = request_.spec;
    if (options_.has("begin")) {
      auto bad =
          parse_point_in_time(options_.value("begin"), surroundings_.now_ms, true, spec.begin_ms);
      if (!bad.empty()) fail("begin", bad);
    }
    if (options_.has("dependency")) {
      auto bad = parse_dependencies(options_.value("dependency"), spec.dependencies);
      if (!bad.empty()) fail("dependency", bad);
    }
    if (options_.has("signal")) {
      auto bad = parse_warning_signal(options_.value("signal"), spec.warning);
      if (!bad.empty()) fail("signal", bad);
    }
    const std::string sharing = options_.value("exclusive");
    if (!sharing.empty() && sharing != "exclusive") {
      if (sharing == "user" || sharing == "mcs" || sharing == "topo") {
        warn("exclusive", "taken as --exclusive: the nodes are shared with nobody");
      } else {
        fail("exclusive", "takes no value");
      }
    }
  }

  std::string working_directory() const {
    if (!options_.has("chdir")) return surroundings_.current_directory;
    const std::string path = options_.value("chdir");
    return !path.empty() && path[0] == '/' ? path : surroundings_.current_directory + "/" + path;
  }

  std::string file_option(const std::string& option) const {
    const std::string path = options_.value(option);
    return path == "none" || path == "NONE" ? "/dev/null" : path;
  }

  const SubmitOptions& options_;
  const SubmitSurroundings& surroundings_;
  Diagnostics& found_;
  JobRequest request_;
};

}  // namespace

std::string name_of_script(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  if (!is_printable_utf8(name)) {
    for (char& c : name) {
      if (c < 0x20 || c == 0x7f) c = '?';  // also every byte above 0x7f
    }
  }
  if (name.size() > Limits::name_bytes_max) name = "job";
  return name;
}

JobRequest make_job_request(const SubmitOptions& options, const ScriptText& script,
                            const std::vector<std::string>& arguments,
                            const SubmitSurroundings& surroundings, Diagnostics& found) {
  Builder builder(options, surroundings, found);
  builder.read_spec(script.default_name);
  builder.read_payload(arguments, script.speaks_sbatch);
  builder.request().payload.script = script.text;
  if (!found.errors.empty()) return builder.take();
  // What is left are sizes and control characters; their messages name the field.
  for (auto bad : {check_spec(builder.request().spec), check_payload(builder.request().payload)}) {
    if (!bad.empty()) found.errors.push_back(bad);
  }
  return builder.take();
}

}  // namespace hyades
