// /metrics as a scraper sees it.
#include "master/metrics_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "e2e/wait_until.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {
namespace {

std::string scrape(int port) {
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "";
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n";
  if (write(client.get(), request.data(), request.size()) < 0) return "";
  std::string answer;
  char buffer[4096];
  for (ssize_t size = 0; (size = read(client.get(), buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  return answer;
}

std::vector<prometheus::MetricFamily> page_of(double value) {
  prometheus::MetricFamily family;
  family.name = "hyades_test";
  family.type = prometheus::MetricType::Gauge;
  family.metric.emplace_back().gauge.value = value;
  return {family};
}

TEST(MetricsServer, AScrapeGetsAFreshPage) {
  std::string error;
  const auto server = MetricsServer::open({"127.0.0.1:0"}, error, 0);
  ASSERT_TRUE(server) << error;
  ASSERT_EQ(server->ports().size(), 1u);
  EXPECT_FALSE(server->wants_page());  // nobody has asked
  for (const double value : {1.0, 2.0}) {
    auto answer = std::async(std::launch::async, scrape, server->ports()[0]);
    ASSERT_TRUE(test::wait_until([&] { return server->wants_page(); }));
    server->publish(page_of(value));
    const std::string expected = "\nhyades_test " + std::to_string(static_cast<int>(value)) + "\n";
    EXPECT_NE(answer.get().find(expected), std::string::npos) << expected;
    EXPECT_FALSE(server->wants_page());
  }
}

TEST(MetricsServer, AYoungPageDoesForAll) {
  std::string error;
  const auto server = MetricsServer::open({"127.0.0.1:0"}, error, 3'600'000);
  ASSERT_TRUE(server) << error;
  server->publish(page_of(7));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(scrape(server->ports()[0]).find("\nhyades_test 7\n"), std::string::npos);
    EXPECT_FALSE(server->wants_page());
  }
}

TEST(MetricsServer, APortThatIsTakenIsSaid) {
  std::string error;
  const auto first = MetricsServer::open({"127.0.0.1:0"}, error);
  ASSERT_TRUE(first) << error;
  const std::string place = "127.0.0.1:" + std::to_string(first->ports()[0]);
  EXPECT_FALSE(MetricsServer::open({place}, error));
  EXPECT_NE(error.find(place), std::string::npos) << error;
}

}  // namespace
}  // namespace hyades
