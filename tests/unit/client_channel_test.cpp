#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "wire/client_connection.hpp"
#include "wire/client_server.hpp"
#include "wire/run_directory.hpp"

namespace hyades {
namespace {

constexpr BootMs kSecond = 1000;

std::string frame_of(const std::string& body, std::uint16_t version = kProtocolVersion,
                     FrameType type = FrameType::Request) {
  std::string frame(kFrameHeaderBytes, '\0');
  write_header({version, type, static_cast<std::uint32_t>(body.size())}, frame.data());
  return frame + body;
}

pb::ClientRequest status_request() {
  pb::ClientRequest request;
  request.mutable_show_status();
  return request;
}

std::string status_frame() { return frame_of(status_request().SerializeAsString()); }

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(getpagesize());
}

// A client that does as it likes. Never blocks: both ends live in one thread.
class RawClient {
 public:
  explicit RawClient(const std::string& state_directory) {
    const int directory = open_run_directory(state_directory);
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_un address = client_socket_address(directory);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(directory);
  }
  ~RawClient() { hang_up(); }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void hang_up() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // How many bytes of it the kernel took.
  std::size_t say(std::string_view bytes) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  // Everything that is there to be read.
  std::string hear() {
    std::string all;
    char buffer[65536];
    while (true) {
      const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
      if (count <= 0) {
        closed_ = count == 0 || errno != EAGAIN;
        return all;
      }
      all.append(buffer, static_cast<std::size_t>(count));
    }
  }

  // After hear(): the server has hung up.
  bool closed() const { return closed_; }

 private:
  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
};

class ClientChannel : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "channel.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void open_server(const ClientServer::Options& options = {}) {
    std::string error;
    server_ = ClientServer::open(directory_, options, error);
    ASSERT_NE(server_, nullptr) << error;
  }

  RawClient client() {
    RawClient client(directory_);
    EXPECT_TRUE(client.connected());
    poll();
    return client;
  }

  // Lets the server do all it can do now. New requests are appended to requests_.
  void poll() {
    pollfd entry{server_->fd(), POLLIN, 0};
    for (int i = 0; i < 1000; ++i) {
      server_->poll(requests_, now_);
      if (::poll(&entry, 1, 0) <= 0) return;
    }
    ADD_FAILURE() << "the server is never done: it would take a whole core";
  }

  void reply_to(RequestId id, const std::string& message = "well") {
    pb::ClientReply reply;
    reply.set_message(message);
    server_->reply(id, reply);
  }

  // Reads one reply frame that must be there, whole, and nothing behind it.
  pb::ClientReply reply_at(RawClient& client) { return reply_in(client.hear()); }

  pb::ClientReply reply_in(const std::string& bytes) {
    pb::ClientReply reply;
    FrameHeader header;
    if (bytes.size() < kFrameHeaderBytes) {
      ADD_FAILURE() << "no reply";
    } else {
      EXPECT_EQ(read_header(bytes.data(), FrameType::Reply, kReplyBytesMax, header),
                FrameCheck::Good);
      EXPECT_EQ(bytes.size(), kFrameHeaderBytes + header.length);
      EXPECT_TRUE(reply.ParseFromString(bytes.substr(kFrameHeaderBytes)));
    }
    return reply;
  }

  // The client was told why, nothing reached the master, and the connection is closed.
  void expect_refused(RawClient& client, const std::string& message_part) {
    const pb::ClientReply reply = reply_at(client);
    EXPECT_NE(reply.error(), "");
    EXPECT_NE(reply.message().find(message_part), std::string::npos) << reply.message();
    EXPECT_TRUE(client.closed());
    EXPECT_TRUE(requests_.empty());
  }

  std::string directory_;
  std::unique_ptr<ClientServer> server_;
  std::vector<ClientRequest> requests_;
  BootMs now_ = 1'000'000;
};

// ---- what is right ---------------------------------------------------------------------------

TEST_F(ClientChannel, ARequestArrivesWithTheKernelsWordOnWhoSentIt) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].uid, geteuid());
  EXPECT_EQ(requests_[0].gid, getegid());
  EXPECT_EQ(requests_[0].pid, getpid());
  EXPECT_TRUE(requests_[0].what.has_show_status());
  reply_to(requests_[0].id);
  EXPECT_EQ(reply_at(client).message(), "well");
  EXPECT_FALSE(client.closed());
}

