// From polling to WebSocket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/session.hpp"
#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UpgradeTest : public ::testing::Test {
 protected:
  Session& session() { return *handler.last; }
  void send(const std::string& text) {
    session().send(make_text_frames("4" + text));
    bench.turn();
  }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler};
  std::string sid = bench.open_polling();
};

TEST_F(UpgradeTest, TheProbingSocketGetsNoOpenPacket) { EXPECT_THAT(bench.probe(sid).take(), IsEmpty()); }

TEST_F(UpgradeTest, PollsAreSentAwayOnceTheProbeHasBeenAnswered) {
  const FakePeer& before = bench.poll(sid);
  FakePeer& websocket = bench.probe(sid);
  EXPECT_TRUE(before.pending());
  bench.message(websocket, "2probe");
  EXPECT_EQ(before.answer().body, "6");
  EXPECT_EQ(bench.poll(sid).answer().body, "6");
  EXPECT_EQ(bench.poll(sid).answer().body, "6");
}

TEST_F(UpgradeTest, APollThatIsSentAwayTakesWaitingMessagesAlong) {
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  send("a");
  EXPECT_EQ(bench.poll(sid).answer().body, "4a");
  bench.message(websocket, "5");
  EXPECT_THAT(websocket.take(), ElementsAre("3probe"));
}

TEST_F(UpgradeTest, MessagesQueuedDuringTheUpgradeKeepTheirOrder) {
  send("1");
  FakePeer& websocket = bench.probe(sid);
  send("2");
  bench.message(websocket, "2probe");
  send("3");
  session().send(make_binary_frames("4"));
  bench.one_turn = true;
  bench.message(websocket, "5");
  send("5");
  bench.end_turn();
  send("6");
  EXPECT_THAT(websocket.take(), ElementsAre("3probe", "41", "42", "43", "b:4", "45", "46"));
}

// Answering the last poll may read the connection's next request, whose handler sends: behind what was queued.
TEST_F(UpgradeTest, WhatIsSentWhileTheLastPollIsAnsweredComesAfterWhatWasQueued) {
  FakePeer& websocket = bench.probe(sid);
  FakePeer& poll = bench.poll(sid);
  send("1");
  EXPECT_EQ(poll.answer().body, "41");
  FakePeer& last = bench.poll(sid);
  Session& upgraded = session();
  last.next_request = [&] { upgraded.send(make_text_frames("43")); };
  bench.one_turn = true;
  send("2");
  bench.message(websocket, "5");
  bench.end_turn();
  EXPECT_EQ(last.answer().body, "1");
  EXPECT_THAT(websocket.take(), ElementsAre("42", "43"));
}

TEST_F(UpgradeTest, APollStillPendingAtTheEndIsTold) {
  FakePeer& websocket = bench.probe(sid);
  const FakePeer& poll = bench.poll(sid);
  bench.message(websocket, "5");
  EXPECT_EQ(poll.answer().body, "1");
  EXPECT_TRUE(session().open());
  EXPECT_EQ(session().transport(), TransportName::websocket);
}

TEST_F(UpgradeTest, APostWhoseBodyComesAfterTheUpgradeStillCounts) {
  const auto post = bench.post_head(sid);
  FakePeer& websocket = bench.upgrade(sid);
  bench.body(post.peer, "4late");
  EXPECT_EQ(post.peer.answer().body, "ok");
  EXPECT_THAT(handler.log, ElementsAre("open", "text late"));
  EXPECT_TRUE(websocket.open());
}

TEST_F(UpgradeTest, PollingRequestsAreRefusedAfterwards) {
  FakePeer& websocket = bench.upgrade(sid);
  EXPECT_EQ(bench.poll(sid).answer().body, R"({"code":3,"message":"Bad request"})");
  EXPECT_EQ(bench.post(sid, "4x").answer().body, R"({"code":3,"message":"Bad request"})");
  EXPECT_TRUE(websocket.open());
  EXPECT_THAT(handler.log, ElementsAre("open"));
}

