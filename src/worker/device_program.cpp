#include "worker/device_program.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "wire/unique_fd.hpp"

namespace hyades {
namespace {

constexpr int instructions_a_device = 5;
constexpr const char* license = "GPL";

long bpf(int command, bpf_attr& attributes) {
  return syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

bpf_insn set(int to, int value) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_K,
          .dst_reg = static_cast<std::uint8_t>(to & 15),
          .imm = value};
}

bpf_insn load(int to, std::size_t offset) {
  return {.code = BPF_LDX | BPF_MEM | BPF_W,
          .dst_reg = static_cast<std::uint8_t>(to & 15),
          .src_reg = BPF_REG_1,
          .off = static_cast<std::int16_t>(offset)};
}

bpf_insn mask(int to, int bits) {
  return {.code = BPF_ALU64 | BPF_AND | BPF_K,
          .dst_reg = static_cast<std::uint8_t>(to & 15),
          .imm = bits};
}

// Skips so many instructions unless the low half of the register is `value`.
bpf_insn skip_unless(int of, unsigned value, int count) {
  return {.code = BPF_JMP32 | BPF_JNE | BPF_K,
          .dst_reg = static_cast<std::uint8_t>(of & 15),
          .off = static_cast<std::int16_t>(count),
          .imm = static_cast<std::int32_t>(value)};
}

bpf_insn end() { return {.code = BPF_JMP | BPF_EXIT}; }

// It is asked with a bpf_cgroup_dev_ctx (register 1) for every open and mknod, and answers in
// register 0 with 1 for yes.
std::vector<bpf_insn> assemble(const std::vector<DeviceNumber>& devices) {
  constexpr int answer = BPF_REG_0, type = BPF_REG_2, major = BPF_REG_3, minor = BPF_REG_4;
  std::vector<bpf_insn> program = {load(type, offsetof(bpf_cgroup_dev_ctx, access_type)),
                                   mask(type, 0xffff),  // above that is what for
                                   load(major, offsetof(bpf_cgroup_dev_ctx, major)),
                                   load(minor, offsetof(bpf_cgroup_dev_ctx, minor))};
  for (const DeviceNumber& device : devices) {
    const unsigned kind = device.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
    program.push_back(skip_unless(type, kind, instructions_a_device - 1));
    program.push_back(skip_unless(major, device.major, instructions_a_device - 2));
    program.push_back(skip_unless(minor, device.minor, instructions_a_device - 3));
    program.push_back(set(answer, 0));
    program.push_back(end());
  }
  program.push_back(set(answer, 1));
  program.push_back(end());
  return program;
}

UniqueFd load_program(const std::vector<bpf_insn>& program) {
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<std::uintptr_t>(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = reinterpret_cast<std::uintptr_t>(license);
  return UniqueFd(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
}

}  // namespace

bool forbid_devices(const std::string& path, const std::vector<DeviceNumber>& devices) {
  const UniqueFd program = load_program(assemble(devices));
  if (!program) return false;
  const UniqueFd group(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group) return false;
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<std::uint32_t>(group.get());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;  // beside, not instead of, anybody else's
  return bpf(BPF_PROG_ATTACH, attributes) == 0;
}

}  // namespace hyades
