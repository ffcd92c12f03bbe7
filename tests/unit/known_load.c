/* A known load, for tests of what is measured: known_load pages N | sleeps N | cpu
   MILLISECONDS | hold MIB FILE (and compute, until FILE is there) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int touch_pages(long count) {
  const long size = sysconf(_SC_PAGESIZE);
  char* pages = mmap(NULL, (size_t)(count * size), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return 1;
  madvise(pages, (size_t)(count * size), MADV_NOHUGEPAGE);
  for (long i = 0; i < count; ++i) ((volatile char*)pages)[i * size] = 1;
  return 0;
}

/* Long naps: one that is over before the processor could be left (an interrupt came in between, or
   the hypervisor took the time) is no switch. */
static int sleep_often(long count) {
  const struct timespec nap = {0, 1000000};
  for (long i = 0; i < count; ++i) nanosleep(&nap, NULL);
  return 0;
}

static int burn(long milliseconds) {
  struct timespec used = {0, 0};
  while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < milliseconds) {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  }
  return 0;
}

static int hold(long mib, const char* file) {
  char* const memory = malloc((size_t)mib << 20);
  if (memory == NULL) return 1;
  memset(memory, 1, (size_t)mib << 20);
  volatile unsigned long steps = (unsigned char)memory[0];
  while (access(file, F_OK) != 0) {
    for (int i = 0; i < 10000000; ++i) ++steps;
  }
  free(memory);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 4 && strcmp(argv[1], "hold") == 0) return hold(atol(argv[2]), argv[3]);
  if (argc != 3) return 2;
  const long count = atol(argv[2]);
  if (strcmp(argv[1], "pages") == 0) return touch_pages(count);
  if (strcmp(argv[1], "sleeps") == 0) return sleep_often(count);
  if (strcmp(argv[1], "cpu") == 0) return burn(count);
  return 2;
}
