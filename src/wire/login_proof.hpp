// What a client of another host puts into its MUNGE credential, and what each side makes of it.
//
// The credential says who asks; what is in it binds it to one request on one connection of one
// master: the master's nonce, the cluster's name and the hash of the request. The secret is the
// client's: MUNGE encrypts it for the master's user alone, so whoever shows it back is that user,
// and may be given the request.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace hyades {

constexpr std::size_t kNonceBytes = 32;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kDigestBytes = 32;

// Before a client is known it may send no more than this.
constexpr std::size_t kCredentialBytesMax = 4096;

struct LoginProof {
  std::string nonce;
  std::string secret;
  std::string digest;  // of the request's bytes
  std::string cluster;
};

// The payload of the credential. The fixed parts must have their lengths.
std::string encode_proof(const LoginProof& proof);

// False when these bytes are anything else, longer or shorter.
bool decode_proof(std::string_view payload, LoginProof& proof);

std::string sha256(std::string_view bytes);

// From the kernel; throws std::system_error when it has none.
std::string random_bytes(std::size_t count);

}  // namespace hyades
