#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace carillon::http {
namespace {

class ForwardedTest : public ::testing::Test {
 protected:
  // "ADDRESS", with "+" behind it if the connection is secure.
  std::string seen(std::string_view peer, const std::vector<Header>& headers, bool secure = false) const {
    const IpAddress address = peer == "unix" ? IpAddress() : IpAddress::parse(peer).value();
    const Origin origin = origin_behind(proxies_, {address, secure, proxies_.trusts(address)}, headers);
    return origin.address.to_string() + (origin.secure ? "+" : "");
  }

  TrustedProxies proxies_ =
      TrustedProxies::parse(std::vector<std::string>{"10.0.0.0/8", "2001:db8::1", "unix"}).value();
};

TEST_F(ForwardedTest, TheLastAddressThatIsNoTrustedProxyIsTheClient) {
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}}), "192.0.2.7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7, 10.0.0.2,10.0.0.3"}}), "192.0.2.7");
  EXPECT_EQ(seen("unix", {{"x-forwarded-for", "192.0.2.7"}}), "192.0.2.7");
  EXPECT_EQ(seen("2001:db8::1", {{"X-FORWARDED-FOR", "2001:db8::2"}}), "2001:db8::2");
}

TEST_F(ForwardedTest, WhatTheClientMakesUpIsIgnored) {
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "127.0.0.1, 192.0.2.7"}}), "192.0.2.7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "10.0.0.9, 192.0.2.7, 10.0.0.2"}}), "192.0.2.7");
  EXPECT_EQ(seen("192.0.2.7", {{"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-Proto", "https"}}), "192.0.2.7");
  EXPECT_EQ(seen("192.0.2.7", {{"X-Forwarded-Proto", "http"}}, true), "192.0.2.7+");
  EXPECT_EQ(seen("10.0.0.1", {{"Forwarded", "for=192.0.2.8;proto=https"}}), "10.0.0.1");
}

TEST_F(ForwardedTest, SeveralHeadersAreOneList) {
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "127.0.0.1"}, {"Other", "1"}, {"X-Forwarded-For", "192.0.2.7"}}),
            "192.0.2.7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-For", "10.0.0.2, 10.0.0.3"}}),
            "192.0.2.7");
}

TEST_F(ForwardedTest, WithoutAnythingToBelieveItIsTheNearest) {
  EXPECT_EQ(seen("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", ""}}), "10.0.0.1");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "unknown"}}), "10.0.0.1");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7, nonsense, 10.0.0.2"}}), "10.0.0.2");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7, "}}), "10.0.0.1");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}), "10.0.0.3");  // a client among the trusted
  EXPECT_EQ(seen("unix", {}), "");
}

TEST_F(ForwardedTest, PortsAreLeftOut) {
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7:1234"}}), "192.0.2.7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "[2001:db8::7]:1234"}}), "2001:db8::7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "[2001:db8::7]"}}), "2001:db8::7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "2001:db8::7"}}), "2001:db8::7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "::ffff:192.0.2.7"}}), "192.0.2.7");
  for (const std::string_view broken : {"[2001:db8::7", "[2001:db8::7]x", "[]", "[", ":", "192.0.2.7:1:2"})
    EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", std::string(broken)}}), "10.0.0.1") << broken;
}

TEST_F(ForwardedTest, ProtocolIsThatOfTheClientsConnection) {
  const Header two_addresses{"X-Forwarded-For", "192.0.2.7, 10.0.0.2"};
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "https"}}), "192.0.2.7+");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "http"}}, true), "192.0.2.7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}}, true), "192.0.2.7+");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-Proto", "HTTPS"}}), "10.0.0.1+");
  EXPECT_EQ(seen("10.0.0.1", {two_addresses, {"X-Forwarded-Proto", "https, http"}}), "192.0.2.7+");
  EXPECT_EQ(seen("10.0.0.1", {two_addresses, {"X-Forwarded-Proto", "https"}}), "192.0.2.7+");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "https, http"}}), "192.0.2.7");
  EXPECT_EQ(seen("10.0.0.1", {{"X-Forwarded-Proto", "wss"}}), "10.0.0.1");
}

TEST_F(ForwardedTest, OnlyNetworksAndUnixMayBeTrusted) {
  for (const std::string_view text : {"", "proxy.example", "10.0.0.0/33", "10.0.0.1/8", "*"}) {
    const auto proxies = TrustedProxies::parse(std::vector{std::string(text)});
    ASSERT_FALSE(proxies) << text;
    EXPECT_EQ(proxies.error(), text);
  }
  EXPECT_TRUE(TrustedProxies().empty());
  EXPECT_FALSE(TrustedProxies().trusts(IpAddress()));
  EXPECT_FALSE(proxies_.empty());
}

}  // namespace
}  // namespace carillon::http
