#include "io/endpoint.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace carillon::io {
namespace {

Endpoint endpoint(std::string_view text) {
  const auto parsed = parse_endpoint(text);
  if (!parsed) ADD_FAILURE() << text;
  return parsed.value_or(Endpoint{});
}

TEST(EndpointTest, HostAndPortMayHaveAScheme) {
  for (const std::string_view text : {"example.org:3000", "http://example.org:3000", "https://example.org:3000"}) {
    const Endpoint parsed = endpoint(text);
    EXPECT_EQ(parsed.tcp.host, "example.org");
    EXPECT_EQ(parsed.tcp.port, 3000);
    EXPECT_EQ(parsed.tls, text.starts_with("https"));
    EXPECT_FALSE(parsed.is_unix());
    EXPECT_FALSE(parsed.proxy_protocol);
  }
  EXPECT_EQ(endpoint("https://[::]:443").tcp.host, "::");
}

TEST(EndpointTest, UnixSocketsHaveAPathAndPerhapsAMode) {
  EXPECT_EQ(endpoint("unix:/run/carillon.sock").path, "/run/carillon.sock");
  EXPECT_EQ(endpoint("unix:carillon.sock").mode, std::nullopt);
  EXPECT_EQ(endpoint("unix:/run/carillon.sock?mode=660").mode, 0660U);
  EXPECT_EQ(endpoint("unix:/run/carillon.sock?mode=0777").mode, 0777U);
  EXPECT_TRUE(parse_endpoint("unix:" + std::string(107, 'x')));
  EXPECT_FALSE(parse_endpoint("unix:" + std::string(108, 'x')));
}

TEST(EndpointTest, TheProxyProtocolIsAnOption) {
  EXPECT_TRUE(endpoint("127.0.0.1:3000?proxy_protocol=true").proxy_protocol);
  EXPECT_TRUE(endpoint("https://127.0.0.1:3000?proxy_protocol=true").tls);
  EXPECT_FALSE(endpoint("127.0.0.1:3000?proxy_protocol=false").proxy_protocol);
  const Endpoint both = endpoint("unix:/run/c?mode=600&proxy_protocol=true");
  EXPECT_TRUE(both.proxy_protocol);
  EXPECT_EQ(both.mode, 0600U);
}

TEST(EndpointTest, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      "3000",
                                      "localhost",
                                      "https://localhost",
                                      "https://localhost:1/",
                                      "http:/localhost:1",
                                      "ftp://localhost:1",
                                      "unix:",
                                      "unix:?mode=660",
                                      "unix:/x?mode=",
                                      "unix:/x?mode=66",
                                      "unix:/x?mode=888",
                                      "unix:/x?mode=1777",
                                      "unix:/x?mode=06600",
                                      "unix:/x?",
                                      "127.0.0.1:1?",
                                      "127.0.0.1:1?mode=660",
                                      "127.0.0.1:1?proxy_protocol",
                                      "127.0.0.1:1?proxy_protocol=yes",
                                      "127.0.0.1:1?proxy_protocol=true&",
                                      "127.0.0.1:1?other=1",
                                      "https://127.0.0.1:1 "})
    EXPECT_FALSE(parse_endpoint(text)) << text;
}

}  // namespace
}  // namespace carillon::io
