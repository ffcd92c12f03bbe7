// A job that writes the time at which it started to its standard output: "ID NANOSECONDS\n".
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const char* id = getenv("HYADES_JOB_ID");
  char line[64];
  const int size = snprintf(line, sizeof line, "%s %lld\n", id == NULL ? "0" : id,
                            now.tv_sec * 1000000000ll + now.tv_nsec);
  return write(STDOUT_FILENO, line, (size_t)size) == size ? 0 : 1;
}
