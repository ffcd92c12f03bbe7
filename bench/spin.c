/* A CPU-bound job: as many processes as it is told, or one, each of which counts the units of work
 * that it gets done in a file in memory until it is told to stop.
 *
 *   #!/path/hyades_bench_spin /path/of/file:PROCESSES
 *
 * Or one that gets so many units done, and ends: hyades_bench_spin work:UNITS
 */
#include "spin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Some ten microseconds that no compiler can leave out. */
static uint64_t work(uint64_t x) {
  for (int i = 0; i < 10000; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  return x;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  char* const colon = strrchr(argv[1], ':');
  if (colon == NULL) return 2;
  *colon = '\0';
  if (strcmp(argv[1], "work") == 0) {
    uint64_t y = 1;
    for (long left = atol(colon + 1); left > 0; --left) y = work(y);
    return y == 0;
  }
  const int file = open(argv[1], O_RDWR | O_CLOEXEC);
  struct SpinPage* const page =
      mmap(NULL, sizeof(struct SpinPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || page == MAP_FAILED) return 1;
  int children = atoi(colon + 1) - 1;
  while (children > 0 && fork() != 0) --children;
  const uint32_t slot = __atomic_fetch_add(&page->next, 1, __ATOMIC_RELAXED);
  if (slot >= kSpinSlots) return 1;
  uint64_t x = slot;
  while (page->stop == 0) {
    x = work(x);
    page->slots[slot].done += 1 + (x == 0);
  }
  while (wait(NULL) > 0) continue;
  return 0;
}
