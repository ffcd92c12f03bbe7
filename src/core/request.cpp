#include "core/request.hpp"

#include "core/words.hpp"

namespace hyades {

namespace {
constexpr Word<ErrorCode> kErrorCodes[] = {
    {ErrorCode::None, ""},
    {ErrorCode::Invalid, "invalid"},
    {ErrorCode::NotFound, "not-found"},
    {ErrorCode::Denied, "denied"},
    {ErrorCode::Conflict, "conflict"},
    {ErrorCode::LimitReached, "limit-reached"},
    {ErrorCode::StorageFull, "storage-full"},
    {ErrorCode::Unavailable, "unavailable"},
};
}  // namespace

std::string_view to_string(ErrorCode code) { return word_of(kErrorCodes, code); }

}  // namespace hyades
