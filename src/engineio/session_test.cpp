// Polling, packets, heartbeat, and one whole life.
#include "engineio/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using std::string_literals::operator""s;

class SessionTest : public ::testing::Test {
 protected:
  Session& session() { return *handler.last; }
  void send(const std::string& text) {
    session().send(make_text_frames("4" + text));
    bench.turn();
  }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler};
};

TEST_F(SessionTest, LivesFromPollingThroughAnUpgradeToAPingTimeout) {
  const std::string sid = bench.open_polling();
  EXPECT_EQ(session().transport(), TransportName::polling);

  // Events both ways over polling.
  FakePeer& first_poll = bench.poll(sid);
  EXPECT_TRUE(first_poll.pending());
  send("one");
  EXPECT_EQ(first_poll.answer().body, "4one");
  EXPECT_EQ(bench.post(sid, payload_of({"4uno", "bAQI="})).answer().body, "ok");

  // A ping while nothing else happens; the pong starts the interval anew.
  FakePeer& second_poll = bench.poll(sid);
  bench.advance(Milliseconds(25'000));
  EXPECT_EQ(second_poll.answer().body, "2");
  bench.post(sid, "3");

  // The upgrade, with events in the middle of it.
  FakePeer& third_poll = bench.poll(sid);
  FakePeer& websocket = bench.probe(sid);
  EXPECT_TRUE(third_poll.pending());
  bench.message(websocket, "2probe");
  EXPECT_THAT(websocket.take(), ElementsAre("3probe"));
  EXPECT_EQ(third_poll.answer().body, "6");
  send("two");
  send("three");
  bench.post(sid, "4dos");
  EXPECT_THAT(websocket.take(), IsEmpty());
  bench.message(websocket, "5");
  EXPECT_EQ(session().transport(), TransportName::websocket);
  EXPECT_THAT(websocket.take(), ElementsAre("4two", "4three"));

  // Events both ways over WebSocket.
  send("four");
  EXPECT_THAT(websocket.take(), ElementsAre("4four"));
  bench.message(websocket, "4tres");
  bench.binary(websocket, "\x03");
  EXPECT_THAT(handler.take(),
              ElementsAre("open", "text uno", "binary \x01\x02", "text dos", "text tres", "binary \x03"));

  // Silence.
  bench.advance(Milliseconds(25'000));
  EXPECT_THAT(websocket.take(), ElementsAre("2"));
  bench.advance(Milliseconds(19'992));
  EXPECT_THAT(handler.take(), IsEmpty());
  bench.advance(Milliseconds(8));
  EXPECT_THAT(handler.take(), ElementsAre("close ping_timeout"));
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_THAT(websocket.take(), IsEmpty());
  EXPECT_EQ(bench.engine.session_count(), 0U);
  EXPECT_EQ(world.timers.size(), 0U);
}

// --- polling ---

TEST_F(SessionTest, AllThatIsSentInOneTurnGoesOutInOneAnswer) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  bench.one_turn = true;
  send("a");
  session().send(make_binary_frames("\x01\x02"));
  send("b");
  EXPECT_TRUE(poll.pending());
  bench.end_turn();
  EXPECT_EQ(poll.answer().body, payload_of({"4a", "bAQI=", "4b"}));
  EXPECT_TRUE(bench.poll(sid).pending());
}

TEST_F(SessionTest, WhatWaitsIsAnsweredToTheNextPoll) {
  const std::string sid = bench.open_polling();
  send("a");
  send("b");
  EXPECT_EQ(bench.poll(sid).answer().body, payload_of({"4a", "4b"}));
}

TEST_F(SessionTest, TheSecondOfTwoPollsEndsTheSession) {
  const std::string sid = bench.open_polling();
  const FakePeer& first = bench.poll(sid);
  const FakePeer& second = bench.poll(sid);
  EXPECT_EQ(first.answer().body, "1");
  EXPECT_EQ(second.answer().status, 400);
  EXPECT_EQ(second.answer().body, R"({"code":3,"message":"Bad request"})");
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error"));
  EXPECT_EQ(bench.poll(sid).answer().body, R"({"code":1,"message":"Session ID unknown"})");
}

TEST_F(SessionTest, TheSecondOfTwoPostsEndsTheSessionAndCutsTheFirst) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  const auto first = bench.post_head(sid);
  EXPECT_TRUE(first.wanted);
  const auto second = bench.post_head(sid);
  EXPECT_FALSE(second.wanted);
  EXPECT_EQ(second.peer.answer().status, 400);
  EXPECT_TRUE(first.peer.was_cut);
  EXPECT_EQ(poll.answer().body, "1");
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error"));
}

TEST_F(SessionTest, AnAbortedPollEndsTheSession) {
  const std::string sid = bench.open_polling();
  bench.closed(bench.poll(sid), false);
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error"));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

TEST_F(SessionTest, AnAbortedPostEndsTheSession) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  bench.closed(bench.post_head(sid).peer, false);
  EXPECT_EQ(poll.answer().body, "1");
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error"));
}

TEST_F(SessionTest, AConnectionThatIsIdleMayGo) {
  const std::string sid = bench.open_polling();
  FakePeer& poll = bench.poll(sid);
  send("a");
  bench.closed(poll);
  bench.closed(bench.post(sid, "4b"));
  EXPECT_THAT(handler.log, ElementsAre("open", "text b"));
  EXPECT_TRUE(bench.poll(sid).pending());
}

TEST_F(SessionTest, ABodyOverTheLimitLeavesTheSessionAlone) {
  const std::string sid = bench.open_polling();
  const auto post = bench.post_head(sid);
  bench.engine.on_body_refused(post.peer);
  post.peer.respond({413});
  EXPECT_EQ(bench.post(sid, "4x").answer().body, "ok");
  EXPECT_THAT(handler.log, ElementsAre("open", "text x"));
}

TEST_F(SessionTest, BinaryContentIsRefusedAndEndsTheSession) {
  const std::string sid = bench.open_polling();
  const auto post = bench.post_head(sid, {{"Content-Type", "application/octet-stream"}});
  EXPECT_FALSE(post.wanted);
  EXPECT_EQ(post.peer.answer().status, 400);
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error"));
}

TEST_F(SessionTest, APostIsAnsweredWithOk) {
  const FakePeer& post = bench.post(bench.open_polling(), "4x");
  EXPECT_EQ(post.answer().status, 200);
  EXPECT_EQ(post.answer().body, "ok");
  EXPECT_EQ(post.header("content-type"), "text/html");
  EXPECT_EQ(post.header("cache-control"), "no-store");
}

TEST_F(SessionTest, AMalformedBodyEndsTheSessionWithoutDeliveringAnyOfIt) {
  for (const std::string& body :
       {""s, "x"s, payload_of({"4a", ""}), payload_of({"4a", "", "4b"}), payload_of({"4a", "9"}), "b*"s, "9:4x"s}) {
    const std::string sid = bench.open_polling();
    const FakePeer& poll = bench.poll(sid);
    const FakePeer& post = bench.post(sid, body);
    EXPECT_EQ(post.answer().status, 400) << body;
    EXPECT_EQ(poll.answer().body, "1") << body;
    EXPECT_THAT(handler.take(), ElementsAre("open", "close parse_error")) << body;
  }
}

// A request that was pipelined behind the bad one reaches nobody.
TEST_F(SessionTest, WhatIsPipelinedBehindAMalformedBodyFindsNoSession) {
  const std::string sid = bench.open_polling();
  const auto post = bench.post_head(sid);
  FakePeer& next = bench.new_peer();
  post.peer.next_request = [&] { EXPECT_FALSE(bench.ask(next, "POST", EngineBench::target("polling", sid)).wanted); };
  bench.one_turn = true;
  bench.body(post.peer, "x");
  bench.end_turn();
  EXPECT_EQ(next.answer().body, R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_THAT(handler.log, ElementsAre("open", "close parse_error"));
}

// --- packets ---

TEST_F(SessionTest, ClosePacketsFromTheClientEndTheSession) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  EXPECT_EQ(bench.post(sid, payload_of({"4a", "1", "4b"})).answer().status, 200);
  EXPECT_EQ(poll.answer().body, "6");
  EXPECT_THAT(handler.take(), ElementsAre("open", "text a", "close transport_close"));

  FakePeer& websocket = bench.open_websocket();
  bench.message(websocket, "1");
  bench.message(websocket, "4late");
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_THAT(handler.take(), ElementsAre("open", "close transport_close"));
}

TEST_F(SessionTest, AClientMustNotPing) {
  FakePeer& websocket = bench.open_websocket();
  bench.message(websocket, "2");
  EXPECT_EQ(websocket.closed_with, 1005);
  bench.post(bench.open_polling(), "2probe");
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error", "open", "close transport_error"));
}

TEST_F(SessionTest, PacketsWithoutMeaningFromAClientAreIgnored) {
  FakePeer& websocket = bench.open_websocket();
  for (const char* packet : {"0", "0{}", "5", "6", "3", "3probe"}) bench.message(websocket, packet);
  bench.post(bench.open_polling(), payload_of({"0", "5", "6", "3"}));
  EXPECT_TRUE(websocket.open());
  EXPECT_THAT(handler.log, ElementsAre("open", "open"));
}

TEST_F(SessionTest, MalformedMessagesEndAWebSocketWithAnEmptyCloseFrame) {
  for (const char* packet : {"", "7", "9", "x", "b!"}) {
    FakePeer& websocket = bench.open_websocket();
    bench.message(websocket, packet);
    EXPECT_EQ(websocket.closed_with, 1005) << packet;
    EXPECT_THAT(handler.take(), ElementsAre("open", "close parse_error")) << packet;
  }
}

TEST_F(SessionTest, TheEndOfTheConnectionEndsAWebSocketSession) {
  bench.closed(bench.open_websocket(), true);
  bench.closed(bench.open_websocket(), false);
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_close", "open", "close transport_error"));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

// --- heartbeat ---

TEST_F(SessionTest, APongRestartsTheInterval) {
  FakePeer& websocket = bench.open_websocket();
  bench.advance(Milliseconds(25'000));
  EXPECT_THAT(websocket.take(), ElementsAre("2"));
  bench.advance(Milliseconds(16'000));
  bench.message(websocket, "3");
  bench.advance(Milliseconds(24'992));
  EXPECT_THAT(websocket.take(), IsEmpty());
  bench.advance(Milliseconds(8));
  EXPECT_THAT(websocket.take(), ElementsAre("2"));
}

TEST_F(SessionTest, APongThatNobodyAskedForRestartsTheInterval) {
  FakePeer& websocket = bench.open_websocket();
  bench.advance(Milliseconds(16'000));
  bench.message(websocket, "3");
  bench.advance(Milliseconds(24'992));
  EXPECT_THAT(websocket.take(), IsEmpty());
  bench.advance(Milliseconds(8));
  EXPECT_THAT(websocket.take(), ElementsAre("2"));
}

TEST_F(SessionTest, APingOnRequestGoesOutBehindWhatWasSentAndIsAnsweredOnce) {
  FakePeer& websocket = bench.open_websocket();
  handler.notes_pings = true;
  handler.take();
  handler.last->send(make_text_frames("4news"));
  handler.last->ping();
  handler.last->ping();
  EXPECT_THAT(websocket.take(), ElementsAre("4news", "2"));
  EXPECT_THAT(handler.take(), ElementsAre("ping sent"));
  bench.message(websocket, "3");
  bench.message(websocket, "3");
  EXPECT_THAT(handler.take(), ElementsAre("pong"));
  bench.advance(Milliseconds(24'992));
  EXPECT_THAT(websocket.take(), IsEmpty()) << "the pong has restarted the interval";
}

TEST_F(SessionTest, APingOnRequestMustBeAnsweredInTime) {
  bench.open_websocket();
  handler.last->ping();
  bench.advance(Milliseconds(19'900));
  EXPECT_EQ(handler.log.back(), "open");
  bench.advance(Milliseconds(200));
  EXPECT_EQ(handler.log.back(), "close ping_timeout");
}

TEST_F(SessionTest, MessagesAreNoPong) {
  FakePeer& websocket = bench.open_websocket();
  bench.advance(Milliseconds(25'000));
  for (int i = 0; i < 20; ++i) {
    bench.message(websocket, "4alive");
    bench.advance(Milliseconds(1'000));
  }
  EXPECT_EQ(handler.log.back(), "close ping_timeout");
}

TEST_F(SessionTest, APendingPollIsToldOfThePingTimeout) {
  const std::string sid = bench.open_polling();
  bench.advance(Milliseconds(25'000));
  EXPECT_EQ(bench.poll(sid).answer().body, "2");
  const FakePeer& poll = bench.poll(sid);
  bench.advance(Milliseconds(20'000));
  EXPECT_EQ(poll.answer().body, "1");
  EXPECT_EQ(handler.log.back(), "close ping_timeout");
}

TEST_F(SessionTest, AClientThatNeverPollsTimesOut) {
  bench.open_polling();
  bench.advance(Milliseconds(45'000));
  EXPECT_THAT(handler.log, ElementsAre("open", "close ping_timeout"));
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

// Between two ticks of the timers, too: the official test suite asks again after exactly interval and timeout.
TEST_F(SessionTest, ASessionWhoseTimeIsOverIsNotFoundAnyMore) {
  bench.advance(TimerWheel::tick - Milliseconds(5));
  const std::string sid = bench.open_polling();
  bench.advance(Milliseconds(44'999));
  EXPECT_THAT(handler.log, ElementsAre("open"));
  bench.advance(Milliseconds(1));
  EXPECT_EQ(bench.poll(sid).answer().status, 400);
  EXPECT_THAT(handler.log, ElementsAre("open", "close ping_timeout"));
}

TEST_F(SessionTest, AServerThatWasBusyDoesNotTakeItOutOfTheClientsTime) {
  FakePeer& websocket = bench.open_websocket();
  world.now += Milliseconds(60'000);
  bench.advance(Milliseconds(0));
  EXPECT_THAT(websocket.take(), ElementsAre("2"));
  bench.advance(Milliseconds(19'984));
  EXPECT_THAT(handler.log, ElementsAre("open"));
}

}  // namespace
}  // namespace carillon::engineio
