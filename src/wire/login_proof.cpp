#include "wire/login_proof.hpp"

#include <openssl/evp.h>
#include <sys/random.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace hyades {

namespace {

// No other service's credential begins like this.
constexpr std::string_view kPurpose = "Hyades request 1\n";
constexpr std::size_t kClusterBytesMax = 256;

}  // namespace

std::string encode_proof(const LoginProof& proof) {
  return std::string(kPurpose) + proof.nonce + proof.secret + proof.digest + proof.cluster;
}

bool decode_proof(std::string_view payload, LoginProof& proof) {
  constexpr std::size_t fixed = kPurpose.size() + kNonceBytes + kSecretBytes + kDigestBytes;
  if (payload.size() < fixed || payload.size() > fixed + kClusterBytesMax) return false;
  if (!payload.starts_with(kPurpose)) return false;
  payload.remove_prefix(kPurpose.size());
  proof.nonce = payload.substr(0, kNonceBytes);
  proof.secret = payload.substr(kNonceBytes, kSecretBytes);
  proof.digest = payload.substr(kNonceBytes + kSecretBytes, kDigestBytes);
  proof.cluster = payload.substr(kNonceBytes + kSecretBytes + kDigestBytes);
  return true;
}

std::string sha256(std::string_view bytes) {
  std::string digest(kDigestBytes, '\0');
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                 EVP_sha256(), nullptr) != 1 ||
      size != kDigestBytes) {
    throw std::runtime_error("cannot compute a SHA-256");
  }
  return digest;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = getrandom(bytes.data() + have, count - have, 0);
    if (got > 0) {
      have += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
  }
  return bytes;
}

}  // namespace hyades
