// Looks over the bytes of a protobuf message before the parser allocates for it. A few bytes can
// stand for millions of empty elements, and the parser keeps what it does not know; this refuses
// both.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace hyades {

struct WireLimits {
  std::size_t list_max = 65'536;       // elements of one repeated field of one message
  std::size_t elements_max = 131'072;  // fields in the whole message, all levels together
  int depth_max = 8;
};

// "" when `bytes` is a message of this type within the limits, in which every field is known, has
// the right wire type, and comes once unless it is repeated (of a oneof, at most one member), and
// every enumerator is known. Else a clause that names the field, such as
// "Submit.spec.features: more than 65536 elements".
std::string check_wire(const google::protobuf::Descriptor& type, std::string_view bytes,
                       const WireLimits& limits = {});

}  // namespace hyades