TEST_F(ClientChannel, AnotherUsersRequestCarriesThatUsersId) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  open_server();
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    RawClient client(directory_);
    _exit(client.connected() && client.say(status_frame()) > 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  poll();
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].uid, 65534u);
  EXPECT_EQ(requests_[0].gid, 65534u);
  EXPECT_EQ(requests_[0].pid, child);
}

TEST_F(ClientChannel, ARequestMayArriveByteByByte) {
  open_server();
  RawClient client = this->client();
  for (const char byte : status_frame()) {
    EXPECT_TRUE(requests_.empty());
    client.say(std::string(1, byte));
    poll();
  }
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(ClientChannel, OneConnectionServesManyRequestsInTurn) {
  open_server();
  RawClient client = this->client();
  for (int i = 0; i < 100; ++i) {
    requests_.clear();
    client.say(status_frame());
    poll();
    ASSERT_EQ(requests_.size(), 1u);
    reply_to(requests_[0].id, std::to_string(i));
    EXPECT_EQ(reply_at(client).message(), std::to_string(i));
  }
}

TEST_F(ClientChannel, TheNextRequestWaitsUntilTheOpenOneIsAnswered) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  client.say(status_frame());
  poll();
  ASSERT_EQ(requests_.size(), 1u);
  reply_to(requests_[0].id);
  poll();
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_NE(requests_[1].id, requests_[0].id);
  EXPECT_TRUE(server_->take_closed().empty());
}

TEST_F(ClientChannel, ManyConnectionsAreServedTogether) {
  open_server();
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(client());
  for (RawClient& client : clients) client.say(status_frame());
  poll();
  ASSERT_EQ(requests_.size(), 200u);
  for (const ClientRequest& request : requests_) reply_to(request.id);
  for (RawClient& client : clients) EXPECT_EQ(reply_at(client).message(), "well");
}

TEST_F(ClientChannel, AClientThatOnlyShutItsSendingSideStillGetsItsAnswer) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  shutdown(client.fd(), SHUT_WR);
  poll();
  EXPECT_TRUE(server_->take_closed().empty());
  reply_to(requests_.at(0).id);
  EXPECT_EQ(reply_at(client).message(), "well");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server_->connections(), 0u);
}

// ---- S03: too long, too short ----------------------------------------------------------------

TEST_F(ClientChannel, BytesBehindARequestMakeItRefused) {
  open_server();
  for (const std::size_t extra : {1, 2, 3, 15, 16, 17, 100, 4096}) {
    RawClient client = this->client();
    client.say(status_frame() + std::string(extra, '\0'));
    poll();
    expect_refused(client, "followed by bytes");
  }
  RawClient pipelining = client();
  pipelining.say(status_frame() + status_frame());
  poll();
  expect_refused(pipelining, "followed by bytes");
}

TEST_F(ClientChannel, BytesBehindTheMessageInsideTheFrameMakeItRefused) {
  open_server();
  for (std::size_t extra = 1; extra <= 64; ++extra) {
    RawClient client = this->client();
    client.say(frame_of(status_request().SerializeAsString() + std::string(extra, '\x08')));
    poll();
    expect_refused(client, "cannot be read");
  }
}

