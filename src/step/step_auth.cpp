#include "step/step_auth.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "wire/byte_codec.hpp"

namespace hyades {
namespace {

std::string proof(const char* role, const std::string& key, const std::string& node,
                  const std::string& server_nonce, const std::string& client_nonce) {
  ByteWriter text;  // each part with its length: no other parts make the same bytes
  for (std::string_view part : {std::string_view(role), std::string_view(node),
                                std::string_view(server_nonce), std::string_view(client_nonce)}) {
    text.put(part);
  }
  const std::string bytes = text.take();
  std::string result(step_proof_bytes, '\0');
  unsigned size = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                          reinterpret_cast<unsigned char*>(result.data()), &size);
  if (made == nullptr || size != step_proof_bytes) throw std::runtime_error("HMAC-SHA256 failed");
  return result;
}

}  // namespace

std::string fresh_nonce() {
  std::string nonce(step_nonce_bytes, '\0');
  if (getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return nonce;
}

std::string client_proof(const std::string& key, const std::string& node,
                         const std::string& server_nonce, const std::string& client_nonce) {
  return proof("hyades-step-client-1", key, node, server_nonce, client_nonce);
}

std::string server_proof(const std::string& key, const std::string& node,
                         const std::string& server_nonce, const std::string& client_nonce) {
  return proof("hyades-step-server-1", key, node, server_nonce, client_nonce);
}

bool same_proof(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hyades
