#include "login_box.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "wait_until.hpp"
#include "wire/frame.hpp"
#include "wire/system_clock.hpp"

namespace hyades::test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// The kernel's choice; nobody else gets it again soon.
int free_port() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    ADD_FAILURE() << "no free port";
  }
  return ntohs(address.sin_port);
}

}  // namespace

LoginBox::LoginBox(const std::string& munge_socket, bool any_user) : port_(free_port()) {
  directory_ = "/tmp/hy-login-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "mkdtemp " << directory_;
  options.any_user = any_user;
  options.listen = {"127.0.0.1:" + std::to_string(port_)};
  options.cluster = "test";
  options.munge = {.program = HYADES_MUNGE_HELPER, .socket = munge_socket};
  options.audit = [this](const std::string& line) { log.push_back(line); };
}

LoginBox::~LoginBox() {
  server_.reset();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

std::string LoginBox::open() {
  server_.reset();
  std::string error;
  server_ = ClientServer::open(directory_, options, error);
  return server_ == nullptr ? error : "";
}

void LoginBox::poll(BootMs ahead_ms) {
  ahead_ms_ += ahead_ms;
  const BootMs now = stopped_ms_ != 0 ? stopped_ms_ : SystemClock().now().boot_ms;
  server_->poll(requests, now + ahead_ms_);
}

void LoginBox::stop_clock() { stopped_ms_ = SystemClock().now().boot_ms; }

// ---- the client -------------------------------------------------------------------------------

RawLogin::RawLogin(LoginBox& box) : box_(box), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = loopback(box.port());
  EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

void RawLogin::say(std::string_view bytes) {
  EXPECT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

bool RawLogin::take_frame(HeardFrame& frame) {
  if (in_.size() < kFrameHeaderBytes) return false;
  for (const FrameType type : {FrameType::Reply, FrameType::Hello, FrameType::Proceed}) {
    FrameHeader header;
    if (read_header(in_.data(), type, kReplyBytesMax, header) != FrameCheck::Good) continue;
    if (in_.size() < kFrameHeaderBytes + header.length) return false;
    frame = {type, in_.substr(kFrameHeaderBytes, header.length)};
    in_.erase(0, kFrameHeaderBytes + header.length);
    return true;
  }
  ADD_FAILURE() << "not a frame of the master";
  return false;
}

HeardFrame RawLogin::hear() {
  HeardFrame frame;
  const bool heard = wait_until(
      [&] {
        box_.poll();
        std::array<char, 65536> buffer;
        const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count > 0) in_.append(buffer.data(), static_cast<std::size_t>(count));
        closed_ = closed_ || count == 0 || (count < 0 && errno != EAGAIN);
        return take_frame(frame) || closed_;
      },
      kPatience_ms, 1);
  EXPECT_TRUE(heard) << "the master says nothing";
  return frame;
}

bool RawLogin::hung_up() {
  const HeardFrame frame = hear();
  return closed_ && frame.body.empty();
}

pb::Greeting RawLogin::greeting() {
  const HeardFrame frame = hear();
  pb::Greeting greeting;
  EXPECT_EQ(frame.type, FrameType::Hello);
  EXPECT_TRUE(greeting.ParseFromString(frame.body));
  return greeting;
}

std::string RawLogin::refusal() {
  const HeardFrame frame = hear();
  pb::ClientReply reply;
  EXPECT_EQ(frame.type, FrameType::Reply);
  EXPECT_TRUE(reply.ParseFromString(frame.body));
  EXPECT_NE(reply.error(), "");
  EXPECT_TRUE(hung_up()) << "the connection is still of use";
  return reply.message();
}

bool RawLogin::log_in(uid_t uid, const std::string& request, const std::string& munge_socket) {
  const pb::Greeting hello = greeting();
  say(FrameType::Credential,
      credential_of(uid, payload_for(hello, request), hello.uid(), munge_socket));
  return hear().type == FrameType::Proceed;
}

std::string status_request() {
  pb::ClientRequest request;
  request.mutable_show_status();
  return request.SerializeAsString();
}

std::string payload_for(const pb::Greeting& greeting, const std::string& request) {
  return encode_proof(
      {greeting.nonce(), std::string(kSecretBytes, 's'), sha256(request), greeting.cluster()});
}

}  // namespace hyades::test