TEST_F(ClientChannel, ARequestCutOffAnywhereIsRefused) {
  open_server();
  pb::ClientRequest request;
  request.mutable_act_on_job()->set_job(42);
  request.mutable_act_on_job()->set_action(pb::JOB_CANCEL);
  const std::string frame = frame_of(request.SerializeAsString());
  for (std::size_t size = 1; size < frame.size(); ++size) {
    RawClient client = this->client();
    client.say(frame.substr(0, size));
    poll();
    shutdown(client.fd(), SHUT_WR);
    poll();
    expect_refused(client, "cut off");
  }
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(ClientChannel, ABodyShorterThanItsFrameSaysIsRefused) {
  open_server();
  pb::ClientRequest request;
  request.mutable_show_events()->set_job(7);
  const std::string body = request.SerializeAsString();
  for (std::size_t size = 0; size < body.size(); ++size) {
    RawClient client = this->client();
    client.say(frame_of(body.substr(0, size)));
    poll();
    expect_refused(client, "");
  }
}

// ---- S04: lengths ----------------------------------------------------------------------------

TEST_F(ClientChannel, ALengthBeyondTheCapIsRefusedFromTheHeaderAlone) {
  open_server();
  const std::size_t before = resident_bytes();
  for (const std::uint32_t length : {(8u << 20) + 1, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    RawClient client = this->client();
    std::string header(kFrameHeaderBytes, '\0');
    write_header({kProtocolVersion, FrameType::Request, length}, header.data());
    client.say(header);
    poll();
    expect_refused(client, "The request has " + std::to_string(length) +
                               " bytes; at most 8388608 are allowed.");
  }
  EXPECT_LT(resident_bytes(), before + (1u << 20));
}

TEST_F(ClientChannel, ALargeLengthIsNotAllocatedBeforeItsBytesCome) {
  open_server();
  std::vector<RawClient> clients;
  const std::size_t before = resident_bytes();
  for (int i = 0; i < 100; ++i) {
    clients.push_back(client());
    std::string header(kFrameHeaderBytes, '\0');
    write_header({kProtocolVersion, FrameType::Request, 8u << 20}, header.data());
    clients.back().say(header + "begin");
  }
  poll();
  EXPECT_LT(resident_bytes(), before + (1u << 20));  // not 800 MiB
  EXPECT_EQ(server_->connections(), 100u);
}

// A Submit whose whole body has exactly `size` bytes.
std::string submit_body(std::size_t size) {
  pb::ClientRequest request;
  pb::JobPayload& payload = *request.mutable_submit()->mutable_payload();
  payload.set_script(std::string(size - 64, 's'));
  while (request.ByteSizeLong() < size) payload.mutable_script()->push_back('s');
  EXPECT_EQ(request.ByteSizeLong(), size);
  return request.SerializeAsString();
}

TEST_F(ClientChannel, ARequestOfEightMiBIsAcceptedAndOneByteMoreIsNot) {
  open_server();
  RawClient client = this->client();
  const std::string frame = frame_of(submit_body(kRequestBytesMax));
  for (std::size_t sent = 0; sent < frame.size();) {
    sent += client.say(std::string_view(frame).substr(sent));
    poll();
  }
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].what.ByteSizeLong(), kRequestBytesMax);
  requests_.clear();

  RawClient other = this->client();
  other.say(frame_of(submit_body(kRequestBytesMax + 1)).substr(0, 100));
  poll();
  expect_refused(other, "The request has 8388609 bytes");
}

TEST_F(ClientChannel, WhatIsNotARequestIsRefused) {
  open_server();
  std::string reserved = status_frame();
  reserved[12] = 1;
  std::string type = frame_of("", kProtocolVersion, FrameType::Reply);
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(16, '\0'), reserved, type}) {
    RawClient client = this->client();
    client.say(bytes);
    poll();
    expect_refused(client, "not a Hyades request");
  }
  RawClient newer = client();
  newer.say(frame_of("whatever", 7));
  poll();
  expect_refused(newer, "This program speaks version 7 of Hyades' protocol, the master version 1");
}

// ---- slow clients ----------------------------------------------------------------------------

TEST_F(ClientChannel, AnIdleConnectionMayStay) {
  open_server();
  RawClient client = this->client();
  now_ += 3600 * kSecond;
  poll();
  client.say(status_frame());
  poll();
  ASSERT_EQ(requests_.size(), 1u);
  now_ += 3600 * kSecond;  // hwait waits for its answer
  poll();
  reply_to(requests_[0].id);
  EXPECT_EQ(reply_at(client).message(), "well");
}

TEST_F(ClientChannel, AHalfSentRequestIsDroppedAfterItsTime) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame().substr(0, 17));
  poll();
  now_ += 29 * kSecond;
  poll();
  EXPECT_EQ(server_->connections(), 1u);
  now_ += 1 * kSecond;
  poll();
  expect_refused(client, "took too long");
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(ClientChannel, AByteASecondDoesNotKeepARequestAlive) {
  open_server();
  RawClient client = this->client();
  const std::string frame = frame_of(submit_body(1000));
  std::size_t sent = 0;
  while (server_->connections() == 1 && sent < 100) {
    client.say(frame.substr(sent++, 1));
    poll();
    now_ += kSecond;
  }
  EXPECT_GE(sent, 30u);
  EXPECT_LE(sent, 32u);
  expect_refused(client, "took too long");
}

