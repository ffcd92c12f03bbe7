#include "step/step_message.hpp"

#include <limits>

#include "core/job_spec.hpp"
#include "step/step_auth.hpp"
#include "step/step_frame.hpp"
#include "wire/byte_codec.hpp"

namespace hyades {
namespace {

constexpr int task_max = Limits::count_max;
constexpr int signal_max = 64;
constexpr std::size_t reason_bytes_max = 16 * 1024;
constexpr std::size_t list_count_max = 1u << 20;

// The same list of fields serves writing and reading: a Fields function is called with either.
class Writer {
 public:
  bool number(std::uint64_t value) { return out_.put(value), true; }
  bool number(int value, int, int) { return out_.put_signed(value), true; }
  bool flag(bool value) { return out_.put(std::uint64_t{value}), true; }
  bool text(const std::string& value, std::size_t) {
    return out_.put(std::string_view(value)), true;
  }
  bool list(const std::vector<std::string>& value) { return out_.put(value), true; }
  std::string take() { return out_.take(); }

 private:
  ByteWriter out_;
};

class Reader {
 public:
  explicit Reader(std::string_view body) : in_(body) {}
  bool number(std::uint64_t& value) { return in_.get(value); }
  bool number(int& value, int lowest, int highest) { return in_.get_int(value, lowest, highest); }
  bool flag(bool& value) {
    int number = 0;
    if (!in_.get_int(number, 0, 1)) return false;
    value = number != 0;
    return true;
  }
  bool text(std::string& value, std::size_t size_max) { return in_.get(value, size_max); }
  bool list(std::vector<std::string>& value) {
    return in_.get(value, list_count_max, step_start_bytes_max);
  }
  bool at_end() const { return in_.at_end(); }

 private:
  ByteReader in_;
};

template <class Io, class Message>
bool nonce(Io& io, Message& m) {
  return io.text(m.nonce, step_nonce_bytes);
}
template <class Io, class Message>
bool proof(Io& io, Message& m) {
  return io.text(m.proof, step_proof_bytes);
}
template <class Io, class Message>
bool stream(Io& io, Message& m) {
  return io.number(m.stream, 1, 2);
}
template <class Io, class Message>
bool task(Io& io, Message& m) {
  return io.number(m.task, 0, task_max);
}

template <class Io, class Message>
bool start_fields(Io& io, Message& m) {
  return io.list(m.arguments) && io.list(m.environment) &&
         io.text(m.directory, Limits::path_bytes_max) && io.number(m.umask, 0, 0777) &&
         io.number(m.first_rank, 0, task_max) && io.number(m.tasks, 1, task_max) &&
         io.number(m.node_rank, 0, task_max) && io.number(m.input_task, input_to_all, task_max) &&
         io.flag(m.slurm_names) && io.flag(m.own_temporaries);
}

template <class Io, class Message>
bool fields(Io& io, Message& m) {
  using M = std::remove_const_t<Message>;
  constexpr int most = std::numeric_limits<int>::max();
  if constexpr (std::is_same_v<M, StepChallenge>) return nonce(io, m);
  if constexpr (std::is_same_v<M, StepResponse>) return nonce(io, m) && proof(io, m);
  if constexpr (std::is_same_v<M, StepProof>) return proof(io, m);
  if constexpr (std::is_same_v<M, PickPort>) return io.number(m.seed);
  if constexpr (std::is_same_v<M, StartTasks>) return start_fields(io, m);
  if constexpr (std::is_same_v<M, TaskInput>) return io.text(m.bytes, step_data_bytes_max);
  if constexpr (std::is_same_v<M, SignalTasks>) return io.number(m.signal, 1, signal_max);
  if constexpr (std::is_same_v<M, StopTasks>) return io.number(m.grace_ms, 0, most);
  if constexpr (std::is_same_v<M, CloseOutput>) return stream(io, m);
  if constexpr (std::is_same_v<M, PortPicked>) return io.number(m.port, 0, 65535);
  if constexpr (std::is_same_v<M, StartRefused>) {
    return io.number(m.exit_code, 1, 255) && io.text(m.reason, reason_bytes_max);
  }
  if constexpr (std::is_same_v<M, InputTaken>) return io.number(m.bytes);
  if constexpr (std::is_same_v<M, TaskOutput>) {
    return task(io, m) && stream(io, m) && io.text(m.bytes, step_data_bytes_max);
  }
  if constexpr (std::is_same_v<M, OutputEnd>) return task(io, m) && stream(io, m);
  if constexpr (std::is_same_v<M, TaskExited>) {
    return task(io, m) && io.number(m.exit_code, 0, 255) && io.number(m.signal, 0, signal_max);
  }
  return true;  // without fields
}

template <std::size_t index = 0>
bool decode_as(std::size_t wanted, std::string_view body, StepMessage& message) {
  if constexpr (index < std::variant_size_v<StepMessage>) {
    if (index != wanted) return decode_as<index + 1>(wanted, body, message);
    std::variant_alternative_t<index, StepMessage> result;
    Reader in(body);
    if (!fields(in, result) || !in.at_end()) return false;
    message = std::move(result);
    return true;
  }
  return false;
}

}  // namespace

std::string encode(const StepMessage& message) {
  Writer out;
  std::visit([&](const auto& body) { fields(out, body); }, message);
  return step_frame(static_cast<int>(message.index()) + 1, out.take());
}

bool decode_step_message(int type, std::string_view body, StepMessage& message) {
  if (type < 1) return false;
  return decode_as(static_cast<std::size_t>(type) - 1, body, message);
}

}  // namespace hyades
