// The system's PAM library, as far as Hyades uses it. Loaded only where a service is configured:
// launchers map nothing but the C library, and no header of PAM's is needed to build them.
#pragma once

#include <string>

namespace hyades {

// These layouts and numbers are Linux-PAM's binary interface, the same since its version 1.0.
struct PamHandle;  // the library's own

struct PamMessage {
  int style;
  const char* text;
};

struct PamAnswer {
  char* text;
  int code;
};

struct PamConversation {
  int (*talk)(int count, const PamMessage** messages, PamAnswer** answers, void* data);
  void* data;
};

namespace pam {
constexpr int success = 0;
constexpr int memory_trouble = 5;
constexpr int conversation_trouble = 19;

constexpr int item_user = 2;
constexpr int item_tty = 3;
constexpr int item_remote_user = 8;

constexpr int style_error = 3;
constexpr int style_information = 4;

constexpr int establish_credentials = 2;
constexpr int delete_credentials = 4;
}  // namespace pam

struct PamLibrary {
  int (*start)(const char* service, const char* user, const PamConversation* conversation,
               PamHandle** handle) = nullptr;
  int (*end)(PamHandle* handle, int status) = nullptr;
  int (*set_item)(PamHandle* handle, int item, const void* value) = nullptr;
  int (*get_item)(const PamHandle* handle, int item, const void** value) = nullptr;
  int (*check_account)(PamHandle* handle, int flags) = nullptr;
  int (*set_credentials)(PamHandle* handle, int flags) = nullptr;
  int (*open_session)(PamHandle* handle, int flags) = nullptr;
  int (*close_session)(PamHandle* handle, int flags) = nullptr;
  char** (*list_environment)(PamHandle* handle) = nullptr;
  const char* (*describe)(PamHandle* handle, int status) = nullptr;
};

// Returns "" or why it cannot be used. It stays loaded.
std::string load_pam(PamLibrary& library);

}  // namespace hyades
