#include "http/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace carillon::http {
namespace {

using Source = ProxyHeader::Source;

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
const std::string v4_addresses{"\xc0\x00\x02\x07\x0a\x00\x00\x01\x04\xd2\x01\xbb", 12};
const std::string v6_addresses = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" +
                                 std::string(15, '\0') + std::string("\x01\x04\xd2\x01\xbb", 5);

std::string v2(unsigned command, unsigned family, const std::string& rest) {
  std::string bytes(signature);
  bytes += static_cast<char>(command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes + rest;
}

std::string tlv(unsigned type, const std::string& value) {
  std::string bytes(1, static_cast<char>(type));
  bytes += static_cast<char>(value.size() >> 8);
  bytes += static_cast<char>(value.size() & 0xff);
  return bytes + value;
}

// Whole: it must be read with anything behind it, and want more at every byte before its end.
ProxyHeader whole(const std::string& bytes) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = parse_proxy_header(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(part && !*part) << size;
  }
  const auto parsed = parse_proxy_header(bytes + "GET / HTTP/1.1\r\n");
  if (!parsed || !*parsed) {
    ADD_FAILURE() << bytes;
    return {};
  }
  EXPECT_EQ((*parsed)->size, bytes.size());
  return **parsed;
}

bool is_refused(const std::string& bytes, ProxyHeaderError error = ProxyHeaderError::malformed) {
  const auto parsed = parse_proxy_header(bytes);
  return !parsed && parsed.error() == error;
}

TEST(ProxyHeaderTest, Version1NamesTheClient) {
  const ProxyHeader v4 = whole("PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\r\n");
  EXPECT_EQ(v4.source, Source::address);
  EXPECT_EQ(v4.address.to_string(), "192.0.2.7");
  const ProxyHeader v6 = whole("PROXY TCP6 2001:db8::7 ::1 0 65535\r\n");
  EXPECT_EQ(v6.address.to_string(), "2001:db8::7");
  // The longest that there can be.
  const std::string long_address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  whole("PROXY TCP6 " + long_address + " " + long_address + " 65535 65535\r\n");
}

TEST(ProxyHeaderTest, Version1MayNotKnowTheClient) {
  for (const std::string rest : {"", " whatever it is", " ffff::1 ffff::2 1 2"}) {
    const ProxyHeader header = whole("PROXY UNKNOWN" + rest + "\r\n");
    EXPECT_EQ(header.source, Source::unknown);
    EXPECT_TRUE(header.address.is_none());
  }
}

TEST(ProxyHeaderTest, Version1IsReadStrictly) {
  for (const std::string line : {"PROXY ",
                                 "PROXY TCP4",
                                 "PROXY TCP4 ",
                                 "PROXY TCP5 192.0.2.7 10.0.0.1 1 2",
                                 "PROXY tcp4 192.0.2.7 10.0.0.1 1 2",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 1",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 1 ",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1  2",
                                 "PROXY TCP4  192.0.2.7 10.0.0.1 1 2",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 65536 2",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 -1 2",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 01 2",
                                 "PROXY TCP4 192.0.2.7 10.0.0.1 a 2",
                                 "PROXY TCP4 192.0.2.256 10.0.0.1 1 2",
                                 "PROXY TCP4 192.0.2.7 nonsense 1 2",
                                 "PROXY TCP4 ::1 10.0.0.1 1 2",
                                 "PROXY TCP6 192.0.2.7 ::1 1 2",
                                 "PROXY TCP6 ::1 10.0.0.1 1 2",
                                 "PROXY UNKNOWNS",
                                 "PROXY TCP4\t192.0.2.7"})
    EXPECT_TRUE(is_refused(line + "\r\n")) << line;
  EXPECT_TRUE(is_refused("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n"));
  EXPECT_TRUE(is_refused("PROXY \n"));
  EXPECT_TRUE(is_refused("PROXY UNKNOWN " + std::string(93, 'x')));  // 107 bytes, and no end
  EXPECT_TRUE(is_refused("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"));
  whole("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n");
}

TEST(ProxyHeaderTest, Version2NamesTheClient) {
  const ProxyHeader v4 = whole(v2(0x21, 0x11, v4_addresses));
  EXPECT_EQ(v4.source, Source::address);
  EXPECT_EQ(v4.address.to_string(), "192.0.2.7");
  EXPECT_FALSE(v4.tls);
  EXPECT_EQ(whole(v2(0x21, 0x21, v6_addresses)).address.to_string(), "2001:db8::7");
  const std::string mapped = std::string(10, '\0') + "\xff\xff" + v4_addresses.substr(0, 4) + std::string(20, '\0');
  EXPECT_EQ(whole(v2(0x21, 0x21, mapped)).address.to_string(), "192.0.2.7");
}

TEST(ProxyHeaderTest, Version2MayNotKnowTheClient) {
  EXPECT_EQ(whole(v2(0x21, 0x00, "")).source, Source::unknown);
  EXPECT_EQ(whole(v2(0x21, 0x00, tlv(0x04, "padding"))).source, Source::unknown);
  EXPECT_EQ(whole(v2(0x21, 0x31, "/run/client.sock" + std::string(200, '\0'))).source, Source::unknown);
}

TEST(ProxyHeaderTest, LocalConnectionsAreTheProxysOwn) {
  EXPECT_EQ(whole(v2(0x20, 0x00, "")).source, Source::proxy);
  EXPECT_EQ(whole(v2(0x20, 0x11, v4_addresses)).source, Source::proxy);
  EXPECT_EQ(whole(v2(0x20, 0xf0, "whatever it is")).source, Source::proxy);
}

TEST(ProxyHeaderTest, ExtensionsAreSkipped) {
  const std::string extensions = tlv(0x01, "h2") + tlv(0x03, "crc!") + tlv(0xee, std::string(300, 'x')) + tlv(0x04, "");
  const ProxyHeader header = whole(v2(0x21, 0x11, v4_addresses + extensions));
  EXPECT_EQ(header.address.to_string(), "192.0.2.7");
  EXPECT_FALSE(header.tls);
}

TEST(ProxyHeaderTest, SaysWhetherTheClientSpokeTls) {
  const std::string verify(4, '\0');
  EXPECT_TRUE(whole(v2(0x21, 0x11, v4_addresses + tlv(0x20, "\x01" + verify))).tls);
  EXPECT_TRUE(whole(v2(0x21, 0x11, v4_addresses + tlv(0x20, "\x07" + verify + tlv(0x21, "TLSv1.3")))).tls);
  EXPECT_FALSE(whole(v2(0x21, 0x11, v4_addresses + tlv(0x20, std::string(1, '\0') + verify))).tls);
}

TEST(ProxyHeaderTest, Version2IsReadStrictly) {
  for (const auto& [command, family] : std::initializer_list<std::pair<unsigned, unsigned>>{{0x11, 0x11},
                                                                                            {0x31, 0x11},
                                                                                            {0x01, 0x11},
                                                                                            {0x22, 0x11},
                                                                                            {0x2f, 0x11},
                                                                                            {0x21, 0x12},
                                                                                            {0x21, 0x22},
                                                                                            {0x21, 0x32},
                                                                                            {0x21, 0x10},
                                                                                            {0x21, 0x20},
                                                                                            {0x21, 0x01},
                                                                                            {0x21, 0x41},
                                                                                            {0x21, 0xff}})
    EXPECT_TRUE(is_refused(v2(command, family, v6_addresses + std::string(200, '\0')))) << command << " " << family;
  EXPECT_TRUE(is_refused(v2(0x21, 0x11, v4_addresses.substr(0, 11))));
  EXPECT_TRUE(is_refused(v2(0x21, 0x21, v6_addresses.substr(0, 35))));
  EXPECT_TRUE(is_refused(v2(0x21, 0x31, std::string(215, 'x'))));
  for (const std::string& broken : {std::string("\x04"), std::string("\x04\x00", 2), std::string("\x04\x00\x02x", 4),
                                    tlv(0x20, "\x01"), tlv(0x04, "") + "\x01"})
    EXPECT_TRUE(is_refused(v2(0x21, 0x11, v4_addresses + broken)));
}

TEST(ProxyHeaderTest, LengthIsLimited) {
  const std::size_t room = proxy_header_bytes_max - 16 - v4_addresses.size() - 3;
  whole(v2(0x21, 0x11, v4_addresses + tlv(0x04, std::string(room, 'x'))));
  const std::string longer = v2(0x21, 0x11, v4_addresses + tlv(0x04, std::string(room + 1, 'x')));
  EXPECT_TRUE(is_refused(longer));
  EXPECT_TRUE(is_refused(longer.substr(0, 16)));  // its head is enough
}

TEST(ProxyHeaderTest, SomethingElseIsToldAtItsFirstByteThatDiffers) {
  for (const std::string bytes :
       {"GET / HTTP/1.1\r\n", "PROXX", "proxy TCP4", "POST /", "\x16\x03\x01", "\r\n\r\n\r", "\n", "Q"})
    EXPECT_TRUE(is_refused(bytes, ProxyHeaderError::missing)) << bytes;
  EXPECT_TRUE(is_refused(std::string(1, '\0'), ProxyHeaderError::missing));
}

}  // namespace
}  // namespace carillon::http
