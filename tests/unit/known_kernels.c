/* Small programs whose use of a machine is known, for tests of what is measured. Each prints what
   it has done by its own count, "name value" in a line, "end 1" last:

     known_kernels gemm N MILLISECONDS     products of N x N matrices
     known_kernels stream MIB MILLISECONDS [GO]  a[i] = b[i] + c * d[i], arrays of MIB each
     known_kernels chase MIB MILLISECONDS  follows one ring of pointers through MIB
     known_kernels file MIB PATH           writes a file, syncs it, reads it past the page cache
     known_kernels writes MIB PATH STOP GO writes MIB and syncs, again and again until STOP is there
     known_kernels bursts COUNT [GO]       100 ms of computing, 100 ms of sleep

   MILLISECONDS are of its own CPU time: what else runs on the machine makes it last longer, and
   nothing else. With GO it stays there after the end until a file of that name is there. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BURST_MS 100

static int64_t now_us(clockid_t clock) {
  struct timespec time = {0, 0};
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t cpu_us(void) { return now_us(CLOCK_PROCESS_CPUTIME_ID); }

static void say(const char* name, int64_t value) { printf("%s %" PRId64 "\n", name, value); }

static int64_t faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

static void nap(long microseconds) {
  const struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&time, NULL);
}

static int end(const char* go) {
  say("cpu_us", cpu_us());
  say("end", 1);
  fflush(stdout);
  while (go != NULL && access(go, F_OK) != 0) nap(20000);
  return 0;
}

/* Of small pages, so that it is known how many faults it takes to touch them. */
static void* pages_of(size_t bytes) {
  void* const memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return memory;
}

static int gemm(long n, long milliseconds) {
  const size_t size = (size_t)(n * n);
  double* const a = pages_of(3 * size * sizeof *a);
  double* const b = a + size;
  double* const c = b + size;
  for (size_t i = 0; i < size; ++i) a[i] = b[i] = 1.0 / (double)(i + 1);
  int64_t flops = 0;
  while (cpu_us() < milliseconds * 1000) {
    for (long i = 0; i < n; ++i) {
      for (long k = 0; k < n; ++k) {
        for (long j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
      }
    }
    flops += 2 * (int64_t)n * n * n;
  }
  say("flops", flops);
  say("sound", c[0] > 0);
  return end(NULL);
}

static int stream(long mib, long milliseconds, const char* go) {
  const size_t count = ((size_t)mib << 20) / sizeof(double);
  double* const a = pages_of(3 * count * sizeof *a);
  double* const b = a + count;
  double* const d = b + count;
  for (size_t i = 0; i < count; ++i) a[i] = b[i] = d[i] = (double)i;
  int64_t bytes = 0;
  do {
    for (size_t i = 0; i < count; ++i) a[i] = b[i] + 3.0 * d[i];
    bytes += 3 * (int64_t)(count * sizeof *a);
  } while (cpu_us() < milliseconds * 1000);
  say("bytes", bytes);
  say("pages", 3 * (int64_t)(count * sizeof *a) / sysconf(_SC_PAGESIZE));
  say("sound", a[count - 1] == 4.0 * (double)(count - 1));
  return end(go);
}

static int chase(long mib, long milliseconds) {
  const size_t count = ((size_t)mib << 20) / sizeof(size_t);
  size_t* const next = pages_of(count * sizeof *next);
  for (size_t i = 0; i < count; ++i) next[i] = i;
  uint64_t random = 88172645463325252u;
  for (size_t i = count - 1; i > 0; --i) { /* Sattolo: one ring through all of them */
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const size_t j = random % i;
    const size_t kept = next[i];
    next[i] = next[j];
    next[j] = kept;
  }
  const int64_t began_us = cpu_us();
  const int64_t faults_before = faults();
  int64_t steps = 0;
  size_t at = 0;
  while (cpu_us() - began_us < milliseconds * 1000) {
    for (int i = 0; i < 100000; ++i) at = next[at];
    steps += 100000;
  }
  say("steps", steps);
  say("faults_while_chasing", faults() - faults_before);
  say("pages", (int64_t)(count * sizeof *next) / sysconf(_SC_PAGESIZE));
  say("sound", at < count);
  return end(NULL);
}

/* The kernel's account of this process: "name value" lines as ours. */
static int64_t account(const char* name) {
  char line[128];
  int64_t value = -1;
  FILE* const io = fopen("/proc/self/io", "r");
  while (io != NULL && fgets(line, sizeof line, io) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) value = atoll(line + strlen(name));
  }
  if (io != NULL) fclose(io);
  return value;
}

static int64_t write_synced(int file, char* block, long mib) {
  int64_t written = 0;
  for (long i = 0; i < mib; ++i) {
    const ssize_t size = pwrite(file, block, 1 << 20, (off_t)i << 20);
    if (size != 1 << 20) exit(1);
    written += size;
  }
  if (fsync(file) != 0) exit(1);
  return written;
}

static int file_kernel(long mib, const char* path) {
  char* const block = pages_of(1 << 20);
  memset(block, 7, 1 << 20);
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return 1;
  const int64_t read_before = account("read_bytes: ");
  const int64_t written_before = account("write_bytes: ");
  say("written", write_synced(file, block, mib));
  say("account_written", account("write_bytes: ") - written_before);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED); /* so that it has to be read from the device */
  int64_t got = 0;
  for (ssize_t size; (size = read(file, block, 1 << 20)) > 0;) got += size;
  say("read", got);
  say("account_read", account("read_bytes: ") - read_before);
  return end(NULL);
}

static int writes(long mib, const char* path, const char* stop, const char* go) {
  char* const block = pages_of(1 << 20);
  memset(block, 7, 1 << 20);
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return 1;
  int64_t written = 0;
  while (access(stop, F_OK) != 0) {
    written += write_synced(file, block, mib);
    nap(10000);
  }
  say("written", written);
  return end(go);
}

static int bursts(long count, const char* go) {
  const int64_t began_us = now_us(CLOCK_MONOTONIC);
  for (long i = 0; i < count; ++i) {
    const int64_t burst_us = cpu_us();
    while (cpu_us() - burst_us < BURST_MS * 1000) {
    }
    nap(BURST_MS * 1000);
  }
  say("wall_us", now_us(CLOCK_MONOTONIC) - began_us);
  return end(go);
}

int main(int argc, char** argv) {
  const char* const kind = argc < 3 ? "" : argv[1];
  const long size = argc < 3 ? 0 : atol(argv[2]);
  if (strcmp(kind, "gemm") == 0 && argc == 4) return gemm(size, atol(argv[3]));
  if (strcmp(kind, "stream") == 0 && argc >= 4) return stream(size, atol(argv[3]), argv[4]);
  if (strcmp(kind, "chase") == 0 && argc == 4) return chase(size, atol(argv[3]));
  if (strcmp(kind, "file") == 0 && argc == 4) return file_kernel(size, argv[3]);
  if (strcmp(kind, "writes") == 0 && argc == 6) {
    return writes(size, argv[3], argv[4], argv[5]);
  }
  if (strcmp(kind, "bursts") == 0) return bursts(size, argv[3]);
  return 2;
}
