#include "worker/launcher_order.hpp"

#include <csignal>
#include <limits>

#include "core/job_spec.hpp"
#include "core/power_cap.hpp"
#include "wire/byte_codec.hpp"
#include "worker/launch_record.hpp"

namespace hyades {
namespace {

enum : std::uint64_t {
  start_launch = 1,
  stop_launch = 2,
  signal_launch = 3,
  sweep_launch = 4,
  sweep_answer = 5,
  set_cores = 6,
  cores_trouble = 7,
  set_power = 8,
  power_trouble = 9
};

constexpr std::size_t trouble_bytes_max = 400;

constexpr int reason_max = static_cast<int>(StopReason::ScriptEnded);

void put_head(ByteWriter& out, std::uint64_t kind, const LaunchKey& key) {
  out.put(kind);
  out.put(key.job);
  out.put(key.attempt);
  out.put(key.sequence);
}

bool get_key(ByteReader& in, LaunchKey& key) {
  std::uint64_t attempt = 0;
  if (!in.get(key.job) || !in.get(attempt) || !in.get(key.sequence)) return false;
  key.attempt = static_cast<Attempt>(attempt);
  return key.attempt == attempt;
}

bool get_cluster(ByteReader& in, std::string& id) {
  return in.get(id, Limits::name_bytes_max) && is_cluster_id(id);
}

bool decode_stop(ByteReader& in, const LaunchKey& key, LauncherOrder& order) {
  StopLaunch stop{key};
  int reason = 0;
  if (!in.get_int(reason, 0, reason_max)) return false;
  if (!in.get_int(stop.grace_s, 0, std::numeric_limits<int>::max())) return false;
  stop.reason = static_cast<StopReason>(reason);
  order = stop;
  return in.at_end();
}

bool decode_signal(ByteReader& in, const LaunchKey& key, LauncherOrder& order) {
  SignalLaunch signal{key};
  int batch_only = 0;
  if (!in.get_int(signal.signal, 1, SIGRTMAX) || !in.get_int(batch_only, 0, 1)) return false;
  signal.batch_only = batch_only != 0;
  order = signal;
  return in.at_end();
}

bool decode_sweep(ByteReader& in, const LaunchKey& key, LauncherOrder& order) {
  SweepLaunch sweep{key, ""};
  if (!get_cluster(in, sweep.cluster_id)) return false;
  order = sweep;
  return in.at_end();
}

bool decode_cores(ByteReader& in, const LaunchKey& key, LauncherOrder& order) {
  SetCores cores{key, "", {}};
  if (!get_cluster(in, cores.cluster_id) || !get_cpus(in, cores.cpus)) return false;
  if (cores.cpus.empty()) return false;
  order = std::move(cores);
  return in.at_end();
}

bool decode_power(ByteReader& in, LauncherOrder& order) {
  SetPower power;
  if (!in.get_int(power.package, 0, std::numeric_limits<int>::max())) return false;
  if (!in.get_int(power.percent, kPowerPercentLeast, 100)) return false;
  order = power;
  return in.at_end();
}

}  // namespace

std::string encode(const LauncherOrder& order) {
  ByteWriter out;
  if (const auto* start = std::get_if<StartLaunch>(&order)) {
    put_head(out, start_launch, start->key);
    return out.take().append(start->record);
  }
  if (const auto* stop = std::get_if<StopLaunch>(&order)) {
    put_head(out, stop_launch, stop->key);
    out.put_signed(static_cast<int>(stop->reason));
    out.put_signed(stop->grace_s);
    return out.take();
  }
  if (const auto* sweep = std::get_if<SweepLaunch>(&order)) {
    put_head(out, sweep_launch, sweep->key);
    out.put(sweep->cluster_id);
    return out.take();
  }
  if (const auto* cores = std::get_if<SetCores>(&order)) {
    put_head(out, set_cores, cores->key);
    out.put(cores->cluster_id);
    put_cpus(cores->cpus, out);
    return out.take();
  }
  if (const auto* power = std::get_if<SetPower>(&order)) {
    put_head(out, set_power, {});
    out.put_signed(power->package);
    out.put_signed(power->percent);
    return out.take();
  }
  const auto& signal = std::get<SignalLaunch>(order);
  put_head(out, signal_launch, signal.key);
  out.put_signed(signal.signal);
  out.put(signal.batch_only ? 1 : 0);
  return out.take();
}

bool decode(std::string_view bytes, LauncherOrder& order) {
  ByteReader in(bytes);
  std::uint64_t kind = 0;
  LaunchKey key;
  if (!in.get(kind) || !get_key(in, key)) return false;
  if (kind == start_launch) {
    order = StartLaunch{key, in.rest()};
    return true;
  }
  if (kind == stop_launch) return decode_stop(in, key, order);
  if (kind == signal_launch) return decode_signal(in, key, order);
  if (kind == sweep_launch) return decode_sweep(in, key, order);
  if (kind == set_cores) return decode_cores(in, key, order);
  if (kind == set_power) return decode_power(in, order);
  return false;
}

std::string encode(const SweepAnswer& answer) {
  ByteWriter out;
  put_head(out, sweep_answer, answer.key);
  out.put(answer.clean ? 1 : 0);
  return out.take();
}

bool decode(std::string_view bytes, SweepAnswer& answer) {
  ByteReader in(bytes);
  std::uint64_t kind = 0;
  int clean = 0;
  if (!in.get(kind) || kind != sweep_answer || !get_key(in, answer.key)) return false;
  if (!in.get_int(clean, 0, 1)) return false;
  answer.clean = clean != 0;
  return in.at_end();
}

std::string encode(const CoresTrouble& trouble) {
  ByteWriter out;
  put_head(out, cores_trouble, trouble.key);
  out.put(std::string_view(trouble.why).substr(0, trouble_bytes_max));
  return out.take();
}

bool decode(std::string_view bytes, CoresTrouble& trouble) {
  ByteReader in(bytes);
  std::uint64_t kind = 0;
  return in.get(kind) && kind == cores_trouble && get_key(in, trouble.key) &&
         in.get(trouble.why, trouble_bytes_max) && in.at_end();
}

std::string encode(const PowerTrouble& trouble) {
  ByteWriter out;
  put_head(out, power_trouble, {});
  out.put(std::string_view(trouble.why).substr(0, trouble_bytes_max));
  out.put(std::string_view(trouble.withheld).substr(0, trouble_bytes_max));
  return out.take();
}

bool decode(std::string_view bytes, PowerTrouble& trouble) {
  ByteReader in(bytes);
  std::uint64_t kind = 0;
  LaunchKey none;
  return in.get(kind) && kind == power_trouble && get_key(in, none) &&
         in.get(trouble.why, trouble_bytes_max) && in.get(trouble.withheld, trouble_bytes_max) &&
         in.at_end();
}

std::uint64_t pack(const ShepherdWord& word) {
  const auto kind = static_cast<std::uint64_t>(word.kind) << 56;
  if (word.kind == ShepherdWord::Kind::Stop) {
    return kind | static_cast<std::uint64_t>(word.reason) << 48 |
           static_cast<std::uint32_t>(word.grace_s);
  }
  return kind | (word.batch_only ? 1ull << 48 : 0) | static_cast<std::uint32_t>(word.signal);
}

bool unpack(std::uint64_t packed, ShepherdWord& word) {
  ShepherdWord result;
  const auto middle = static_cast<int>(packed >> 48 & 0xff);
  const auto low = static_cast<std::uint32_t>(packed);
  if (low > static_cast<std::uint32_t>(std::numeric_limits<int>::max())) return false;
  result.kind = static_cast<ShepherdWord::Kind>(packed >> 56);
  if (result.kind == ShepherdWord::Kind::Stop && middle <= reason_max) {
    result.reason = static_cast<StopReason>(middle);
    result.grace_s = static_cast<int>(low);
  } else if (result.kind == ShepherdWord::Kind::Signal && middle <= 1 && low >= 1 &&
             low <= static_cast<std::uint32_t>(SIGRTMAX)) {
    result.batch_only = middle == 1;
    result.signal = static_cast<int>(low);
  } else {
    return false;
  }
  word = result;
  return true;
}

int shepherd_signal() { return SIGRTMIN; }

}  // namespace hyades
