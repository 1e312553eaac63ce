// Recovery by the stream: what is held until its place in the stream is known, and who comes back by it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "socketio/stream_shard.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* start_offset = "0000000000001-000000";

class StreamRecoveryTest : public ::testing::Test {
 protected:
  StreamRecoveryTest() {
    bench.recovers_by_stream = true;
    bench.root().use([this](Socket& socket, const Next& next) {
      if (const auto user = socket.handshake().auth("user")) socket.set_identity(*user);
      if (refuses) return next(ConnectError{"no", nullptr});
      next();
    });
    bench.root().on_connection([this](Socket& socket) {
      last = &socket;
      socket.on("ask", [&socket, this](const Args&, const Ack& ack) {
        socket.emit("told");
        ack("done");
        socket.emit("after");
      });
      socket.on("leave", [this, &socket](const Args&, const Ack&) {
        bench.root().to("r").emit("bye");
        socket.leave("r");
      });
      socket.on("end", [this, &socket](const Args&, const Ack&) {
        bench.root().everyone().emit("last words");
        socket.disconnect();
      });
    });
  }

  StreamShard& shard() { return *bench.core().stream_shard(); }
  // The stream goes on: a broadcast of this node is read back.
  void read_back(const BroadcastPtr& message, StreamOffset entry) {
    shard().release(*message, frames_with(*message, entry), entry);
  }
  void release_early(const BroadcastPtr& message) {
    shard().release(*message, frames_with(*message, shard().position("/")), {});
  }
  // An event of another node.
  void hear(const char* name, StreamOffset entry, std::vector<std::string> rooms = {}) {
    Broadcast message;
    message.rooms = std::move(rooms);
    message.entry = entry;
    set_event(bench.core().format(), message, name, {});
    bench.core().deliver(message);
  }
  std::string event(const char* name, const std::string& offset) {
    return "2[\"" + std::string(name) + "\",\"" + offset + "\"]";
  }
  std::unique_ptr<TestClient> connected(const std::string& auth = "") {
    auto client = std::make_unique<TestClient>(bench);
    shard().set_position(0, {1, 0});
    sid = client->connect("/", auth);
    bench.turn();
    pid = bench.sessions.records.empty() ? "" : bench.sessions.records.begin()->first;
    return client;
  }
  // Asks to be recovered, without the answer yet.
  std::unique_ptr<TestClient> coming_back(const std::string& offset = "", const std::string& user = "") {
    auto client = std::make_unique<TestClient>(bench);
    Object auth{{"pid", pid}};
    if (!offset.empty()) auth.set("offset", offset);
    if (!user.empty()) auth.set("user", user);
    client->send("0" + to_json(auth));
    return client;
  }
  std::vector<std::string> packets(TestClient& client) {
    bench.turn();
    return client.take();
  }

  Bench bench;
  std::string sid;
  std::string pid;
  Socket* last = nullptr;
  bool refuses = false;
};

// --- what is held ---

TEST_F(StreamRecoveryTest, ABroadcastComesWithItsEntry) {
  const auto client = connected();
  bench.root().everyone().emit("a");
  EXPECT_THAT(packets(*client), IsEmpty());
  read_back(bench.node.broadcasts.at(0), {7, 3});
  EXPECT_THAT(packets(*client), ElementsAre(event("a", "0000000000007-000003")));
}

TEST_F(StreamRecoveryTest, OtherNodesPassByWhatIsHeld) {
  const auto client = connected();
  bench.root().everyone().emit("a");
  hear("foreign", {5, 0});
  read_back(bench.node.broadcasts.at(0), {7, 0});
  EXPECT_THAT(packets(*client),
              ElementsAre(event("foreign", "0000000000005-000000"), event("a", "0000000000007-000000")));
}