// A reply that no socket buffer takes at once.
constexpr std::size_t kLongReply = 8u << 20;

TEST_F(ClientChannel, AReplyThatIsNotReadIsDroppedAfterItsTime) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  reply_to(requests_.at(0).id, std::string(kLongReply, 'r'));
  poll();
  now_ += 29 * kSecond;
  poll();
  EXPECT_EQ(server_->connections(), 1u);
  now_ += 1 * kSecond;
  poll();
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(ClientChannel, AReplyThatIsReadSlowlyArrivesWhole) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  reply_to(requests_.at(0).id, std::string(kLongReply, 'r'));
  std::string got;
  while (got.size() < kLongReply && !client.closed()) {
    now_ += 20 * kSecond;
    poll();
    got += client.hear();
  }
  EXPECT_EQ(reply_in(got).message().size(), kLongReply);
  poll();
  client.say(status_frame());  // and the connection goes on
  poll();
  EXPECT_EQ(requests_.size(), 2u);
}

TEST_F(ClientChannel, AReplyBeyondTheCapBecomesAnError) {
  ClientServer::Options options;
  options.reply_bytes_max = 1000;
  open_server(options);
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  reply_to(requests_.at(0).id, std::string(1001, 'r'));
  const pb::ClientReply reply = reply_at(client);
  EXPECT_EQ(reply.error(), to_string(ErrorCode::LimitReached));
  EXPECT_NE(reply.message().find("Ask for less"), std::string::npos);
}

TEST_F(ClientChannel, AMessageThatIsNotUtf8CanStillBeRead) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  reply_to(requests_.at(0).id, "no such file: \xff.sh");
  EXPECT_EQ(reply_at(client).message(), "no such file: ?.sh");
}

// ---- clients that go away --------------------------------------------------------------------

TEST_F(ClientChannel, AClientThatVanishesBeforeItsAnswerIsReported) {
  open_server();
  RawClient client = this->client();
  RawClient other = this->client();
  client.say(status_frame());
  poll();
  const RequestId gone = requests_.at(0).id;
  client.hang_up();
  poll();
  EXPECT_EQ(server_->take_closed(), std::vector<RequestId>{gone});
  EXPECT_TRUE(server_->take_closed().empty());
  EXPECT_EQ(server_->connections(), 1u);
  reply_to(gone);  // too late, and no harm

  // A new connection gets the same descriptor, not the old one's answers.
  RawClient next = this->client();
  next.say(status_frame());
  poll();
  reply_to(gone, "not for you");
  EXPECT_EQ(next.hear(), "");
  reply_to(requests_.at(1).id);
  EXPECT_EQ(reply_at(next).message(), "well");
}

TEST_F(ClientChannel, AClientThatVanishesUnnoticedCostsNothing) {
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  client.hang_up();
  reply_to(requests_.at(0).id);  // before the server looked
  poll();
  EXPECT_EQ(server_->connections(), 0u);
}

// ---- limits ----------------------------------------------------------------------------------

