// Preloaded into a launcher: setresuid fails, or only says that it succeeded.
#include <sys/types.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" int setresuid(uid_t, uid_t, uid_t) {
  const char* const how = std::getenv("HYADES_TEST_SETRESUID");
  if (how != nullptr && std::strcmp(how, "lie") == 0) return 0;
  errno = EAGAIN;
  return -1;
}
