#include "io/listen.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <system_error>

#include "io/testing.hpp"

namespace carillon::io {
namespace {

using testing::BlockingClient;

Endpoint endpoint(std::string_view text) { return parse_endpoint(text).value(); }

bool has_ipv6() {
  try {
    const Listener listener(resolve("::1", 0).front(), false);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

TEST(ListenTest, HasOneListenerPerLoopOnOnePort) {
  const auto groups = listen_at(endpoint("127.0.0.1:0"), 3);
  ASSERT_EQ(groups.size(), 1U);
  ASSERT_EQ(groups[0].size(), 3U);
  std::set<std::string> addresses;
  for (const auto& listener : groups[0]) addresses.insert(listener->address().to_string());
  EXPECT_EQ(addresses.size(), 1U);
  EXPECT_THROW(listen_at(endpoint(*addresses.begin()), 2), std::system_error);
  EXPECT_THROW(listen_at(endpoint(*addresses.begin()), 1), std::system_error);
}

TEST(ListenTest, NameIsAllOfItsAddressesOnOnePort) {
  const auto resolved = resolve("localhost", 0);
  const auto groups = listen_at(endpoint("localhost:0"), 2);
  ASSERT_GE(groups.size(), 1U);
  EXPECT_EQ(groups.size(), has_ipv6() ? resolved.size() : 1U);
  for (const auto& group : groups) {
    EXPECT_EQ(group.size(), 2U);
    EXPECT_EQ(group[0]->address().port(), groups[0][0]->address().port());
    const BlockingClient client(group[0]->address());
  }
  EXPECT_THROW(listen_at(endpoint("nobody.invalid:0"), 2), std::invalid_argument);
}

TEST(ListenTest, AllAddressesOfTheMachineIncludeIpv4) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const auto groups = listen_at(endpoint("[::]:0"), 2);
  const std::uint16_t port = groups[0][0]->address().port();
  const BlockingClient v4(resolve("127.0.0.1", port).front());
  const BlockingClient v6(resolve("::1", port).front());
}

TEST(ListenTest, UnixSocketHasOneListener) {
  const std::string path = "/tmp/carillon-listen-test-" + std::to_string(::getpid());
  const auto groups = listen_at(endpoint("unix:" + path), 4);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].size(), 1U);
  const BlockingClient client(unix_address(path));
}

}  // namespace
}  // namespace carillon::io