TEST_F(ClientChannel, AUserHasOnlySoManyConnections) {
  ClientServer::Options options;
  options.connections_per_uid = 3;
  open_server(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(client());
  RawClient fourth = client();
  expect_refused(fourth, "has 3 connections to the master, which is the limit");
  clients.pop_back();
  poll();
  RawClient fifth = client();
  fifth.say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(ClientChannel, AUserHasOnlySoManyRequestsASecond) {
  ClientServer::Options options;
  options.requests_per_second_per_uid = 5;
  open_server(options);
  RawClient client = this->client();
  int refused = 0;
  for (int i = 0; i < 8; ++i) {
    requests_.clear();
    client.say(status_frame());
    poll();
    if (!requests_.empty()) reply_to(requests_[0].id);
    if (reply_at(client).error() == to_string(ErrorCode::LimitReached)) ++refused;
  }
  EXPECT_EQ(refused, 3);
  requests_.clear();
  now_ += kSecond;
  client.say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(ClientChannel, AUserMayKeepOnlySoManyBytesInFlight) {
  ClientServer::Options options;
  options.request_bytes_max = 100'000;
  options.reply_bytes_max = 1000;
  options.bytes_per_uid = 250'000;
  open_server(options);
  std::vector<RawClient> clients;
  const std::string most = frame_of(submit_body(100'000)).substr(0, 90'000);
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    clients.back().say(most);
    poll();
  }
  EXPECT_EQ(server_->connections(), 2u);
  expect_refused(clients[2], "too many unfinished requests");
  clients.clear();
  poll();
  RawClient again = client();  // what was held has been given back
  again.say(most);
  poll();
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(ClientChannel, UnreadAnswersCountOnlyAsLongAsTheirClientsAreThere) {
  ClientServer::Options options;
  options.bytes_per_uid = options.request_bytes_max + kLongReply + 1000;
  options.reply_bytes_max = kLongReply + 100;
  open_server(options);
  const std::string answer(kLongReply, 'r');
  for (int i = 0; i < 5; ++i) {
    RawClient client = this->client();
    client.say(status_frame());
    poll();
    reply_to(requests_.at(0).id, answer);
    requests_.clear();
    EXPECT_EQ(server_->connections(), 1u);
    EXPECT_GT(client.hear().size(), 10'000u) << "only an error";
    client.hang_up();
    poll();
    EXPECT_EQ(server_->connections(), 0u);
  }
  std::vector<RawClient> clients;  // but together they are too much
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    clients.back().say(status_frame());
    poll();
    reply_to(requests_.at(static_cast<std::size_t>(i)).id, answer);
  }
  EXPECT_EQ(reply_at(clients[2]).message(), "Too many answers of this user wait to be read.");
}

TEST_F(ClientChannel, WithoutDescriptorsClientsAreTurnedAwayAndServiceRecovers) {
  open_server();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<RawClient> waiting;
  for (int i = 0; i < 5; ++i) waiting.emplace_back(directory_);
  // From here on no new descriptor: the first free number is the limit.
  const int next = dup(0);
  close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  poll();  // fails if the server would spin
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(server_->connections(), 0u);
  expect_refused(waiting[0], "no file descriptor left");
  EXPECT_EQ(waiting[1].hear(), "");
  EXPECT_FALSE(waiting[1].closed());

  now_ += kSecond;
  poll();
  EXPECT_EQ(server_->connections(), 4u);
  waiting[1].say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
}

// ---- S25, S26: other users ---------------------------------------------------------------------

// Runs `what` as another user; false when it cannot be.
bool as_another(const std::function<bool()>& what) {
  const pid_t child = fork();
  if (child == 0) _exit(setgid(65534) == 0 && setuid(65534) == 0 && what() ? 0 : 1);
  int status = 1;
  return waitpid(child, &status, 0) == child && status == 0;
}

// Even where the modes of files would let others in.
TEST_F(ClientChannel, OneUsersClusterServesNobodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ClientServer::Options options;
  std::vector<std::string> log;
  options.audit = [&](const std::string& line) { log.push_back(line); };
  ASSERT_EQ(chown(directory_.c_str(), 54321, 54321), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  ASSERT_EQ(seteuid(54321), 0);
  open_server(options);
  RawClient herself = client();
  herself.say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
  requests_.clear();
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_TRUE(as_another([&] { return !RawClient(directory_).connected(); }));
  ASSERT_EQ(chmod((directory_ + "/run").c_str(), 0755), 0);
  ASSERT_EQ(chmod(server_->socket_path().c_str(), 0666), 0);
  EXPECT_TRUE(as_another([&] {
    RawClient other(directory_);
    return other.connected() && other.say(status_frame()) > 0;
  }));
  ASSERT_EQ(seteuid(54321), 0);
  poll();
  EXPECT_TRUE(requests_.empty());
  EXPECT_EQ(server_->connections(), 1u);
  EXPECT_EQ(log, (std::vector<std::string>{"uid 65534 from this host: refused: This cluster serves "
                                           "user 54321 alone."}));
  server_.reset();
  ASSERT_EQ(seteuid(0), 0);
}

TEST_F(ClientChannel, WhatOneUserHoldsIsNotTakenFromAnother) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ClientServer::Options options;
  options.connections_per_uid = 20;
  open_server(options);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  int hold[2];
  ASSERT_EQ(pipe(hold), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(hold[1]);
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    std::vector<RawClient> all;
    for (int i = 0; i < 100; ++i) {
      all.emplace_back(directory_);
      all.back().say(status_frame().substr(0, 5));
    }
    char end;
    _exit(read(hold[0], &end, 1) == 0 ? 0 : 1);  // until we let it go
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (server_->connections() < 20 && std::chrono::steady_clock::now() < until) poll();
  EXPECT_EQ(server_->connections(), 20u);
  for (int i = 0; i < 20; ++i) {
    RawClient mine = client();
    mine.say(status_frame());
    poll();
    ASSERT_EQ(requests_.size(), 1u);
    reply_to(requests_[0].id);
    requests_.clear();
    EXPECT_EQ(reply_at(mine).message(), "well");
  }
  close(hold[0]);
  close(hold[1]);
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// ---- the log -----------------------------------------------------------------------------------

TEST_F(ClientChannel, WhatIsDeniedOrNotedIsInTheLog) {
  ClientServer::Options options;
  std::vector<std::string> log;
  options.audit = [&](const std::string& line) { log.push_back(line); };
  open_server(options);
  pb::ClientRequest drain;
  drain.mutable_act_on_node()->set_action(pb::NODE_DRAIN);
  drain.mutable_act_on_node()->set_node("vn1\nroot");
  const std::string who = "uid " + std::to_string(geteuid()) + " from this host: ";
  const auto ask = [&](RawClient& client) {
    requests_.clear();
    client.say(frame_of(drain.SerializeAsString()));
    poll();
    return requests_.at(0).id;
  };
  RawClient client = this->client();
  reply_to(ask(client));
  EXPECT_TRUE(log.empty());
  client.hear();
  server_->reply(ask(client), error_reply(ErrorCode::Denied, "no"));
  EXPECT_EQ(log.back(), who + "drain node vn1?root: denied");
  client.hear();
  RequestId id = ask(client);
  server_->note(id);
  reply_to(id);
  EXPECT_EQ(log.back(), who + "drain node vn1?root: ok");
  // Whoever goes before the answer is in the log as well.
  client.hear();
  id = ask(client);
  server_->note(id);
  client.hang_up();
  poll();
  EXPECT_EQ(log.back(), who + "drain node vn1?root: its client went away before the answer");
  EXPECT_EQ(log.size(), 3u);
}

TEST_F(ClientChannel, DeniedRequestsDoNotFillTheLog) {
  ClientServer::Options options;
  std::vector<std::string> log;
  options.audit = [&](const std::string& line) { log.push_back(line); };
  open_server(options);
  RawClient client = this->client();
  for (int i = 0; i < 80; ++i) {
    requests_.clear();
    client.say(status_frame());
    poll();
    server_->reply(requests_.at(0).id, error_reply(ErrorCode::Denied, "no"));
    client.hear();
  }
  EXPECT_EQ(log.size(), 50u);
  now_ += kSecond;
  poll();
  ASSERT_EQ(log.size(), 51u);
  EXPECT_EQ(log.back(), "30 more requests of uid " + std::to_string(geteuid()) + " were denied");
}

// ---- the socket ------------------------------------------------------------------------------

TEST_F(ClientChannel, ModesAreAsTightAsTheUserAllows) {
  open_server();
  struct stat info {};
  ASSERT_EQ(stat((directory_ + "/run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, geteuid() == 0 ? 0755u : 0700u);
  ASSERT_EQ(stat(server_->socket_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, geteuid() == 0 ? 0666u : 0600u);
}

TEST_F(ClientChannel, ASocketThatADeadMasterLeftIsReplaced) {
  open_server();
  server_.reset();
  ASSERT_TRUE(std::filesystem::exists(client_socket_path(directory_)));
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(ClientChannel, ALiveMastersSocketIsLeftAlone) {
  open_server();
  std::string error;
  EXPECT_EQ(ClientServer::open(directory_, {}, error), nullptr);
  EXPECT_NE(error.find("Another master answers on " + server_->socket_path()), std::string::npos);
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(ClientChannel, WhatIsNotASocketIsLeftAlone) {
  std::filesystem::create_directory(directory_ + "/run");
  std::ofstream(client_socket_path(directory_)) << "precious";
  std::string error;
  EXPECT_EQ(ClientServer::open(directory_, {}, error), nullptr);
  EXPECT_NE(error.find("is not a socket"), std::string::npos) << error;
  EXPECT_TRUE(std::filesystem::is_regular_file(client_socket_path(directory_)));
}

TEST_F(ClientChannel, ADirectoryThatOthersCouldWriteIsRefused) {
  std::filesystem::create_directory(directory_ + "/run");
  ASSERT_EQ(chmod((directory_ + "/run").c_str(), 0777), 0);
  std::string error;
  EXPECT_EQ(ClientServer::open(directory_, {}, error), nullptr);
  EXPECT_NE(error.find(directory_ + "/run can be written by others"), std::string::npos) << error;
  EXPECT_NE(error.find("chmod 07"), std::string::npos) << error;
}

TEST_F(ClientChannel, ALinkInsteadOfTheDirectoryIsRefused) {
  std::filesystem::create_directory(directory_ + "/elsewhere");
  std::filesystem::create_symlink("elsewhere", directory_ + "/run");
  std::string error;
  EXPECT_EQ(ClientServer::open(directory_, {}, error), nullptr);
  EXPECT_NE(error.find("not a link"), std::string::npos) << error;
}

TEST_F(ClientChannel, LongPathsWork) {
  const std::string top = directory_;
  for (int i = 0; i < 4; ++i) {
    directory_ += "/" + std::string(60, 'd');
    std::filesystem::create_directory(directory_);
  }
  open_server();
  RawClient client = this->client();
  client.say(status_frame());
  poll();
  EXPECT_EQ(requests_.size(), 1u);
  server_.reset();
  directory_ = top;
}

// ---- the client's side -----------------------------------------------------------------------

// Serves in a thread of its own until it goes out of scope.
class Serving {
 public:
  using Answer = std::function<void(ClientServer&, const ClientRequest&)>;

  Serving(ClientServer& server, Answer answer)
      : thread_([this, &server, answer = std::move(answer)] {
          std::vector<ClientRequest> requests;
          for (BootMs now = 1; !stop_; ++now) {
            pollfd entry{server.fd(), POLLIN, 0};
            ::poll(&entry, 1, 5);
            server.poll(requests, now);
            for (const ClientRequest& request : requests) answer(server, request);
            requests.clear();
          }
        }) {}
  ~Serving() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

void answer_well(ClientServer& server, const ClientRequest& request) {
  pb::ClientReply reply;
  reply.set_message("well");
  server.reply(request.id, reply);
}

// A server that accepts one client, takes what one read gives, and then does as it is told.
class OddServer {
 public:
  OddServer(const std::string& directory, std::string answer, bool read_first = true) {
    std::filesystem::create_directory(run_directory_path(directory));
    const int run = open_run_directory(directory);
    const sockaddr_un address = client_socket_address(run);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    close(run);
    thread_ = std::thread([this, read_first, answer = std::move(answer)] {
      const int fd = accept(listener_, nullptr, nullptr);
      char buffer[4096];
      if (read_first && recv(fd, buffer, sizeof buffer, 0) < 0) perror("recv");
      if (send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) perror("send");
      close(fd);
    });
  }
  ~OddServer() {
    thread_.join();
    close(listener_);
  }

 private:
  int listener_ = -1;
  std::thread thread_;
};

class Connection : public ClientChannel {
 protected:
  CallResult call(int timeout_ms = 20'000) {
    error_.clear();
    return connection().call(status_request(), reply_, timeout_ms, error_);
  }
  ClientConnection& connection() {
    if (!connection_)
      connection_ = std::make_unique<ClientConnection>(MasterAddress{directory_, ""});
    return *connection_;
  }
  void expect_error(const std::string& part) {
    EXPECT_NE(error_.find(part), std::string::npos) << error_;
  }

  std::unique_ptr<ClientConnection> connection_;
  pb::ClientReply reply_;
  std::string error_;
};

TEST_F(Connection, CallsAreAnswered) {
  open_server();
  const Serving serving(*server_, answer_well);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(call(), CallResult::Ok) << error_;
    EXPECT_EQ(reply_.message(), "well");
  }
}

TEST_F(Connection, LargeRequestsAndAnswersPass) {
  open_server();
  const Serving serving(*server_, [](ClientServer& server, const ClientRequest& request) {
    pb::ClientReply reply;
    reply.set_script(request.what.submit().payload().script() + std::string(30u << 20, 'x'));
    server.reply(request.id, reply);
  });
  pb::ClientRequest request;
  request.mutable_submit()->mutable_payload()->set_script(std::string(4u << 20, 's'));
  ASSERT_EQ(connection().call(request, reply_, 60'000, error_), CallResult::Ok) << error_;
  EXPECT_EQ(reply_.script().size(), 34u << 20);
}

TEST_F(Connection, WithoutAClusterItSaysWhatToDo) {
  EXPECT_EQ(call(), CallResult::NotConnected);
  expect_error("No master answers on " + directory_ + "/run/hyades.sock");
  expect_error("hyades up --dir " + directory_);
}

TEST_F(Connection, WhileTheMasterRestartsNothingWasDone) {
  open_server();
  server_.reset();  // the socket is still there
  EXPECT_EQ(call(), CallResult::NotConnected);
  expect_error("No master answers");
}

TEST_F(Connection, AnOldConnectionFindsTheNewMaster) {
  open_server();
  {
    const Serving serving(*server_, answer_well);
    ASSERT_EQ(call(), CallResult::Ok) << error_;
  }
  server_.reset();
  open_server();
  const Serving serving(*server_, answer_well);
  EXPECT_EQ(call(), CallResult::Ok) << error_;
}

TEST_F(Connection, AMasterThatDiesOverARequestLeavesItOpen) {
  const OddServer server(directory_, "");
  EXPECT_EQ(call(), CallResult::NoAnswer);
  expect_error("may have been carried out");
}

TEST_F(Connection, AMasterThatDoesNotAnswerInTimeLeavesItOpen) {
  open_server();
  const Serving serving(*server_, [](ClientServer&, const ClientRequest&) {});
  EXPECT_EQ(call(50), CallResult::NoAnswer);
  expect_error("did not answer in time");
}

TEST_F(Connection, AnAnswerCutOffIsNoAnswer) {
  pb::ClientReply reply;
  reply.set_message("well");
  const std::string frame = frame_of(reply.SerializeAsString(), 1, FrameType::Reply);
  const OddServer server(directory_, frame.substr(0, frame.size() - 1));
  EXPECT_EQ(call(), CallResult::NoAnswer);
}

TEST_F(Connection, AnotherProtocolVersionIsNamed) {
  const OddServer server(directory_, frame_of("??", 9, FrameType::Reply));
  EXPECT_EQ(call(), CallResult::Refused);
  expect_error("The master speaks version 9 of Hyades' protocol, this program version 1");
}

TEST_F(Connection, SomethingElseOnTheSocketIsRefused) {
  const OddServer server(directory_, "SSH-2.0-OpenSSH_9.2p1\r\n");
  EXPECT_EQ(call(), CallResult::Refused);
  expect_error("is not Hyades");
}

TEST_F(Connection, AClientThatIsTurnedAwayHearsWhy) {
  ClientServer::Options options;
  options.connections_per_uid = 0;
  open_server(options);
  const Serving serving(*server_, answer_well);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(call(), CallResult::Ok) << error_;
    EXPECT_EQ(reply_.error(), to_string(ErrorCode::LimitReached));
    connection().close();
  }
}

TEST_F(Connection, ARequestThatIsTooLargeIsNotSent) {
  pb::ClientRequest request;
  request.mutable_submit()->mutable_payload()->set_script(std::string(kRequestBytesMax, 's'));
  EXPECT_EQ(connection().call(request, reply_, 1000, error_), CallResult::Refused);
  expect_error("the master takes at most 8388608");
}

TEST_F(Connection, AStrangersServerGetsNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  // Somebody put their own socket into a directory that was left open.
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  std::filesystem::create_directory(directory_ + "/run");
  ASSERT_EQ(chmod((directory_ + "/run").c_str(), 0777), 0);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    const int run = open_run_directory(directory_);
    const sockaddr_un address = client_socket_address(run);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(2);
    if (fchmodat(run, kClientSocketName, 0777, 0) != 0 || listen(listener, 8) != 0) _exit(3);
    if (write(ready[1], "r", 1) != 1) _exit(4);
    const int fd = accept(listener, nullptr, nullptr);
    char byte;
    _exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 5);  // nothing may come
  }
  close(ready[1]);
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  EXPECT_EQ(call(), CallResult::Refused);
  expect_error("is served by user 65534");
  expect_error("Nothing was sent");
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hyades
