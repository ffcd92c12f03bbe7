#include "worker/launch_record.hpp"

#include <limits>

#include "wire/byte_codec.hpp"
#include "worker/job_environment.hpp"
#include "worker/launcher_order.hpp"
#include "worker/pam_session.hpp"

namespace hyades {
namespace {

constexpr std::uint64_t format = 5;
constexpr std::size_t step_key_size = 32;
constexpr std::size_t cores_bytes_max = 64u << 10;  // what the wire takes
constexpr std::uint64_t boot_ms_max = 1ull << 53;   // so that no sum overflows
constexpr std::uint64_t memory_mib_max = 1ull << 40;
constexpr int seconds_max = std::numeric_limits<int>::max();

bool get_u32(ByteReader& in, std::uint32_t& out) {
  std::uint64_t value = 0;
  if (!in.get(value) || value > std::numeric_limits<std::uint32_t>::max()) return false;
  out = static_cast<std::uint32_t>(value);
  return true;
}

// What ends up as a C string must not be cut short by a NUL.
bool is_c_string(const std::string& text) { return text.find('\0') == std::string::npos; }

bool are_c_strings(const std::vector<std::string>& list) {
  for (const std::string& element : list) {
    if (!is_c_string(element)) return false;
  }
  return true;
}

bool get_path(ByteReader& in, std::string& out) {
  return in.get(out, Limits::path_bytes_max) && is_c_string(out);
}

// Its pattern was short enough, its expansion need not be: the kernel tells the user.
bool get_expanded_path(ByteReader& in, std::string& out) {
  return in.get(out, launch_bytes_max) && is_c_string(out);
}

bool get_list(ByteReader& in, std::vector<std::string>& out, std::size_t count_max,
              std::size_t bytes_max) {
  return in.get(out, count_max, bytes_max) && are_c_strings(out);
}

bool get_cores(ByteReader& in, LaunchRecord& record) {
  std::string text;
  return in.get(text, cores_bytes_max) && IdSet::parse(text, record.cores) &&
         record.cores.size() <= Limits::count_max &&
         in.get_int(record.elastic, -1, Limits::count_max);
}

bool get_identity(ByteReader& in, LaunchRecord& record) {
  std::uint64_t version = 0;
  std::uint64_t attempt = 0;
  if (!in.get(version) || version != format) return false;
  if (!in.get(record.key.job) || !in.get(attempt) || !in.get(record.key.sequence)) return false;
  record.key.attempt = static_cast<Attempt>(attempt);
  return attempt == record.key.attempt && get_u32(in, record.uid) && get_u32(in, record.gid) &&
         in.get(record.user, Limits::name_bytes_max) && is_c_string(record.user);
}

bool get_what_to_run(ByteReader& in, LaunchRecord& record) {
  // Hyades adds variables of its own to the user's.
  const std::size_t variables_max = Limits::list_max + own_variables_max;
  const std::size_t environment_max = 2 * Limits::environment_bytes_max;
  return in.get(record.script, Limits::script_bytes_max) &&
         get_list(in, record.arguments, Limits::list_max, Limits::environment_bytes_max) &&
         get_list(in, record.environment, variables_max, environment_max) &&
         get_path(in, record.working_directory) && get_expanded_path(in, record.stdin_path) &&
         get_expanded_path(in, record.stdout_path) && get_expanded_path(in, record.stderr_path);
}

bool get_how(ByteReader& in, LaunchRecord& record) {
  int append = 0;
  int batch_only = 0;
  const bool good =
      in.get_int(append, 0, 1) && get_u32(in, record.umask) && get_cpus(in, record.cpus) &&
      in.get_int(record.time_limit_s, 0, seconds_max) &&
      in.get_int(record.kill_grace_s, 0, seconds_max) && in.get_int(record.warning.signal, 0, 64) &&
      in.get_int(record.warning.seconds_before_end, 0, seconds_max) &&
      in.get_int(batch_only, 0, 1) && in.get_int(record.preparation_limit_s, 1, seconds_max);
  record.append_output = append != 0;
  record.warning.batch_only = batch_only != 0;
  return good && record.umask <= 0777;
}

bool is_step_key(const std::string& text) {
  return text.empty() || (text.size() == step_key_size &&
                          text.find_first_not_of("0123456789abcdef") == std::string::npos);
}

bool get_steps(ByteReader& in, LaunchRecord& record) {
  int companion = 0;
  const bool good = in.get(record.step_file, Limits::script_bytes_max) &&
                    in.get(record.mpi_hostfile, Limits::script_bytes_max) &&
                    in.get_int(companion, 0, 1) && get_path(in, record.step_program) &&
                    in.get(record.step_key, step_key_size) && is_step_key(record.step_key);
  record.companion = companion != 0;
  return good && (!record.companion || record.step_program.starts_with('/'));
}

bool get_lease(ByteReader& in, LaunchRecord& record) {
  std::uint64_t base = 0;
  if (!in.get_int(record.lease_s, 0, seconds_max) || !in.get(base) || base > boot_ms_max) {
    return false;
  }
  record.lease_base_ms = static_cast<BootMs>(base);
  return true;
}

bool get_containment(ByteReader& in, LaunchRecord& record) {
  int contain_cpus = 0;
  std::uint64_t memory = 0;
  const bool good =
      in.get(record.cluster_id, Limits::name_bytes_max) && is_cluster_id(record.cluster_id) &&
      in.get_int(contain_cpus, 0, 1) && in.get(memory) && memory <= memory_mib_max &&
      in.get_int(record.processes_max, 0, seconds_max) &&
      get_list(in, record.forbidden_devices, Limits::list_max, Limits::path_bytes_max);
  record.contain_cpus = contain_cpus != 0;
  record.memory_limit_mib = static_cast<std::int64_t>(memory);
  return good;
}

bool get_hooks(ByteReader& in, LaunchRecord& record) {
  return get_path(in, record.hook_directory) && in.get_int(record.hook_timeout_s, 1, seconds_max) &&
         in.get(record.node_name, Limits::name_bytes_max) &&
         in.get(record.job_name, Limits::name_bytes_max);
}

bool get_account(ByteReader& in, LaunchRecord& record) {
  int allow_root = 0;
  int no_new_privileges = 0;
  int private_tmp = 0;
  const bool good = in.get_int(allow_root, 0, 1) && get_u32(in, record.min_uid) &&
                    in.get_int(no_new_privileges, 0, 1) && in.get_int(private_tmp, 0, 1) &&
                    in.get(record.pam_service, Limits::name_bytes_max) &&
                    (record.pam_service.empty() || is_pam_service(record.pam_service));
  record.allow_root = allow_root != 0;
  record.no_new_privileges = no_new_privileges != 0;
  record.private_tmp = private_tmp != 0;
  return good;
}

void put_counters(const CounterPlan& plan, ByteWriter& out) {
  out.put(plan.counters.size());
  for (const PlannedCounter& counter : plan.counters) {
    out.put(counter.name);
    out.put_signed(static_cast<int>(counter.side));
    out.put(counter.terms.size());
    for (const PerfTerm& term : counter.terms) {
      out.put(term.type);
      out.put(term.config);
      out.put(term.config1);
      out.put(term.config2);
      out.put(term.subtract ? 1 : 0);
    }
  }
  out.put(plan.missing.size());
  for (const MissingCounter& missing : plan.missing) {
    out.put(missing.name);
    out.put(missing.why);
  }
  out.put(plan.asked ? 1 : 0);
}

bool get_term(ByteReader& in, PerfTerm& term) {
  int subtract = 0;
  const bool good = get_u32(in, term.type) && in.get(term.config) && in.get(term.config1) &&
                    in.get(term.config2) && in.get_int(subtract, 0, 1);
  term.subtract = subtract != 0;
  return good;
}

bool get_counter(ByteReader& in, PlannedCounter& counter) {
  int side = 0;
  std::uint64_t terms = 0;
  if (!in.get(counter.name, counter_name_bytes_max) ||
      !in.get_int(side, 0, static_cast<int>(CounterSide::MostlyKernel)) || !in.get(terms) ||
      terms > counter_terms_max) {
    return false;
  }
  counter.side = static_cast<CounterSide>(side);
  counter.terms.resize(terms);
  for (PerfTerm& term : counter.terms) {
    if (!get_term(in, term)) return false;
  }
  return true;
}

bool get_counters(ByteReader& in, CounterPlan& plan) {
  std::uint64_t count = 0;
  if (!in.get(count) || count > job_counters_max) return false;
  plan.counters.assign(count, {});
  for (PlannedCounter& counter : plan.counters) {
    if (!get_counter(in, counter)) return false;
  }
  if (!in.get(count) || count > job_counters_max) return false;
  plan.missing.assign(count, {});
  for (MissingCounter& missing : plan.missing) {
    if (!in.get(missing.name, counter_name_bytes_max) ||
        !in.get(missing.why, counter_reason_bytes_max)) {
      return false;
    }
  }
  int asked = 0;
  if (!in.get_int(asked, 0, 1)) return false;
  plan.asked = asked != 0;
  return is_well_formed(plan);
}

}  // namespace

void put_cpus(const std::vector<int>& cpus, ByteWriter& out) {
  out.put(cpus.size());
  for (int cpu : cpus) out.put_signed(cpu);
}

bool get_cpus(ByteReader& in, std::vector<int>& cpus) {
  std::uint64_t count = 0;
  if (!in.get(count) || count > Limits::list_max || count > in.rest().size() / 8) return false;
  cpus.assign(count, 0);
  for (int& cpu : cpus) {
    if (!in.get_int(cpu, 0, static_cast<int>(Limits::list_max))) return false;
  }
  return true;
}

bool is_cluster_id(const std::string& text) {
  constexpr const char* allowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  return text.find_first_not_of(allowed) == std::string::npos;
}

std::string encode(const LaunchRecord& record) {
  ByteWriter out;
  out.put(format);
  out.put(record.key.job);
  out.put(record.key.attempt);
  out.put(record.key.sequence);
  out.put(record.uid);
  out.put(record.gid);
  out.put(record.user);
  out.put(record.script);
  out.put(record.arguments);
  out.put(record.environment);
  out.put(record.working_directory);
  out.put(record.stdin_path);
  out.put(record.stdout_path);
  out.put(record.stderr_path);
  out.put(record.append_output ? 1 : 0);
  out.put(record.umask);
  put_cpus(record.cpus, out);
  out.put_signed(record.time_limit_s);
  out.put_signed(record.kill_grace_s);
  out.put_signed(record.warning.signal);
  out.put_signed(record.warning.seconds_before_end);
  out.put(record.warning.batch_only ? 1 : 0);
  out.put_signed(record.preparation_limit_s);
  out.put(record.step_file);
  out.put(record.mpi_hostfile);
  out.put(record.companion ? 1 : 0);
  out.put(record.step_program);
  out.put(record.step_key);
  out.put_signed(record.lease_s);
  out.put_signed(record.lease_base_ms);
  out.put(record.cluster_id);
  out.put(record.contain_cpus ? 1 : 0);
  out.put_signed(record.memory_limit_mib);
  out.put_signed(record.processes_max);
  out.put(record.forbidden_devices);
  out.put(record.hook_directory);
  out.put_signed(record.hook_timeout_s);
  out.put(record.node_name);
  out.put(record.job_name);
  out.put(record.allow_root ? 1 : 0);
  out.put(record.min_uid);
  out.put(record.no_new_privileges ? 1 : 0);
  out.put(record.private_tmp ? 1 : 0);
  out.put(record.pam_service);
  put_counters(record.counters, out);
  out.put(record.cores.to_string());
  out.put_signed(record.elastic);
  out.put_signed(record.counters_every_ms);
  return out.take();
}

bool decode(std::string_view bytes, LaunchRecord& record) {
  ByteReader in(bytes);
  return get_identity(in, record) && get_what_to_run(in, record) && get_how(in, record) &&
         get_steps(in, record) && get_lease(in, record) && get_containment(in, record) &&
         get_hooks(in, record) && get_account(in, record) && get_counters(in, record.counters) &&
         get_cores(in, record) && in.get_int(record.counters_every_ms, 0, seconds_max) &&
         in.at_end();
}

}  // namespace hyades
