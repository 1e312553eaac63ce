#include "io/address.hpp"

#include <gtest/gtest.h>

#include "io/socket.hpp"
#include "io/testing.hpp"

namespace carillon::io {
namespace {

TEST(AddressTest, ReadsHostAndPort) {
  struct Case {
    std::string_view text;
    std::string_view host;
    std::uint16_t port;
  };
  for (const auto& [text, host, port] : {
           Case{"127.0.0.1:3000", "127.0.0.1", 3000},
           Case{"[::1]:3000", "::1", 3000},
           Case{"localhost:0", "localhost", 0},
           Case{":3000", "0.0.0.0", 3000},
           Case{"example.org:65535", "example.org", 65535},
       }) {
    const auto parsed = parse_host_port(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->host, host) << text;
    EXPECT_EQ(parsed->port, port) << text;
  }
}

TEST(AddressTest, RefusesWhatIsNoHostAndPort) {
  for (const std::string_view text : {"", "3000", "localhost", "localhost:", "localhost:http", "localhost:-1",
                                      "localhost:65536", "localhost:30 ", "::1:3000", "[::1]", "[::1]3000", ":"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

TEST(AddressTest, NumericAddressesResolveToThemselves) {
  const auto v4 = resolve("127.0.0.1", 80);
  ASSERT_EQ(v4.size(), 1U);
  EXPECT_EQ(v4.front().ip().to_string(), "127.0.0.1");
  EXPECT_EQ(v4.front().to_string(), "127.0.0.1:80");

  const auto v6 = resolve("::1", 8080);
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(v6.front().ip().to_string(), "::1");
  EXPECT_EQ(v6.front().port(), 8080);
  EXPECT_EQ(v6.front().to_string(), "[::1]:8080");
}

TEST(AddressTest, UnknownHostResolvesToNothing) { EXPECT_TRUE(resolve("", 80).empty()); }

TEST(AddressTest, UnixSocketsHaveAPath) {
  const SocketAddress address = unix_address("/run/carillon.sock");
  EXPECT_EQ(address.to_string(), "unix:/run/carillon.sock");
  EXPECT_EQ(address.port(), 0);
  EXPECT_TRUE(address.ip().is_none());
  const std::string longest(unix_path_bytes_max, 'x');
  EXPECT_EQ(unix_address(longest).to_string(), "unix:" + longest);
}

TEST(AddressTest, AnIpv4ClientOfADualStackSocketIsAnIpv4Client) {
  const SocketAddress mapped = resolve("::ffff:192.0.2.7", 80).front();
  EXPECT_EQ(mapped.ip().to_string(), "192.0.2.7");
  EXPECT_EQ(mapped.to_string(), "192.0.2.7:80");
}

TEST(AddressTest, PortCanBeChanged) {
  SocketAddress address = resolve("127.0.0.1", 1).front();
  address.set_port(65535);
  EXPECT_EQ(address.port(), 65535);
  SocketAddress nothing;
  nothing.set_port(1);
  EXPECT_EQ(nothing.port(), 0);
  EXPECT_TRUE(nothing.ip().is_none());
}

TEST(AddressTest, SocketsKnowBothEnds) {
  const Socket server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any = testing::loopback();
  ASSERT_EQ(::bind(server.fd(), any.raw(), any.size), 0);
  ASSERT_EQ(::listen(server.fd(), 1), 0);
  const SocketAddress bound = local_address(server.fd());
  EXPECT_NE(bound.port(), 0);

  const auto client = Socket::dial(bound);
  ASSERT_TRUE(client);
  EXPECT_EQ(peer_address(client->fd()).to_string(), bound.to_string());
  EXPECT_EQ(local_address(-1).to_string(), ":0");
}

}  // namespace
}  // namespace carillon::io
