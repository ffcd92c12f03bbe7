#include "wire/munge_credential.hpp"

#include <munge.h>

#include <cstdlib>
#include <memory>

namespace hyades {

namespace {

using Context = std::unique_ptr<munge_ctx, decltype(&munge_ctx_destroy)>;

// Null: no memory, or the socket's name is impossible.
Context make_context(const std::string& socket) {
  Context context(munge_ctx_create(), &munge_ctx_destroy);
  if (context && !socket.empty() &&
      munge_ctx_set(context.get(), MUNGE_OPT_SOCKET, socket.c_str()) != EMUNGE_SUCCESS) {
    context.reset();
  }
  return context;
}

std::string daemon_name(const std::string& socket) {
  return socket.empty() ? "the MUNGE daemon (munged)" : "the MUNGE daemon at " + socket;
}

MungeVerdict judge(munge_err_t status, munge_ctx_t context, const std::string& socket,
                   std::string& error) {
  const char* const detail = munge_ctx_strerror(context);
  const std::string what = detail == nullptr ? munge_strerror(status) : detail;
  switch (status) {
    case EMUNGE_SUCCESS:
      return MungeVerdict::Good;
    case EMUNGE_CRED_EXPIRED:
      error = "The MUNGE credential has expired: check the clocks of both hosts.";
      return MungeVerdict::Refused;
    case EMUNGE_CRED_REWOUND:
      error =
          "The MUNGE credential is rewound (made in the future): check the clocks of both "
          "hosts.";
      return MungeVerdict::Refused;
    case EMUNGE_CRED_REPLAYED:
      error = "The MUNGE credential was used before (replayed).";
      return MungeVerdict::Refused;
    case EMUNGE_CRED_UNAUTHORIZED:
      error = "The MUNGE credential was made for another user than the one that runs the master.";
      return MungeVerdict::Refused;
    case EMUNGE_SNAFU:
    case EMUNGE_NO_MEMORY:
    case EMUNGE_SOCKET:
    case EMUNGE_TIMEOUT:
      error = "There is no answer from " + daemon_name(socket) + " (" + what + "): is it running?";
      return MungeVerdict::Unavailable;
    default:
      error = "The MUNGE credential cannot be read (" + what +
              "): do both hosts have the same MUNGE key?";
      return MungeVerdict::Refused;
  }
}

}  // namespace

MungeVerdict encode_credential(const std::string& payload, uid_t only_for,
                               const std::string& socket, std::string& credential,
                               std::string& error) {
  const Context context = make_context(socket);
  // The daemon's defaults may be weaker; without encryption anybody could read the payload.
  if (!context ||
      munge_ctx_set(context.get(), MUNGE_OPT_CIPHER_TYPE, MUNGE_CIPHER_AES128) != EMUNGE_SUCCESS ||
      munge_ctx_set(context.get(), MUNGE_OPT_MAC_TYPE, MUNGE_MAC_SHA256) != EMUNGE_SUCCESS ||
      munge_ctx_set(context.get(), MUNGE_OPT_UID_RESTRICTION, only_for) != EMUNGE_SUCCESS) {
    error = "MUNGE cannot be used: its library refuses the settings.";
    return MungeVerdict::Unavailable;
  }
  char* text = nullptr;
  const munge_err_t status =
      munge_encode(&text, context.get(), payload.data(), static_cast<int>(payload.size()));
  if (text != nullptr) credential = text;
  std::free(text);
  return judge(status, context.get(), socket, error);
}

MungeVerdict decode_credential(const std::string& credential, const std::string& socket,
                               MungeContent& content, std::string& error) {
  const Context context = make_context(socket);
  if (!context) {
    error = "MUNGE cannot be used: its library refuses the settings.";
    return MungeVerdict::Unavailable;
  }
  void* payload = nullptr;
  int size = 0;
  const munge_err_t status =
      munge_decode(credential.c_str(), context.get(), &payload, &size, &content.uid, &content.gid);
  if (payload != nullptr && size > 0) {
    content.payload.assign(static_cast<const char*>(payload), static_cast<std::size_t>(size));
  }
  std::free(payload);
  if (status == EMUNGE_SUCCESS && munge_ctx_get(context.get(), MUNGE_OPT_UID_RESTRICTION,
                                                &content.only_for) != EMUNGE_SUCCESS) {
    error = "MUNGE does not say for whom the credential was made.";
    return MungeVerdict::Unavailable;
  }
  return judge(status, context.get(), socket, error);
}

}  // namespace hyades
