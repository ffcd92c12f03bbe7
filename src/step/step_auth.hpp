// How the two ends of a step's connection prove to each other that they know the job's key, which
// itself never travels: each answers the other's fresh random number with an HMAC-SHA256. What the
// proofs are over is described in schema/step_protocol.md. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace hyades {

constexpr std::size_t step_nonce_bytes = 32;
constexpr std::size_t step_proof_bytes = 32;

// Unpredictable; throws std::system_error when the kernel has none.
std::string fresh_nonce();

// Both proofs name the node, so that one that was meant for another node is none here, and differ,
// so that neither can be sent back as the other.
std::string client_proof(const std::string& key, const std::string& node,
                         const std::string& server_nonce, const std::string& client_nonce);
std::string server_proof(const std::string& key, const std::string& node,
                         const std::string& server_nonce, const std::string& client_nonce);

// In a time that does not tell how much of it is right.
bool same_proof(std::string_view a, std::string_view b);

}  // namespace hyades