TEST_F(UpgradeTest, ASecondWebSocketIsRefusedDuringTheUpgradeAndAfterIt) {
  FakePeer& websocket = bench.probe(sid);
  FakePeer& during = bench.probe(sid);
  EXPECT_TRUE(during.websocket());
  EXPECT_EQ(during.closed_with, 1005);
  bench.closed(during);
  bench.message(websocket, "2probe");
  bench.message(websocket, "5");
  FakePeer& after = bench.probe(sid);
  EXPECT_EQ(after.closed_with, 1005);
  bench.message(after, "2probe");
  bench.closed(after);
  bench.message(websocket, "4still here");
  EXPECT_THAT(handler.log, ElementsAre("open", "text still here"));
}

TEST_F(UpgradeTest, ASessionThatBeganWithWebSocketTakesNoOther) {
  FakePeer& websocket = bench.open_websocket();
  EXPECT_EQ(bench.probe(session().id()).closed_with, 1005);
  EXPECT_TRUE(websocket.open());
}

TEST_F(UpgradeTest, AnythingElseClosesTheProbeAndASecondAttemptWorks) {
  for (const char* wrong : {"2", "2Probe", "2probex", "3probe", "4hello", "", "x", "1"}) {
    FakePeer& websocket = bench.probe(sid);
    bench.message(websocket, wrong);
    EXPECT_EQ(websocket.closed_with, 1005) << wrong;
    bench.message(websocket, "2probe");  // void
    bench.closed(websocket);
  }
  FakePeer& binary = bench.probe(sid);
  bench.binary(binary, "2probe");
  EXPECT_EQ(binary.closed_with, 1005);
  send("a");
  EXPECT_EQ(bench.poll(sid).answer().body, "4a");
  bench.upgrade(sid);
  EXPECT_EQ(session().transport(), TransportName::websocket);
  EXPECT_THAT(handler.log, ElementsAre("open"));
}

TEST_F(UpgradeTest, AfterAnAbandonedProbePollsWaitAgain) {
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  EXPECT_EQ(bench.poll(sid).answer().body, "6");
  bench.closed(websocket, false);
  const FakePeer& poll = bench.poll(sid);
  EXPECT_TRUE(poll.pending());
  send("a");
  EXPECT_EQ(poll.answer().body, "4a");
  bench.upgrade(sid);
  EXPECT_EQ(session().transport(), TransportName::websocket);
}

TEST_F(UpgradeTest, AnAttemptEndsAfterTenSeconds) {
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  bench.advance(Milliseconds(9'992));
  EXPECT_TRUE(websocket.open());
  bench.advance(Milliseconds(8));
  EXPECT_EQ(websocket.closed_with, 1005);
  const FakePeer& poll = bench.poll(sid);
  EXPECT_TRUE(poll.pending());
  bench.advance(Milliseconds(15'000));
  EXPECT_EQ(poll.answer().body, "2");  // the heartbeat has gone on
}

TEST_F(UpgradeTest, AFinishedUpgradeHasNoTimeLimit) {
  FakePeer& websocket = bench.upgrade(sid);
  bench.advance(Milliseconds(20'000));
  EXPECT_TRUE(websocket.open());
  bench.advance(Milliseconds(5'000));
  EXPECT_THAT(websocket.take(), ElementsAre("2"));
}

TEST_F(UpgradeTest, APingAskedOverPollingMayBeAnsweredOverWebSocket) {
  bench.advance(Milliseconds(25'000));
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  bench.message(websocket, "5");
  EXPECT_THAT(websocket.take(), ElementsAre("3probe", "2"));
  bench.message(websocket, "3");
  bench.advance(Milliseconds(24'000));
  EXPECT_TRUE(websocket.open());
}

TEST_F(UpgradeTest, TheEndOfTheSessionEndsItsProbe) {
  FakePeer& websocket = bench.probe(sid);
  bench.message(websocket, "2probe");
  bench.post(sid, "1");
  EXPECT_EQ(websocket.closed_with, 1005);
  bench.message(websocket, "5");
  bench.closed(websocket);
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_close"));
  EXPECT_EQ(world.timers.size(), 0U);
}

}  // namespace
}  // namespace carillon::engineio
