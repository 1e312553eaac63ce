// Ends that the layer above asks for, also in the middle of other things.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engineio/session.hpp"
#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view sid_unknown = R"({"code":1,"message":"Session ID unknown"})";

class CloseTest : public ::testing::Test {
 protected:
  Session& session() { return *handler.last; }
  static FramesPtr text(const std::string& data) { return make_text_frames("4" + data); }
  void close(CloseReason reason = CloseReason::forced_close) {
    session().close(reason);
    bench.turn();
  }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler};
};

// --- close() ---

// The end comes by itself: the official client deals with it before the packets in front of it, which would be lost.
TEST_F(CloseTest, APendingPollGetsWhatWaitsAndTheNextOneTheEnd) {
  const std::string sid = bench.open_polling();
  const FakePeer& idle = bench.poll(sid);
  close();
  EXPECT_EQ(idle.answer().body, "1");

  const std::string other = bench.open_polling();
  const FakePeer& poll = bench.poll(other);
  bench.one_turn = true;
  session().send(text("bye"));
  close();
  bench.end_turn();
  EXPECT_EQ(poll.answer().body, "4bye");
  EXPECT_EQ(bench.poll(other).answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(bench.poll(other).answer().body, sid_unknown);
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close", "open", "close forced_close"));
}

TEST_F(CloseTest, AWebSocketGetsWhatWaitsAndACloseFrame) {
  FakePeer& websocket = bench.open_websocket();
  bench.one_turn = true;
  session().send(text("bye"));
  close();
  bench.end_turn();
  EXPECT_THAT(websocket.take(), ElementsAre("4bye"));
  EXPECT_EQ(websocket.closed_with, 1005);
  bench.message(websocket, "4late");
  bench.closed(websocket);
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close"));
}

TEST_F(CloseTest, WithoutAPollTheNextOneIsToldAndThenTheSessionIsUnknown) {
  const std::string sid = bench.open_polling();
  close();
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close"));
  EXPECT_EQ(bench.engine.stats().sessions.value(), 0);
  EXPECT_EQ(bench.post(sid, "4x").answer().body, sid_unknown);
  EXPECT_EQ(bench.probe(sid).closed_with, 1005);
  EXPECT_EQ(bench.poll(sid).answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(bench.poll(sid).answer().body, sid_unknown);
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close"));
  EXPECT_EQ(world.timers.size(), 0U);
}

TEST_F(CloseTest, TheNextPollGetsWhatWaitsAndTheOneAfterItTheEnd) {
  const std::string sid = bench.open_polling();
  session().send(text("bye"));
  close();
  session().send(text("too late"));
  EXPECT_EQ(bench.poll(sid).answer().body, "4bye");
  EXPECT_EQ(bench.poll(sid).answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(bench.poll(sid).answer().body, sid_unknown);
}

TEST_F(CloseTest, LastWordsThatNobodyFetchesAreDropped) {
  bench.open_polling();
  close();
  bench.advance(Milliseconds(29'992));
  EXPECT_EQ(bench.engine.session_count(), 1U);
  bench.advance(Milliseconds(8));
  EXPECT_EQ(bench.engine.session_count(), 0U);
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close"));
  EXPECT_EQ(world.timers.size(), 0U);
}

TEST_F(CloseTest, APostInFlightFindsTheSessionGone) {
  const std::string sid = bench.open_polling();
  const auto first = bench.post_head(sid);
  close();
  bench.body(first.peer, "4x");
  EXPECT_EQ(first.peer.answer().body, sid_unknown);

  const std::string other = bench.open_polling();
  const auto second = bench.post_head(other);
  bench.poll(other);
  close();
  bench.body(second.peer, "4x");
  EXPECT_EQ(second.peer.answer().body, sid_unknown);
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close", "open", "close forced_close"));
}

TEST_F(CloseTest, InTheMiddleOfAnUpgradeTheWebSocketIsTold) {
  const std::string sid = bench.open_polling();
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  bench.one_turn = true;
  session().send(text("bye"));
  close();
  bench.end_turn();
  EXPECT_THAT(websocket.take(), ElementsAre("3probe"));
  EXPECT_EQ(websocket.closed_with, std::nullopt) << "the client has stopped to poll and would hear nothing";
  bench.message(websocket, "5");
  EXPECT_THAT(websocket.take(), ElementsAre("4bye"));
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_EQ(bench.poll(sid).answer().body, sid_unknown);
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close"));
}

TEST_F(CloseTest, APollThatComesBeforeTheUpgradeIsToldInstead) {
  const std::string sid = bench.open_polling();
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  close();
  EXPECT_EQ(bench.poll(sid).answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(websocket.closed_with, 1005);
}

TEST_F(CloseTest, AClosedSessionSendsNothing) {
  FakePeer& websocket = bench.open_websocket();
  bench.one_turn = true;
  close();
  session().send(text("x"));
  EXPECT_FALSE(session().send_volatile(text("x")));
  session().close(CloseReason::forced_close);
  bench.end_turn();
  EXPECT_THAT(websocket.take(), IsEmpty());
  EXPECT_THAT(handler.log, ElementsAre("open", "close forced_close"));
}

TEST_F(CloseTest, CloseAllEndsEverySession) {
  const std::string polling = bench.open_polling();
  const std::string waiting = bench.open_polling();
  const FakePeer& poll = bench.poll(waiting);
  const FakePeer& websocket = bench.open_websocket();
  handler.take();
  bench.engine.close_all(CloseReason::shutting_down);
  bench.turn();
  EXPECT_EQ(poll.answer().body, "1");
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_THAT(handler.log, ElementsAre("close shutting_down", "close shutting_down", "close shutting_down"));
  EXPECT_EQ(bench.poll(polling).answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

// --- requests that are pipelined behind the one that is answered ---

TEST_F(CloseTest, APollPipelinedBehindTheLastFindsNoSession) {
  const std::string sid = bench.open_polling();
  FakePeer& poll = bench.poll(sid);
  FakePeer& next = bench.new_peer();
  poll.next_request = [&] { bench.ask(next, "GET", EngineBench::target("polling", sid)); };
  bench.one_turn = true;
  close();
  bench.end_turn();
  EXPECT_EQ(next.answer().body, sid_unknown);
}

TEST_F(CloseTest, LastWordsAreSaidOnce) {
  const std::string sid = bench.open_polling();
  close();
  FakePeer& poll = bench.new_peer();
  FakePeer& next = bench.new_peer();
  poll.next_request = [&] { bench.ask(next, "GET", EngineBench::target("polling", sid)); };
  bench.one_turn = true;
  bench.ask(poll, "GET", EngineBench::target("polling", sid));
  bench.end_turn();
  EXPECT_EQ(poll.answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(next.answer().body, sid_unknown);
}

// --- closing from inside a handler ---

TEST_F(CloseTest, FromOnOpen) {
  handler.opened = [](Session& opened) {
    opened.send(text("no"));
    opened.close(CloseReason::forced_close);
  };
  const std::string sid = bench.open_polling();
  EXPECT_EQ(bench.poll(sid).answer().body, "4no");
  EXPECT_EQ(bench.poll(sid).answer().body, payload_of({"6", "1"}));
  FakePeer& websocket = bench.websocket_request(EngineBench::target("websocket"));
  EXPECT_EQ(websocket.take().back(), "4no");
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

TEST_F(CloseTest, FromOnMessageTheRestOfThePayloadIsVoid) {
  handler.received = [](Session& received, std::string_view data) {
    if (data == "b") received.close(CloseReason::forced_close);
  };
  const std::string draining = bench.open_polling();
  EXPECT_EQ(bench.post(draining, payload_of({"4a", "4b", "4c"})).answer().body, "ok");
  EXPECT_THAT(handler.take(), ElementsAre("open", "text a", "text b", "close forced_close"));
  EXPECT_EQ(bench.poll(draining).answer().body, payload_of({"6", "1"}));

  const std::string polled = bench.open_polling();
  const FakePeer& poll = bench.poll(polled);
  EXPECT_EQ(bench.post(polled, payload_of({"4b", "4c"})).answer().body, "ok");
  EXPECT_EQ(poll.answer().body, "1");

  FakePeer& websocket = bench.open_websocket();
  bench.one_turn = true;
  bench.message(websocket, "4b");
  bench.message(websocket, "4c");
  bench.end_turn();
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_THAT(handler.take(),
              ElementsAre("open", "text b", "close forced_close", "open", "text b", "close forced_close"));
}

TEST_F(CloseTest, FromOnCloseOtherSessionsMayBeClosed) {
  std::vector<Session*> others;
  handler.opened = [&](Session& opened) { others.push_back(&opened); };
  FakePeer& first = bench.open_websocket();
  const FakePeer& second = bench.open_websocket();
  const std::string third = bench.open_polling();
  handler.take();
  handler.closed = [&](Session&, CloseReason) {
    for (Session* other : others) {
      other->send(text("x"));
      other->close(CloseReason::forced_close);
    }
  };
  bench.closed(first);
  EXPECT_THAT(handler.log, ElementsAre("close transport_close", "close forced_close", "close forced_close"));
  EXPECT_EQ(second.closed_with, 1005);
  EXPECT_EQ(bench.poll(third).answer().body, "4x");
  EXPECT_EQ(bench.poll(third).answer().body, payload_of({"6", "1"}));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

// --- destruction ---

TEST_F(CloseTest, TheEngineMayGoBeforeItsConnections) {
  World other_world;
  RecordingHandler other_handler;
  auto other = std::make_unique<EngineBench>(other_world, other_handler);
  const std::string sid = other->open_polling();
  other->poll(sid);
  other->post_head(sid);
  other->probe(sid);
  other->open_websocket();
  const std::string draining = other->open_polling();
  other_handler.last->close(CloseReason::forced_close);
  other->turn();
  other.reset();
  EXPECT_EQ(other_world.timers.size(), 0U);
}

}  // namespace
}  // namespace carillon::engineio