TEST_F(StreamRecoveryTest, TheOrderOfWhatIsSentToASocketIsKept) {
  const auto client = connected();
  client->send("21[\"ask\"]");
  EXPECT_THAT(packets(*client), IsEmpty()) << "the acknowledgement comes behind the event";
  ASSERT_THAT(bench.cluster.published, SizeIs(2));
  EXPECT_THAT(bench.cluster.published[0]->rooms, ElementsAre(sid)) << "recoverable at another node";
  read_back(bench.cluster.published[0], {7, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("told", "0000000000007-000000"), "31[\"done\"]"));
  read_back(bench.cluster.published[1], {8, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("after", "0000000000008-000000")));
}

TEST_F(StreamRecoveryTest, WhatRedisDoesNotTakeComesWithTheLastOffset) {
  const auto client = connected();
  hear("foreign", {5, 0});
  bench.root().everyone().emit("a");
  last->emit("b");
  release_early(bench.node.broadcasts.at(0));
  release_early(bench.cluster.published.at(0));
  EXPECT_THAT(packets(*client), ElementsAre(event("foreign", "0000000000005-000000"),
                                            event("a", "0000000000005-000000"), event("b", "0000000000005-000000")));
}

TEST_F(StreamRecoveryTest, WhoGetsItIsDecidedWhenItIsEmitted) {
  const auto client = connected();
  last->join("r");
  client->send("2[\"leave\"]");
  const auto late = connected();
  last->join("r");
  read_back(bench.node.broadcasts.at(0), {7, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("bye", "0000000000007-000000")));
  EXPECT_THAT(packets(*late), IsEmpty());
}

TEST_F(StreamRecoveryTest, ASocketThatEndsGetsWhatWasHeld) {
  const auto client = connected();
  client->send("2[\"end\"]");
  EXPECT_THAT(packets(*client), ElementsAre(event("last words", start_offset), "1"));
  read_back(bench.node.broadcasts.at(0), {7, 0});  // nobody is there any more
}

TEST_F(StreamRecoveryTest, VolatileEventsToOneKeepTheirTurnAndTheCurrentOffset) {
  const auto client = connected();
  last->volatile_().emit("now");
  EXPECT_THAT(packets(*client), ElementsAre(event("now", start_offset)));
  last->emit("a");
  last->volatile_().emit("then");
  EXPECT_THAT(packets(*client), IsEmpty());
  read_back(bench.cluster.published.at(0), {7, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("a", "0000000000007-000000"), event("then", "0000000000007-000000")));
}

// Events of other shards of this node are in the stream in an order of their own.
TEST_F(StreamRecoveryTest, OffsetsNeverGoBack) {
  const auto client = connected();
  last->emit("of this shard");
  bench.root().everyone().emit("of another shard");
  read_back(bench.node.broadcasts.at(0), {7, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("of another shard", "0000000000007-000000")));
  read_back(bench.cluster.published.at(0), {8, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("of this shard", "0000000000008-000000")));
}

TEST_F(StreamRecoveryTest, WhatCameByAnotherWayThanTheStreamHasTheCurrentOffset) {
  const auto client = connected();
  hear("by a channel", {});
  EXPECT_THAT(packets(*client), ElementsAre(event("by a channel", start_offset)));
}

// Clients of Socket.IO v2 know nothing of recovery.
TEST_F(StreamRecoveryTest, WhoIsNotRecoveredGetsItsOwnEventsAtOnceButInTheirTurn) {
  bench.engine_options.allow_eio3 = true;
  bench.engine().query = "EIO=3";
  engineio::FakePeer& peer = bench.engine().websocket_request("/engine.io/?EIO=3&transport=websocket");
  bench.advance(TimerWheel::tick);
  TestClient client(bench, peer);
  packets(client);
  ASSERT_NE(last, nullptr);
  const auto emitted = [&] { return packets(client).size(); };
  last->emit("a");
  EXPECT_EQ(emitted(), 1U);
  EXPECT_THAT(bench.cluster.published, IsEmpty());
  EXPECT_THAT(bench.sessions.log, IsEmpty());
  bench.root().everyone().emit("b");
  last->emit("c");
  EXPECT_EQ(emitted(), 0U);
  read_back(bench.node.broadcasts.at(0), {7, 0});
  EXPECT_EQ(emitted(), 2U);
}

