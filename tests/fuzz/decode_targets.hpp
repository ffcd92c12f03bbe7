// What is fuzzed: everything that turns bytes from outside into values. Each target must survive
// any input; it aborts when an accepted input breaks a promise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hyades::fuzz {

// Bytes as a node message.
void fuzz_node_message(std::string_view bytes);

// Bytes as the body of a client request, and what the master makes of it.
void fuzz_request(std::string_view bytes);

// Bytes as what a client sends over its connection, in pieces: the first byte of the input says
// how long they are.
void fuzz_client_stream(std::string_view bytes);

using Target = void (*)(std::string_view);

// Valid inputs to start from.
std::vector<std::string> node_message_seeds();
std::vector<std::string> request_seeds();
std::vector<std::string> client_stream_seeds();

}  // namespace hyades::fuzz
