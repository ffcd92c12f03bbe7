#include "telemetry/node_kernels.hpp"

#include <fcntl.h>
#include <hwloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// A kernel may be moved where this fails, and is then slower; that is no reason to give up.
void bind_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// Runs part(i) in a thread on each of the processors, all from the same moment on; the seconds from
// then until the last is done.
double together(const std::vector<int>& cpus, const std::function<void(std::size_t)>& part) {
  Clock::time_point begin;
  std::vector<Clock::time_point> ends(cpus.size());
  std::barrier start(static_cast<std::ptrdiff_t>(cpus.size()),
                     [&]() noexcept { begin = Clock::now(); });
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    threads.emplace_back([&, i] {
      bind_to(cpus[i]);
      start.arrive_and_wait();
      part(i);
      ends[i] = Clock::now();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return seconds_between(begin, *std::max_element(ends.begin(), ends.end()));
}

// The shortest of the rounds, each of which says how many seconds it took. Never 0: a clock may
// stand still for a moment.
double best_round(double seconds, const std::function<double()>& round) {
  const auto begin = Clock::now();
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRoundsLeast || seconds_between(begin, Clock::now()) < seconds; ++i) {
    best = std::min(best, std::max(round(), 1e-9));
  }
  return best;
}

// Whole pages that nobody has touched yet: who touches one first has it near.
class UntouchedDoubles {
 public:
  explicit UntouchedDoubles(std::size_t count) : bytes_(count * sizeof(double)) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    madvise(memory_, bytes_, MADV_HUGEPAGE);  // faults of small pages would take most of the time
  }
  ~UntouchedDoubles() { munmap(memory_, bytes_); }
  UntouchedDoubles(const UntouchedDoubles&) = delete;
  UntouchedDoubles& operator=(const UntouchedDoubles&) = delete;
  double* data() const { return static_cast<double*>(memory_); }

 private:
  std::size_t bytes_;
  void* memory_;
};

}  // namespace

// ---- the node ---------------------------------------------------------------------------------

std::vector<int> usable_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

std::size_t last_level_cache_bytes() {
  constexpr std::size_t unknown = 64u << 20;
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return unknown;
  std::size_t bytes = 0;
  if (hwloc_topology_load(topology) == 0) {
    for (const auto type : {HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L2CACHE}) {
      const int count = std::max(hwloc_get_nbobjs_by_type(topology, type), 0);
      for (int i = 0; i < count; ++i) {
        bytes += hwloc_get_obj_by_type(topology, type, static_cast<unsigned>(i))->attr->cache.size;
      }
      if (bytes != 0) break;
    }
  }
  hwloc_topology_destroy(topology);
  return bytes == 0 ? unknown : bytes;
}

