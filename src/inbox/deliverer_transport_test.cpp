// Proof by the transport, and the window that it moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(Deliverer, OnePingProvesAllThatWasSentBefore) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice", "phone");
  bench.notify("alice", 5);
  EXPECT_EQ(phone->pings, 0);
  bench.advance(Milliseconds(40));
  EXPECT_EQ(phone->pings, 1);
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 0U);
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice", "phone"), 5U);
  EXPECT_EQ(phone->recipient->unproven(), 0U);
  bench.advance(Milliseconds(1000));
  EXPECT_EQ(phone->pings, 1) << "nothing is left to prove";
}

TEST(Deliverer, AHeartbeatIsAsGoodAsAPingOfItsOwn) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice");
  phone->ping_out = true;
  phone->recipient->on_ping_sent();
  phone->pong();
  bench.advance(Milliseconds(100));
  EXPECT_EQ(phone->pings, 0);
  EXPECT_EQ(bench.stored_cursor("alice"), 1U);
}

TEST(Deliverer, APongProvesNothingThatWasSentAfterItsPing) {
  DeliveryBench bench;
  const auto phone = bench.arrive("alice");
  bench.notify("alice");
  bench.advance(Milliseconds(40));
  bench.notify("alice");
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 1U);
  bench.advance(Milliseconds(40));
  EXPECT_EQ(phone->pings, 2);
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 2U);
}

TEST(Deliverer, APongToAPingFromBeforeTheConnectionProvesNothing) {
  DeliveryBench bench;
  bench.notify("alice");
  const auto phone = bench.connect("alice");
  phone->ping_out = true;  // the session's, without this recipient
  bench.store.run();
  bench.advance(Milliseconds(40));
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 0U);
  bench.advance(Milliseconds(40));
  phone->pong();
  EXPECT_EQ(bench.stored_cursor("alice"), 1U);
}

TEST(Deliverer, WhatWasNotProvenComesAgain) {
  DeliveryBench bench;
  auto phone = bench.arrive("alice", "phone");
  bench.notify("alice", 2);
  bench.advance(Milliseconds(40));
  phone->pong();
  bench.notify("alice", 2);
  bench.come_back(phone);
  EXPECT_THAT(phone->received, ElementsAre(3, 4));
}

TEST(Deliverer, SendsAWindowAndGoesOnWithTheProof) {
  DeliveryBench bench;
  bench.notify("alice", 200);
  const auto phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, SizeIs(64));
  bench.notify("alice");
  EXPECT_THAT(phone->received, SizeIs(64));
  bench.settle(*phone);
  EXPECT_EQ(phone->received, numbers(1, 201));
  EXPECT_EQ(bench.stored_cursor("alice"), 201U);
}

TEST(Deliverer, AWindowIsLimitedInBytes) {
  DeliveryBench bench;
  bench.options.window_bytes_max = 10'000;
  for (int i = 0; i < 10; ++i) bench.accept("alice", 1'000'000, std::string(4'000, '1'));
  const auto phone = bench.arrive("alice");
  EXPECT_LE(phone->received.size(), 3U);
  EXPECT_GE(phone->received.size(), 2U);
  bench.settle(*phone);
  EXPECT_EQ(phone->received, numbers(1, 10));
}

TEST(Deliverer, OneThatIsLargerThanTheWindowIsSentAlone) {
  DeliveryBench bench;
  bench.options.window_bytes_max = 100;
  for (int i = 0; i < 3; ++i) bench.accept("alice", 1'000'000, std::string(500, '1'));
  const auto phone = bench.arrive("alice");
  EXPECT_THAT(phone->received, SizeIs(1));
  bench.settle(*phone);
  EXPECT_EQ(phone->received, numbers(1, 3));
}

}  // namespace
}  // namespace carillon::inbox
