#include "runtime/client_ledger.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::runtime {
namespace {

using Answer = engineio::Gate::Answer;

constexpr TimePoint start{Milliseconds(1'000'000)};

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

class ClientLedgerTest : public ::testing::Test {
 protected:
  ClientLedger ledger(LedgerLimits limits) { return {std::move(limits), *random_}; }

 private:
  std::unique_ptr<Random> random_ = make_system_random();
};

TEST_F(ClientLedgerTest, CountsConnectionsUntilTheirPassIsGone) {
  ClientLedger two = ledger({.connections_max = 2});
  auto first = two.admit();
  auto second = two.admit();
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(two.admit());
  const ClientLedger::Pass moved = std::move(*first);
  first.reset();
  EXPECT_FALSE(two.admit()) << "the pass lives on elsewhere";
  second.reset();
  EXPECT_TRUE(two.admit());
}

TEST_F(ClientLedgerTest, CountsConnectionsByAddress) {
  ClientLedger two = ledger({.per_address_max = 2});
  std::vector<ClientLedger::Pass> passes;
  const auto comes_in = [&](std::string_view from) {
    passes.push_back(std::move(two.admit().value()));
    return two.count_address(passes.back(), address(from));
  };
  EXPECT_TRUE(comes_in("192.0.2.1"));
  EXPECT_TRUE(comes_in("192.0.2.1"));
  EXPECT_FALSE(comes_in("192.0.2.1"));
  EXPECT_FALSE(comes_in("::ffff:192.0.2.1"));
  EXPECT_TRUE(comes_in("192.0.2.2"));
  passes.clear();
  EXPECT_EQ(two.accounts(), 0U);
  EXPECT_TRUE(comes_in("192.0.2.1"));
}

TEST_F(ClientLedgerTest, AnIpv6NetworkOf64BitsIsOneAddress) {
  ClientLedger one = ledger({.per_address_max = 1});
  auto first = one.admit().value();
  auto second = one.admit().value();
  EXPECT_TRUE(one.count_address(first, address("2001:db8:0:1::1")));
  EXPECT_FALSE(one.count_address(second, address("2001:db8:0:1:ffff::2")));
  EXPECT_TRUE(one.count_address(second, address("2001:db8:0:2::1")));
}

TEST_F(ClientLedgerTest, SomeNetworksAndUnixSocketsHaveNoLimitByAddress) {
  ClientLedger one = ledger({.per_address_max = 1,
                             .handshakes = {1, 1},
                             .unlimited_networks = {*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("::1")}});
  std::vector<ClientLedger::Pass> passes;
  for (const IpAddress& from : {address("10.1.2.3"), address("::1"), IpAddress()}) {
    for (int i = 0; i < 3; ++i) {
      passes.push_back(std::move(one.admit().value()));
      EXPECT_TRUE(one.count_address(passes.back(), from));
      EXPECT_EQ(one.ask(from.to_string(), start), Answer::come_in);
      one.opened(from.to_string());
    }
  }
  EXPECT_EQ(one.accounts(), 0U);
}

TEST_F(ClientLedgerTest, CountsSessionsByAddress) {
  ClientLedger two = ledger({.per_address_max = 2});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(two.ask("192.0.2.1", start), Answer::come_in);
    two.opened("192.0.2.1");
  }
  EXPECT_EQ(two.ask("192.0.2.1", start), Answer::too_many_sessions);
  EXPECT_EQ(two.ask("192.0.2.2", start), Answer::come_in);
  two.closed("192.0.2.1");
  EXPECT_EQ(two.ask("192.0.2.1", start), Answer::come_in);
}

TEST_F(ClientLedgerTest, LimitsHowOftenAnAddressTries) {
  ClientLedger slow = ledger({.handshakes = {10, 20}});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(slow.ask("192.0.2.1", start), Answer::come_in);
  EXPECT_EQ(slow.ask("192.0.2.1", start), Answer::too_many_handshakes);
  EXPECT_EQ(slow.ask("192.0.2.2", start), Answer::come_in);
  EXPECT_EQ(slow.ask("192.0.2.1", start + Milliseconds(100)), Answer::come_in);
}

TEST_F(ClientLedgerTest, ForgetsAddressesWhoseHandshakesNoLongerCount) {
  ClientLedger slow = ledger({.handshakes = {10, 20}});
  TimePoint now = start;
  for (int i = 0; i < 200'000; ++i) {
    now += Milliseconds(1);
    slow.ask("192.0.2.1", now);
    const std::string from = "2001:db8:" + std::to_string(i % 10'000) + ":" + std::to_string(i / 10'000) + "::1";
    EXPECT_EQ(slow.ask(from, now), Answer::come_in);
  }
  EXPECT_LT(slow.accounts(), 40'000U) << "of 200,000";
  EXPECT_EQ(slow.ask("192.0.2.1", now), Answer::too_many_handshakes);
}

}  // namespace
}  // namespace carillon::runtime