// --- records ---

TEST_F(StreamRecoveryTest, ARecordIsWrittenAtOnceAndWhenRoomsChange) {
  const auto client = connected(R"({"user":"alice"})");
  const std::string written = "write " + sid;
  EXPECT_THAT(bench.sessions.log, ElementsAre("fresh " + sid));
  const SessionRecord& record = bench.sessions.records.at(pid);
  EXPECT_EQ(record.identity, "alice");
  EXPECT_THAT(record.rooms, ElementsAre(sid));
  EXPECT_EQ(record.proven, (StreamOffset{1, 0}));
  EXPECT_EQ(record.owner.size(), 16U);
  last->join("a");
  last->join("b");
  bench.turn();
  EXPECT_THAT(bench.sessions.log, ElementsAre("fresh " + sid, written)) << "once for both";
  EXPECT_THAT(record.rooms, ElementsAre(sid, "a", "b"));
  last->leave("a");
  bench.turn();
  EXPECT_THAT(record.rooms, ElementsAre(sid, "b"));
  last->data() = Object{{"n", 1}};
  client->hang_up(false);
  EXPECT_EQ(bench.sessions.log.back(), "lost " + sid);
  EXPECT_EQ(record.data, Value(Object{{"n", 1}}));
  EXPECT_THAT(bench.sessions.connected, IsEmpty());
}