namespace {

std::string whole(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The least limit of this group and those above it. A container may show its own group as the top,
// so groups that cannot be found are passed over.
std::uint64_t limit_of_group(const std::string& mount, std::string group, const char* file) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (;;) {
    std::uint64_t limit = 0;
    const std::string text = whole(mount + group + "/" + file);
    if (parse_count(only_line(text), limit)) least = std::min(least, limit);
    const std::size_t slash = group.find_last_of('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

std::uint64_t limit_of_groups(const std::string& root) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::istringstream groups(whole(root + "/proc/self/cgroup"));
  const std::string mount = root + "/sys/fs/cgroup";
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    if (controllers.empty()) {  // version 2
      least = std::min(least, limit_of_group(mount, group, "memory.max"));
      least = std::min(least, limit_of_group(mount + "/unified", group, "memory.max"));
    } else if ((controllers += ',').find("memory,") != std::string::npos) {
      least = std::min(least, limit_of_group(mount + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace

std::size_t memory_for_kernels(const std::string& root) {
  constexpr std::uint64_t unknown_kib = 1u << 20;
  std::uint64_t available_kib = unknown_kib;
  count_after(whole(root + "/proc/meminfo"), "MemAvailable:", available_kib);
  return std::min(available_kib * 1024, limit_of_groups(root)) / 4;
}

// ---- arithmetic -------------------------------------------------------------------------------

namespace {

constexpr std::size_t kGemmDepth = 256;  // of b, this times a tile's columns stays in the L1 cache

// Numbers that are added and multiplied at once. Spelt out, because what compilers make of plain
// loops differs by a factor of four between their settings.
template <std::size_t Width>
struct Numbers {
  using Type [[gnu::vector_size(Width * sizeof(double))]] = double;
};

// Tiles of Rows x (Columns times Width) of c are held in registers while they are summed up.
// Inlined into each of the functions below, so that each has it for its own instructions.
template <std::size_t Width, std::size_t Rows, std::size_t Columns>
[[gnu::always_inline]] inline void add_tile(const double* left, std::size_t n, const double* panel,
                                            std::size_t depth, double* c) {
  using Vector = typename Numbers<Width>::Type;
  Vector sum[Rows][Columns] = {};
  for (std::size_t k = 0; k < depth; ++k) {
    Vector right[Columns];
    std::memcpy(right, panel + k * Columns * Width, sizeof right);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < Columns; ++j) sum[i][j] += left[i * n + k] * right[j];
    }
  }
  for (std::size_t i = 0; i < Rows; ++i) {
    for (std::size_t j = 0; j < Columns; ++j) {
      double* const to = c + i * n + j * Width;
      Vector value;
      std::memcpy(&value, to, sizeof value);
      value += sum[i][j];
      std::memcpy(to, &value, sizeof value);
    }
  }
}

template <std::size_t Width, std::size_t Rows, std::size_t Columns>
[[gnu::always_inline]] inline void multiply_in_tiles(const double* a, const double* b, double* c,
                                                     std::size_t n) {
  constexpr std::size_t across = Columns * Width;
  alignas(64) double panel[kGemmDepth * across];
  std::fill(c, c + n * n, 0.0);
  for (std::size_t from = 0; from < n; from += kGemmDepth) {
    const std::size_t depth = std::min(kGemmDepth, n - from);
    for (std::size_t column = 0; column < n; column += across) {
      for (std::size_t k = 0; k < depth; ++k) {
        std::memcpy(panel + k * across, b + (from + k) * n + column, across * sizeof(double));
      }
      for (std::size_t row = 0; row < n; row += Rows) {
        add_tile<Width, Rows, Columns>(a + row * n + from, n, panel, depth, c + row * n + column);
      }
    }
  }
}

using Multiply = void (*)(const double*, const double*, double*, std::size_t);

void multiply_plain(const double* a, const double* b, double* c, std::size_t n) {
  multiply_in_tiles<2, 4, 2>(a, b, c, n);
}

#if defined(__x86_64__) && defined(__GNUC__)
// Hyades is built for the oldest processors of this kind; what this one has beyond them is for
// programs to use, so it is measured.
[[gnu::target("avx2,fma")]] void multiply_avx2(const double* a, const double* b, double* c,
                                               std::size_t n) {
  multiply_in_tiles<4, 4, 2>(a, b, c, n);
}
[[gnu::target("avx512f")]] void multiply_avx512(const double* a, const double* b, double* c,
                                                std::size_t n) {
  multiply_in_tiles<8, 8, 2>(a, b, c, n);
}
Multiply best_multiply() {
  if (__builtin_cpu_supports("avx512f")) return multiply_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return multiply_avx2;
  return multiply_plain;
}
#else
Multiply best_multiply() { return multiply_plain; }
#endif

struct Matrices {
  std::vector<double> a, b, c;

  Matrices(std::size_t n, std::uint32_t seed) : a(n * n), b(n * n), c(n * n) {
    std::minstd_rand random(seed);
    const auto number = [&] { return static_cast<double>(random()) / random.max() - 0.5; };
    std::generate(a.begin(), a.end(), number);
    std::generate(b.begin(), b.end(), number);
  }
};

std::vector<double> times(const std::vector<double>& matrix, const std::vector<double>& vector) {
  const std::size_t n = vector.size();
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) out[i] += matrix[i * n + j] * vector[j];
  }
  return out;
}

// c x == a (b x) for a random x: n^2 operations in place of n^3. Rounding gives about n * 10^-16.
void check_product(const Matrices& m, std::size_t n) {
  std::vector<double> x(n);
  std::minstd_rand random(7);
  for (double& value : x) value = static_cast<double>(random() % 1000) / 1000.0 + 0.5;
  const std::vector<double> expected = times(m.a, times(m.b, x));
  const std::vector<double> found = times(m.c, x);
  for (std::size_t i = 0; i < n; ++i) {
    // Written so that a NaN is wrong, too.
    if (!(std::abs(found[i] - expected[i]) <= 1e-9 * static_cast<double>(n))) {
      throw std::runtime_error("the matrix product is wrong: this node cannot be trusted to count");
    }
  }
}

}  // namespace

void multiply(const double* a, const double* b, double* c, std::size_t n) {
  static const Multiply best = best_multiply();
  best(a, b, c, n);
}

double gemm_gflops(const std::vector<int>& cpus, double seconds, std::size_t n) {
  n = std::max(n / kGemmStep, std::size_t{1}) * kGemmStep;
  std::vector<std::unique_ptr<Matrices>> all(cpus.size());
  together(cpus, [&](std::size_t i) {
    all[i] = std::make_unique<Matrices>(n, static_cast<std::uint32_t>(i + 1));
  });
  const double best = best_round(seconds, [&] {
    return together(cpus, [&](std::size_t i) {
      multiply(all[i]->a.data(), all[i]->b.data(), all[i]->c.data(), n);
    });
  });
  for (const auto& matrices : all) check_product(*matrices, n);
  const double size = static_cast<double>(n);
  return 2 * size * size * size * static_cast<double>(cpus.size()) / best / 1e9;
}

// ---- memory -----------------------------------------------------------------------------------

double triad_gbs(const std::vector<int>& cpus, double seconds, std::size_t bytes) {
  constexpr double scalar = 3;
  const std::size_t count = std::max(bytes / (3 * sizeof(double)), cpus.size());
  const UntouchedDoubles a(count), b(count), c(count);
  const auto part = [&](std::size_t i) { return i * count / cpus.size(); };
  together(cpus, [&](std::size_t i) {
    std::fill(a.data() + part(i), a.data() + part(i + 1), 0.0);
    std::fill(b.data() + part(i), b.data() + part(i + 1), 1.0);
    std::fill(c.data() + part(i), c.data() + part(i + 1), 2.0);
  });
  const double best = best_round(seconds, [&] {
    return together(cpus, [&](std::size_t i) {
      double* const to = a.data();
      const double* const first = b.data();
      const double* const second = c.data();
      const std::size_t end = part(i + 1);
      for (std::size_t k = part(i); k < end; ++k) to[k] = first[k] + scalar * second[k];
    });
  });
  // Also, nobody may leave out a loop whose result is looked at.
  for (const std::size_t k : {std::size_t{0}, count / 2, count - 1}) {
    if (a.data()[k] != 7)
      throw std::runtime_error("the memory gives back other numbers than it got");
  }
  return 3.0 * sizeof(double) * static_cast<double>(count) / best / 1e9;
}

std::size_t triad_bytes(std::size_t most) {
  constexpr std::size_t highest = std::size_t{4} << 30;  // one core takes seconds to touch them
  return std::min({12 * last_level_cache_bytes(), highest, most});
}

std::vector<ChaseLine> chase_ring(std::size_t lines) {
  std::vector<ChaseLine> ring(lines);
  for (std::size_t i = 0; i < lines; ++i) ring[i].next = static_cast<std::uint32_t>(i);
  std::mt19937 random(42);
  for (std::size_t i = lines; i-- > 1;) std::swap(ring[i].next, ring[random() % i].next);
  return ring;
}

double chase_ns(int cpu, double seconds, std::size_t bytes) {
  constexpr int loads = 100'000;  // in a round: some milliseconds
  const std::size_t lines = std::max(bytes / sizeof(ChaseLine), std::size_t{2});
  double best = 0;
  std::uint32_t at = 0;
  // All of it in the thread that is bound, so that the ring is near it.
  together({cpu}, [&](std::size_t) {
    const std::vector<ChaseLine> ring = chase_ring(lines);
    best = best_round(seconds, [&] {
      const auto begin = Clock::now();
      for (int i = 0; i < loads; ++i) at = ring[at].next;
      return seconds_between(begin, Clock::now());
    });
  });
  if (at >= lines) throw std::runtime_error("the walk through the memory has left its ring");
  return best / loads * 1e9;
}

std::size_t chase_bytes(std::size_t most) {
  constexpr std::size_t lowest = 32u << 20;
  constexpr std::size_t highest = 256u << 20;
  return std::min(std::clamp(4 * last_level_cache_bytes(), lowest, highest), most);
}

// ---- disk -------------------------------------------------------------------------------------

namespace {

// A file that has no name any more.
class NamelessFile {
 public:
  explicit NamelessFile(const std::string& directory) {
    std::string path = directory + "/hyades-profile-XXXXXX";
    descriptor_ = mkostemp(path.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail("no file can be made in " + directory);
    unlink(path.c_str());
  }
  ~NamelessFile() { close(descriptor_); }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  void rewind() {
    if (lseek(descriptor_, 0, SEEK_SET) != 0) fail("cannot go back to the file's beginning");
  }
  void write(const std::vector<char>& block) {
    for (std::size_t done = 0; done < block.size();) {
      const ssize_t count = ::write(descriptor_, block.data() + done, block.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail("cannot write to the disk");
      done += static_cast<std::size_t>(count);
    }
  }
  void sync() {
    if (fsync(descriptor_) != 0) fail("cannot sync the disk");
  }

 private:
  [[noreturn]] static void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
  }
  int descriptor_ = -1;
};

}  // namespace

double disk_mbs(const std::string& directory, double seconds, std::size_t bytes) {
  std::vector<char> block(std::min(bytes, std::size_t{1} << 20));
  std::minstd_rand random(5);  // no file system can squeeze it
  for (char& byte : block) byte = static_cast<char>(random() >> 8);
  NamelessFile file(directory);
  const auto start = Clock::now();
  // Seconds for a byte, as rounds that the time cuts short are shorter.
  const double best = best_round(seconds, [&] {
    file.rewind();
    const auto begin = Clock::now();
    std::size_t written = 0;
    do {
      file.write(block);
      written += block.size();
    } while (written < bytes && seconds_between(start, Clock::now()) < seconds);
    file.sync();
    return seconds_between(begin, Clock::now()) / static_cast<double>(written) * 1e6;
  });
  return 1 / best;
}

}  // namespace hyades
