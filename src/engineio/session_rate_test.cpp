// A client that sends more packets than it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engineio/session.hpp"
#include "engineio/testing.hpp"
#include "websocket/frame.hpp"

namespace carillon::engineio {
namespace {

class RateTest : public ::testing::Test {
 protected:
  static Options ten_per_second() {
    Options options;
    options.packets = {10, 20};
    return options;
  }
  void send(FakePeer& websocket, int count) {
    for (int i = 0; i < count && websocket.open(); ++i) bench.message(websocket, "4x");
  }
  std::size_t received() {
    const auto log = handler.take();
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), "text x"));
  }
  const Counter& closed() const {
    return bench.engine.stats().sessions_closed[static_cast<std::size_t>(CloseReason::rate_limited)];
  }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler, ten_per_second()};
};

TEST_F(RateTest, ClosesAWebSocketThatSendsMoreThanABurst) {
  FakePeer& websocket = bench.open_websocket();
  send(websocket, 30);
  EXPECT_EQ(websocket.closed_with, websocket::close_code::policy);
  EXPECT_EQ(websocket.close_text, "rate_limited");
  EXPECT_EQ(closed().value(), 1U);
  EXPECT_EQ(handler.log.back(), "close rate_limited");
  EXPECT_EQ(received(), 20U);
}

TEST_F(RateTest, TakesWhatComesAtTheRateForEver) {
  FakePeer& websocket = bench.open_websocket();
  send(websocket, 20);
  for (int second = 0; second < 10; ++second) {
    bench.advance(Milliseconds(1'000));
    send(websocket, 10);
  }
  EXPECT_TRUE(websocket.open());
  EXPECT_EQ(received(), 120U);
}

TEST_F(RateTest, CountsFramesThatAreNoMessages) {
  FakePeer& websocket = bench.open_websocket();
  bench.engine.on_frames(websocket, 20, world.now);
  EXPECT_TRUE(websocket.open());
  bench.engine.on_frames(websocket, 1, world.now);
  EXPECT_EQ(websocket.closed_with, websocket::close_code::policy);
}

TEST_F(RateTest, RefusesAPayloadOfTooManyPacketsAsAWhole) {
  const std::string sid = bench.open_polling();
  std::string payload = "4x";
  for (int i = 0; i < 20; ++i) payload += std::string(1, payload_separator) + "4x";
  const FakePeer& post = bench.post(sid, payload);
  EXPECT_EQ(post.answer().status, 429);
  EXPECT_EQ(post.answer().body, R"({"code":3,"message":"Too many packets"})");
  EXPECT_EQ(received(), 0U);
  EXPECT_EQ(closed().value(), 1U);
  EXPECT_EQ(bench.poll(sid).answer().status, 400) << "the session is gone";
}

TEST_F(RateTest, CountsForTheSessionWhateverTheTransport) {
  const std::string sid = bench.open_polling();
  std::string payload = "4x";
  for (int i = 0; i < 14; ++i) payload += std::string(1, payload_separator) + "4x";
  EXPECT_EQ(bench.post(sid, payload).answer().status, 200);
  FakePeer& websocket = bench.upgrade(sid);  // two packets
  send(websocket, 3);
  EXPECT_TRUE(websocket.open());
  send(websocket, 1);
  EXPECT_EQ(websocket.closed_with, websocket::close_code::policy);
}

TEST_F(RateTest, IsOffWhereThereIsNoLimit) {
  Options options;
  options.packets.per_second = 0;
  EngineBench unlimited(world, handler, options);
  FakePeer& websocket = unlimited.open_websocket();
  for (int i = 0; i < 100'000; ++i) unlimited.engine.on_message(websocket, false, "4x", world.now);
  EXPECT_TRUE(websocket.open());
}

}  // namespace
}  // namespace carillon::engineio