TEST_F(StreamRecoveryTest, ARecordIsRenewedWithWhatPongsHaveProven) {
  const auto client = connected();
  hear("a", {5, 0});
  const Milliseconds interval = bench.engine_options.ping_interval;
  bench.advance(interval);
  EXPECT_THAT(packets(*client), ElementsAre(event("a", "0000000000005-000000"), "2"));
  hear("b", {6, 0});
  bench.engine().message(client->peer, "3");
  bench.advance(Milliseconds(10'000));
  EXPECT_EQ(bench.sessions.records.at(pid).proven, (StreamOffset{5, 0})) << "b came behind the ping";
}

TEST_F(StreamRecoveryTest, WhoLeavesIsForgotten) {
  const auto client = connected();
  client->send("1");
  EXPECT_EQ(bench.sessions.log.back(), "remove " + sid);
  EXPECT_THAT(bench.sessions.connected, IsEmpty());
}

// --- coming back ---

TEST_F(StreamRecoveryTest, WhoComesBackGetsWhatItMissedAndIsItself) {
  connected()->hang_up(false);
  const std::string id = sid;
  SessionRecord& record = bench.sessions.records.at(pid);
  record.rooms.emplace_back("r");
  record.data = Object{{"kept", true}};
  bench.sessions.history->events = {engineio::make_text_frames("4" + event("missed", "0000000000006-000000"))};
  bench.sessions.history->upto = {7, 0};
  const auto client = coming_back("0000000000005-000000");
  const auto got = packets(*client);
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_EQ(got[0], event("missed", "0000000000006-000000"));
  EXPECT_EQ(got[1], "0{\"sid\":\"" + id + "\",\"pid\":\"" + pid + "\"}");
  EXPECT_EQ(bench.sessions.asked_from, (StreamOffset{5, 0}));
  EXPECT_TRUE(last->recovered());
  EXPECT_THAT(last->rooms(), ElementsAre(id, "r"));
  EXPECT_EQ(last->data(), Value(Object{{"kept", true}}));
  hear("r", {8, 0}, {"r"});
  EXPECT_THAT(packets(*client), ElementsAre(event("r", "0000000000008-000000")));
  EXPECT_EQ(bench.core().stats().recovered.value(), 1U);
}

TEST_F(StreamRecoveryTest, WhatComesMeanwhileIsNeitherLostNorTwice) {
  connected()->hang_up(false);
  bench.sessions.is_slow = true;
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  ASSERT_TRUE(bench.sessions.answer);
  hear("in the history", {6, 0});
  bench.root().everyone().emit("own, in the history");
  bench.root().everyone().emit("own, behind");
  read_back(bench.node.broadcasts.at(0), {7, 0});
  hear("behind", {8, 0});
  EXPECT_THAT(packets(*client), IsEmpty());
  bench.sessions.history->events = {engineio::make_text_frames("42[\"history\"]")};
  bench.sessions.history->upto = {7, 0};
  bench.sessions.answer();
  const auto got = packets(*client);
  ASSERT_THAT(got, SizeIs(3));
  EXPECT_EQ(got[0], "2[\"history\"]");
  EXPECT_THAT(got[1], HasSubstr(pid));
  EXPECT_EQ(got[2], event("behind", "0000000000008-000000"));
  hear("in the history, later", {7, 0});  // the mail was slower
  EXPECT_THAT(packets(*client), IsEmpty());
  read_back(bench.node.broadcasts.at(1), {9, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("own, behind", "0000000000009-000000")));
}

TEST_F(StreamRecoveryTest, AnIdleClientComesBackFromWhatWasProven) {
  connected()->hang_up(false);
  bench.sessions.records.at(pid).proven = {9, 0};
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  EXPECT_EQ(bench.sessions.asked_from, (StreamOffset{9, 0}));
  EXPECT_TRUE(last->recovered());
  client->hang_up(false);
  const auto silent = coming_back();  // has had no event at all
  bench.turn();
  EXPECT_TRUE(last->recovered());
}

TEST_F(StreamRecoveryTest, AHistoryThatIsGoneMakesANewSocket) {
  connected()->hang_up(false);
  const std::string id = sid;
  bench.sessions.history.reset();
  const auto client = coming_back("0000000000005-000000");
  const auto got = packets(*client);
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_TRUE(got[0].starts_with("0{\"sid\":\""));
  EXPECT_EQ(got[0].find(id), std::string::npos);
  EXPECT_EQ(got[0].find(pid), std::string::npos);
  EXPECT_FALSE(last->recovered());
  EXPECT_FALSE(bench.sessions.records.contains(pid));
  bench.root().everyone().emit("a");
  read_back(bench.node.broadcasts.back(), {9, 0});
  EXPECT_THAT(packets(*client), ElementsAre(event("a", "0000000000009-000000")));
}

TEST_F(StreamRecoveryTest, OnlyItsOwnIdentityGetsASession) {
  connected(R"({"user":"alice"})")->hang_up(false);
  const auto thief = coming_back("0000000000005-000000", "mallory");
  bench.turn();
  EXPECT_FALSE(last->recovered());
  EXPECT_TRUE(bench.sessions.records.contains(pid)) << "the attempt did not use it up";
  const auto owner = coming_back("0000000000005-000000", "alice");
  bench.turn();
  EXPECT_TRUE(last->recovered());
}

TEST_F(StreamRecoveryTest, NothingIsReplayedBeforeTheMiddlewareAgrees) {
  connected()->hang_up(false);
  bench.sessions.history->events = {engineio::make_text_frames("42[\"secret\"]")};
  refuses = true;
  const auto client = coming_back("0000000000005-000000");
  EXPECT_THAT(packets(*client), ElementsAre(R"(4{"message":"no"})"));
  EXPECT_TRUE(bench.sessions.records.contains(pid));
}

TEST_F(StreamRecoveryTest, WhoIsRefusedTakesNothingFromALivingConnection) {
  const auto living = connected();
  refuses = true;
  const auto thief = coming_back("0000000000005-000000");
  EXPECT_THAT(packets(*thief), SizeIs(1));
  bench.root().to(sid).emit("a");
  read_back(bench.node.broadcasts.back(), {9, 0});
  EXPECT_THAT(packets(*living), ElementsAre(event("a", "0000000000009-000000")));
}

TEST_F(StreamRecoveryTest, ALivingConnectionGivesWay) {
  const auto old = connected();
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  EXPECT_FALSE(old->open());
  EXPECT_TRUE(last->recovered());
  EXPECT_EQ(last->id(), sid);
  for (const std::string& entry : bench.sessions.log)
    EXPECT_EQ(entry.find("lost"), std::string::npos) << "not its any more";
}

TEST_F(StreamRecoveryTest, WhoeverIsFasterGetsTheSession) {
  connected()->hang_up(false);
  bench.sessions.is_taken = true;
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  EXPECT_FALSE(last->recovered());
  EXPECT_NE(last->id(), sid);
}

TEST_F(StreamRecoveryTest, AConnectionThatBreaksMeanwhileLeavesTheRecord) {
  connected()->hang_up(false);
  bench.sessions.is_slow = true;
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  client->hang_up(false);
  bench.sessions.answer();
  bench.turn();
  EXPECT_TRUE(bench.sessions.records.contains(pid));
  bench.sessions.is_slow = false;
  const auto again = coming_back("0000000000005-000000");
  bench.turn();
  EXPECT_TRUE(last->recovered());
}

TEST_F(StreamRecoveryTest, WhoIsCatchingUpIsNoSocketYet) {
  connected()->hang_up(false);
  bench.sessions.is_slow = true;
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  bench.root().disconnect_sockets();
  bench.turn();
  EXPECT_TRUE(client->open());
  bench.sessions.answer();
  bench.turn();
  EXPECT_TRUE(last->recovered());
}

TEST_F(StreamRecoveryTest, WhoHasTakenTheSessionLastGetsIt) {
  connected()->hang_up(false);
  bench.sessions.is_slow = true;
  const auto first = coming_back("0000000000005-000000");
  bench.turn();
  const auto second = coming_back("0000000000005-000000");
  bench.turn();
  EXPECT_THAT(packets(*first), ElementsAre(HasSubstr("0{\"sid\":"))) << "another socket";
  EXPECT_FALSE(last->recovered());
  bench.sessions.answer();
  bench.turn();
  EXPECT_TRUE(last->recovered());
  EXPECT_EQ(last->id(), sid);
  EXPECT_TRUE(first->open());
  EXPECT_TRUE(bench.sessions.records.contains(pid));
}

TEST_F(StreamRecoveryTest, WhatComesMeanwhileIsLimited) {
  connected()->hang_up(false);
  bench.sessions.is_slow = true;
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  const std::string name(10'000, 'x');
  for (std::uint64_t i = 0; i < 200; ++i) hear(name.c_str(), {10, i});
  bench.sessions.answer();
  bench.turn();
  EXPECT_TRUE(client->open());
  EXPECT_FALSE(last->recovered());
  EXPECT_FALSE(bench.sessions.records.contains(pid));
}

// What lies in Redis may have been written by anybody.
TEST_F(StreamRecoveryTest, ASessionWithTheIdOfAnotherSocketIsNone) {
  connected()->hang_up(false);
  TestClient other(bench);
  const std::string taken = bench.sessions.records.at(pid).sid = other.connect();
  const auto client = coming_back("0000000000005-000000");
  bench.turn();
  EXPECT_FALSE(last->recovered());
  EXPECT_NE(last->id(), taken);
  bench.root().to(taken).emit("a");
  read_back(bench.node.broadcasts.back(), {9, 0});
  EXPECT_THAT(packets(other), ElementsAre(event("a", "0000000000009-000000")));
}

TEST_F(StreamRecoveryTest, OddAttemptsGetANewSocket) {
  for (const char* auth : {R"({"pid":7})", R"({"pid":""})", R"({"pid":"x","offset":7})", R"({"pid":"x","offset":"no"})",
                           R"({"pid":"unknown","offset":"1-0"})", R"({"offset":"1-0"})"}) {
    TestClient client(bench);
    client.send("0" + std::string(auth));
    const auto got = packets(client);
    ASSERT_THAT(got, SizeIs(1)) << auth;
    EXPECT_TRUE(got[0].starts_with("0{\"sid\"")) << auth;
    EXPECT_FALSE(last->recovered());
  }
  TestClient client(bench);
  client.send("0{\"pid\":\"" + std::string(1'000, 'x') + "\"}");
  EXPECT_THAT(packets(client), SizeIs(1));
}

}  // namespace
}  // namespace carillon::socketio
