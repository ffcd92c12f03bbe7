#include "worker/pam_library.hpp"

#include <dlfcn.h>

namespace hyades {
namespace {

constexpr const char* file_name = "libpam.so.0";

std::string last_error() {
  const char* const text = dlerror();
  return text == nullptr ? "unknown" : text;
}

template <typename Function>
bool find(void* file, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(file, name));
  return function != nullptr;
}

}  // namespace

std::string load_pam(PamLibrary& library) {
  void* const file = dlopen(file_name, RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) {
    return std::string("the PAM library is not on this node, or cannot be loaded: ") + last_error();
  }
  const bool complete = find(file, "pam_start", library.start) &&
                        find(file, "pam_end", library.end) &&
                        find(file, "pam_set_item", library.set_item) &&
                        find(file, "pam_get_item", library.get_item) &&
                        find(file, "pam_acct_mgmt", library.check_account) &&
                        find(file, "pam_setcred", library.set_credentials) &&
                        find(file, "pam_open_session", library.open_session) &&
                        find(file, "pam_close_session", library.close_session) &&
                        find(file, "pam_getenvlist", library.list_environment) &&
                        find(file, "pam_strerror", library.describe);
  return complete ? "" : std::string(file_name) + " cannot be used: " + last_error();
}

}  // namespace hyades
