// The node's interfaces and connections, from trees that stand for /proc, and from this machine.
#include "telemetry/network_collector.hpp"

#include <gtest/gtest.h>

#include "fixture_tree.hpp"

namespace hyades {
namespace {

const std::string headings =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n";
const std::string loopback = "    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n";
const std::string ethernet = "  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n";
const std::string infiniband = "   ib0:18446744073709551615 5 0 0 0 0 0 0 6 7 0 0 0 0 0 0\n";
const std::string protocol =
    "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens CurrEstab InSegs RetransSegs\n"
    "Tcp: 1 200 120000 -1 707998 12 10441086 1646\n"
    "Udp: InDatagrams\nUdp: 5\n";
const std::string sockets =
    "sockets: used 120\nTCP: inuse 1 orphan 0 tw 33 alloc 1 mem 7\nUDP: inuse 0 mem 0\n";

class NetworkCollectorTest : public testing::Test {
 protected:
  NetworkCollectorTest() {
    tree_.write("/proc/net/dev", headings + loopback + ethernet + infiniband);
    tree_.write("/proc/net/snmp", protocol);
    tree_.write("/proc/net/sockstat", sockets);
  }
  FixtureTree tree_;
};

TEST_F(NetworkCollectorTest, InterfacesAndConnections) {
  NetworkCollector network(tree_.root());
  EXPECT_EQ(network.trouble(), "");
  EXPECT_FALSE(has_metric(network, "net.lo.rx_bytes"));
  const Sample sample(network);
  EXPECT_EQ(sample["net.eth0.rx_bytes"], 1000);
  EXPECT_EQ(sample["net.eth0.rx_packets"], 10);
  EXPECT_EQ(sample["net.eth0.rx_errors"], 1);
  EXPECT_EQ(sample["net.eth0.rx_drops"], 2);
  EXPECT_EQ(sample["net.eth0.tx_bytes"], 2000);
  EXPECT_EQ(sample["net.eth0.tx_packets"], 20);
  EXPECT_EQ(sample["net.eth0.tx_errors"], 3);
  EXPECT_EQ(sample["net.eth0.tx_drops"], 4);
  EXPECT_EQ(sample["net.ib0.rx_bytes"], 18446744073709551615.0);
  EXPECT_EQ(sample["net.ib0.tx_packets"], 7);
  EXPECT_EQ(sample["net.tcp_established"], 12);
  EXPECT_EQ(sample["net.tcp_retransmits"], 1646);
  EXPECT_EQ(sample["net.sockets"], 120);
  EXPECT_EQ(sample["net.tcp_time_wait"], 33);
  EXPECT_EQ(metric_named(network, "net.eth0.rx_bytes").behavior, Behavior::Counter);
  EXPECT_EQ(metric_named(network, "net.tcp_established").behavior, Behavior::Gauge);
}

TEST_F(NetworkCollectorTest, OnlyTheInterfacesThatWereAskedFor) {
  NetworkCollector network(tree_.root(), {"lo", "eth7"});
  EXPECT_TRUE(has_metric(network, "net.lo.rx_bytes"));
  EXPECT_FALSE(has_metric(network, "net.eth0.rx_bytes"));
  EXPECT_FALSE(has_metric(network, "net.eth7.rx_bytes"));
  EXPECT_NE(network.trouble().find("eth7"), std::string::npos) << network.trouble();
}

TEST_F(NetworkCollectorTest, InterfacesThatVanishAndAppear) {
  NetworkCollector network(tree_.root());
  tree_.write("/proc/net/dev", headings + "  eth1: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n" + infiniband);
  const std::size_t before = network.metrics().size();
  const Sample sample(network);
  EXPECT_EQ(network.metrics().size(), before);
  EXPECT_TRUE(sample.none("net.eth0.rx_bytes"));
  EXPECT_TRUE(sample.none("net.eth0.tx_drops"));
  EXPECT_EQ(sample["net.ib0.tx_bytes"], 6);
  EXPECT_EQ(network.trouble(), "network interface eth0: gone");
  tree_.write("/proc/net/dev", headings + ethernet + infiniband);
  EXPECT_EQ(Sample(network)["net.eth0.rx_bytes"], 1000);
  EXPECT_EQ(network.trouble(), "");
}

TEST_F(NetworkCollectorTest, GarbageIsNoReading) {
  NetworkCollector network(tree_.root());
  for (const char* numbers : {"", "1 2 3", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x",
                              "-1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
                              "99999999999999999999 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"}) {
    tree_.write("/proc/net/dev", headings + "eth0: " + numbers + '\n' + infiniband);
    const Sample sample(network);
    EXPECT_TRUE(sample.none("net.eth0.rx_bytes")) << numbers;
    EXPECT_TRUE(sample.none("net.eth0.rx_packets")) << numbers;
    EXPECT_EQ(sample["net.ib0.tx_bytes"], 6) << numbers;
    EXPECT_NE(network.trouble(), "") << numbers;
  }
  // Cut off in its last number.
  tree_.write("/proc/net/dev", headings + ethernet + infiniband.substr(0, infiniband.size() - 1));
  EXPECT_TRUE(Sample(network).none("net.ib0.rx_bytes"));
  for (const char* text :
       {"", "Tcp: CurrEstab RetransSegs\n", "Tcp: CurrEstab RetransSegs\nTcp: 1\n",
        "Tcp: CurrEstab RetransSegs\nUdp: 1 2\n", "Tcp: CurrEstab\nTcp: 5\n",
        "Tcp: CurrEstab RetransSegs\nTcp: 1 -2\n"}) {
    tree_.write("/proc/net/snmp", text);
    const Sample sample(network);
    EXPECT_TRUE(sample.none("net.tcp_established")) << text;
    EXPECT_TRUE(sample.none("net.tcp_retransmits")) << text;
  }
  for (const char* text : {"", "sockets: used 1\n", "sockets: used 1\nTCP: inuse 1 tw\n",
                           "sockets: used x\nTCP: tw 1\n", "sockets: used 1\nTCP: tw 1"}) {
    tree_.write("/proc/net/sockstat", text);
    EXPECT_TRUE(Sample(network).none("net.sockets")) << text;
  }
}

TEST_F(NetworkCollectorTest, ThousandsOfInterfacesAreNotAllWatched) {
  std::string table = headings;
  for (int i = 0; i < 1000; ++i) {
    table += "veth" + std::to_string(i) + ": 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n";
  }
  tree_.write("/proc/net/dev", table);
  NetworkCollector network(tree_.root());
  EXPECT_EQ(network.metrics().size(), 64 * 8 + 4u);
  EXPECT_NE(network.trouble().find("left out"), std::string::npos);
  EXPECT_EQ(Sample(network)["net.veth63.rx_bytes"], 1);
}

TEST_F(NetworkCollectorTest, NothingThere) {
  NetworkCollector network(tree_.root());
  tree_.remove("/proc");
  EXPECT_TRUE(Sample(network).has_nothing());
  NetworkCollector none(tree_.root());
  EXPECT_TRUE(none.metrics().empty());
  EXPECT_NE(none.trouble(), "");
  Sample{none};
}

TEST(NetworkCollectorHere, WhatThisMachineSendsToItself) {
  NetworkCollector network("", {"lo"});
  if (!has_metric(network, "net.lo.rx_bytes")) GTEST_SKIP() << "no loopback here";
  const Sample sample(network);
  EXPECT_FALSE(sample.none("net.lo.rx_bytes"));
  EXPECT_FALSE(sample.none("net.tcp_established"));
}

}  // namespace
}  // namespace hyades
