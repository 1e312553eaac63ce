// What waits for a client: volatile messages, and clients that are too slow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/session.hpp"
#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;

class QueueTest : public ::testing::Test {
 protected:
  // More than the limit waits, and not in one message.
  static void make_slow(Session& slow) {
    slow.send(text("x"));
    slow.send(text(std::string(2'000, 'x')));
  }
  static Options small_queue() {
    Options options;
    options.send_queue_bytes_max = 1'000;
    return options;
  }
  Session& session() { return *handler.last; }
  static FramesPtr text(const std::string& data) { return make_text_frames("4" + data); }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler, small_queue()};
};

TEST_F(QueueTest, VolatileMessagesGoOnlyWhereNothingWaits) {
  FakePeer& websocket = bench.open_websocket();
  EXPECT_TRUE(session().send_volatile(text("a")));
  bench.turn();
  websocket.backlog = 1;
  EXPECT_FALSE(session().send_volatile(text("b")));
  websocket.backlog = 0;
  EXPECT_TRUE(session().send_volatile(text("c")));
  EXPECT_THAT(websocket.take(), ElementsAre("4a", "4c"));
  EXPECT_EQ(bench.engine.stats().volatile_dropped.value(), 1U);
}

TEST_F(QueueTest, VolatileMessagesNeedAPendingPoll) {
  const std::string sid = bench.open_polling();
  EXPECT_FALSE(session().send_volatile(text("a")));
  const FakePeer& poll = bench.poll(sid);
  EXPECT_TRUE(session().send_volatile(text("b")));
  bench.turn();
  EXPECT_EQ(poll.answer().body, "4b");
}

TEST_F(QueueTest, ASlowWebSocketIsCutAtTheEndOfTheTurn) {
  FakePeer& websocket = bench.open_websocket();
  websocket.stalled = true;
  session().send(text(std::string(600, 'x')));
  bench.turn();
  bench.one_turn = true;
  session().send(text(std::string(600, 'x')));
  EXPECT_TRUE(session().open()) << "nothing may end inside send()";
  EXPECT_TRUE(websocket.open());
  bench.end_turn();
  EXPECT_TRUE(websocket.was_cut);
  EXPECT_THAT(handler.log, ElementsAre("open", "close slow_consumer"));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

TEST_F(QueueTest, AClientThatDoesNotPollIsEndedAtTheLimit) {
  bench.open_polling();
  for (int i = 0; i < 4; ++i) session().send(text(std::string(200, 'x')));
  bench.turn();
  EXPECT_TRUE(session().open());
  session().send(text(std::string(200, 'x')));
  EXPECT_TRUE(session().open());
  bench.turn();
  EXPECT_THAT(handler.log, ElementsAre("open", "close slow_consumer"));
}

TEST_F(QueueTest, NothingMoreIsQueuedForASlowClient) {
  FakePeer& websocket = bench.open_websocket();
  bench.one_turn = true;
  for (int i = 0; i < 10; ++i) session().send(text(std::string(600, 'x')));
  EXPECT_FALSE(session().send_volatile(text("x")));
  EXPECT_EQ(websocket.messages.size(), 2U);
  bench.end_turn();
  EXPECT_TRUE(websocket.was_cut);
}

// The end of one slow session may push others over their limit, or end them.
TEST_F(QueueTest, OneMessageOverTheLimitIsNotTheClientsFault) {
  FakePeer& websocket = bench.open_websocket();
  bench.one_turn = true;
  session().send(text(std::string(2'000, 'x')));
  bench.end_turn();
  EXPECT_TRUE(session().open());
  EXPECT_TRUE(websocket.open());
}

TEST_F(QueueTest, TheEndOfASlowSessionMayMakeOthersSlowAndEndThem) {
  bench.open_websocket();
  Session& slow = session();
  bench.open_websocket();
  Session& other = session();
  handler.take();
  handler.closed = [&](Session& gone, CloseReason) {
    if (&gone != &slow) return;
    make_slow(other);
    other.close(CloseReason::forced_close);
  };
  make_slow(slow);
  bench.turn();
  bench.turn();
  EXPECT_THAT(handler.log, ElementsAre("close slow_consumer", "close forced_close"));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

TEST_F(QueueTest, ManySlowClientsAreEndedSomeAtATimeAndSentNothingMeanwhile) {
  std::vector<FakePeer*> peers;
  std::vector<Session*> sessions;
  for (int i = 0; i < 200; ++i) {
    peers.push_back(&bench.open_websocket());
    sessions.push_back(&session());
  }
  handler.take();
  bench.one_turn = true;
  for (Session* slow : sessions) make_slow(*slow);
  bench.engine.flush();
  const std::size_t first = handler.take().size();
  EXPECT_GT(first, 0U);
  EXPECT_LT(first, 100U);
  EXPECT_FALSE(bench.engine.has_work()) << "the others have their turn now";
  EXPECT_TRUE(bench.engine.has_slow_clients());
  FakePeer& left = *peers.back();
  left.take();
  sessions.back()->send(text("more"));
  EXPECT_THAT(left.take(), ElementsAre());
  bench.closed(left);  // before its turn
  EXPECT_EQ(handler.take().back(), "close transport_close");
  bench.end_turn();
  EXPECT_EQ(handler.take().size(), 200 - first - 1);
  EXPECT_EQ(bench.engine.session_count(), 0U);
  EXPECT_FALSE(bench.engine.has_slow_clients());
}

// Counted with what each message costs beside its bytes: many small ones are no way around the limit.
TEST_F(QueueTest, SmallMessagesCountForMoreThanTheirBytes) {
  bench.open_polling();
  for (int i = 0; i < 31; ++i) session().send(text(""));
  bench.turn();
  EXPECT_THAT(handler.log, ElementsAre("open", "close slow_consumer"));
}

TEST_F(QueueTest, WhatWaitsForPollsIsCounted) {
  const std::string sid = bench.open_polling();
  const Gauge& waiting = bench.engine.stats().outbox_bytes;
  const auto each = static_cast<std::int64_t>(text("123")->bytes() + queued_overhead_bytes);
  session().send(text("123"));
  EXPECT_EQ(waiting.value(), each);
  bench.poll(sid);
  EXPECT_EQ(waiting.value(), 0);
  session().send(text("123"));
  session().close(CloseReason::forced_close);
  EXPECT_EQ(waiting.value(), each) << "for the last poll";
  bench.advance(Milliseconds(60'000));
  EXPECT_EQ(waiting.value(), 0);
  bench.open_polling();
  session().send(text("123"));
  bench.engine.overload_outboxes(1);
  bench.turn();
  EXPECT_EQ(waiting.value(), 0);
  EXPECT_EQ(handler.log.back(), "close overloaded");
}

TEST_F(QueueTest, ASessionThatEndsBeforeItsSlownessIsSeenEndsOnce) {
  FakePeer& websocket = bench.open_websocket();
  bench.one_turn = true;
  make_slow(session());
  bench.closed(websocket);
  bench.end_turn();
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_close"));
}

}  // namespace
}  // namespace carillon::engineio
