#include "probe_peers.hpp"

namespace hyades::test {

void meet_peers() {}
void part_from_peers() {}

}  // namespace hyades::test
