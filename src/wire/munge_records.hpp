// What the credential checker and its helper process, hyades-munge, say to each other: one record
// each on a socket that keeps records apart. Both are of one installation, on one host.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hyades {

constexpr std::size_t kMungeRecordBytesMax = 16u << 10;

// In front of a question the id alone; behind it the credential, or nothing: then the helper makes
// one for itself and reads it, which shows that MUNGE works.
struct MungeAnswerHead {
  std::uint64_t id = 0;
  std::uint32_t verdict = 0;  // MungeVerdict
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t only_for = 0;
};  // then the payload, or why there is none

template <typename Head>
std::string join_record(const Head& head, std::string_view rest) {
  std::string record(sizeof head, '\0');
  std::memcpy(record.data(), &head, sizeof head);
  return record.append(rest);
}

// False when the record is too short.
template <typename Head>
bool split_record(std::string_view record, Head& head, std::string& rest) {
  if (record.size() < sizeof head) return false;
  std::memcpy(&head, record.data(), sizeof head);
  rest = record.substr(sizeof head);
  return true;
}

}  // namespace hyades
