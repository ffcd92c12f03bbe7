// Small programs that say what a node can do: arithmetic, memory, its latency, its disk. They are
// plain C++ and no vendor's library, so that figures of different nodes compare what they are made
// of and not how well somebody tuned them; they are below what a tuned library reaches.
//
// Each repeats short rounds until its time is over and gives the best of them: what disturbs a
// round makes it slower, never faster (STREAM does the same). At least kRoundsLeast rounds are
// done, however little time there is. All throw std::runtime_error with a sentence for people, or
// std::bad_alloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hyades {

inline constexpr int kRoundsLeast = 3;

// ---- the node ---------------------------------------------------------------------------------

// The operating system's numbers of the processors that this process may use. "All cores" below are
// these, with one thread bound to each.
std::vector<int> usable_cpus();

// All caches of the last level together, as hwloc has them; 64 MiB where it knows of none. In a
// virtual machine this is what the hypervisor says.
std::size_t last_level_cache_bytes();

// A quarter of what is available (/proc/meminfo), or of the limit of a control group of this
// process when that is less: no kernel takes more, so that measuring never pushes a node's programs
// out of memory. root: "" for this machine, else where a tree with proc/ and sys/ in it stands.
std::size_t memory_for_kernels(const std::string& root = "");

// ---- arithmetic -------------------------------------------------------------------------------

// c = a * b, n x n, by rows, blocked for the caches and written so that the compiler can vectorise
// it; n is a multiple of kGemmStep.
inline constexpr std::size_t kGemmStep = 16;
void multiply(const double* a, const double* b, double* c, std::size_t n);

// 10^9 floating-point operations a second, all these cores together: each multiplies matrices of
// its own, n x n in double precision, which are 2 n^3 operations each. The product is checked
// (Freivalds 1977: a random vector through it); a wrong one throws.
double gemm_gflops(const std::vector<int>& cpus, double seconds, std::size_t n = 480);

// ---- memory -----------------------------------------------------------------------------------

// 10^9 bytes a second of a[i] = b[i] + s * c[i], the triad of McCalpin's STREAM (1995): 24 bytes
// are counted for each i, as STREAM does, though most processors also read a[i] before they write
// it. The three arrays are `bytes` together; STREAM wants each at least four times the last-level
// cache. Each thread touches its own part first, so that the part is near it.
double triad_gbs(const std::vector<int>& cpus, double seconds, std::size_t bytes);

// So many bytes for it on this machine: 12 times the last-level cache, at most 4 GiB, within
// `most`.
std::size_t triad_bytes(std::size_t most);

// One line of a cache, with the number of the line to go to next.
struct alignas(64) ChaseLine {
  std::uint32_t next = 0;
};

// A random order in which one walk visits every line and comes back (Sattolo 1986); the same for
// the same count.
std::vector<ChaseLine> chase_ring(std::size_t lines);

// Nanoseconds for one load of an address that the load before gave: one core walks a ring of so
// many bytes. Pages are the system's usual ones, so misses of the TLB are in it, as they are for
// programs.
double chase_ns(int cpu, double seconds, std::size_t bytes);

// So many bytes for it on this machine: four times the last-level cache, at least 32 MiB and at
// most 256 MiB, within `most`.
std::size_t chase_bytes(std::size_t most);

// ---- disk -------------------------------------------------------------------------------------

// 10^6 bytes a second into a file in this directory, written in blocks of 1 MiB and synced (fsync);
// a round stops at `bytes`, or when the time is over. The file has no name from the start, so it is
// gone whatever happens. Of a directory in memory (tmpfs) this is the speed of memory.
double disk_mbs(const std::string& directory, double seconds, std::size_t bytes = 64u << 20);

}  // namespace hyades
