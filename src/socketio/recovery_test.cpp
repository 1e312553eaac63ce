// Connection state recovery: who comes back gets what was missed, once and in order, and nobody else's.
#include "socketio/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

// A client that keeps its pid and the offset of its last event, as the published one does.
class ReturningClient {
 public:
  explicit ReturningClient(Bench& bench) : bench_(bench) { dial(); }
  ~ReturningClient() {
    if (client) lose();
  }

  // Connects, with what it knows from before; gives the events that it gets, without their offsets: "a 1", and before
  // them those that came before the CONNECT.
  std::vector<std::string> connect(Object auth = {}) {
    if (!pid.empty()) {
      auth.set("pid", pid);
      if (!offset.empty()) auth.set("offset", offset);
    }
    client->send("0" + (name_space == "/" ? "" : name_space + ",") + to_json(auth));
    return events();
  }
  std::vector<std::string> events() {
    bench_.turn();
    std::vector<std::string> names;
    for (const std::string& packet : client->take()) {
      const std::string head = name_space == "/" ? "" : name_space + ",";
      if (packet.starts_with("0" + head)) {
        const Value body = *parse_json(packet.substr(1 + head.size()));
        sid = *body.find("sid")->as_string();
        recovered = *body.find("pid")->as_string() == pid;
        pid = *body.find("pid")->as_string();
        connected = true;
      } else if (packet.starts_with("2" + head + "[")) {
        names.push_back(take_event(packet.substr(1 + head.size())));
      } else if (packet != "2") {  // a ping
        names.push_back(packet);
      }
    }
    return names;
  }
  // The connection is lost, and the server notices.
  void lose() { client->hang_up(false); }
  void dial() {
    client = std::make_unique<TestClient>(bench_);
    connected = recovered = false;
  }
  std::vector<std::string> come_back(Object auth = {}) {
    dial();
    return connect(std::move(auth));
  }

  std::string name_space = "/";
  std::string sid;
  std::string pid;
  std::string offset;
  bool recovered = false;
  bool connected = false;
  std::unique_ptr<TestClient> client;

 private:
  std::string take_event(const std::string& json) {
    const Value data = *parse_json(json);
    const Array& values = *data.as_array();
    std::string text = *values[0].as_string();
    for (std::size_t i = 1; i + 1 < values.size(); ++i) text += " " + to_json(values[i]);
    if (const std::string* last = values.back().as_string(); last != nullptr && values.size() > 1) offset = *last;
    return text;
  }
  Bench& bench_;
};

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() {
    bench.recovers = true;
    bench.of("/other");
    bench.root().use([this](Socket& socket, const Next& next) {
      if (const auto user = socket.handshake().auth("user")) socket.set_identity(*user);
      if (const auto user = socket.handshake().auth("user"); user == "banned") return next({"go away", nullptr});
      socket.join("everybody");
      next();
    });
    bench.root().on_connection([this](Socket& socket) {
      sockets.push_back(&socket);
      recovered.push_back(socket.recovered());
      socket.on_disconnect([this](DisconnectReason reason) { ends.emplace_back(to_string(reason)); });
      socket.on("join", [&socket](const Args& args) { socket.join(*args[0].as_string()); });
      socket.on("leave", [&socket](const Args& args) { socket.leave(*args[0].as_string()); });
    });
  }
  ~RecoveryTest() override {
    bench.turn();
    bench.advance(Milliseconds(600'000));
    bench.turn();
    bench.expect_empty();
    EXPECT_EQ(bench.store().stored_count(), 0U);
    EXPECT_EQ(bench.log().bytes(), 0U);
    EXPECT_EQ(bench.budget->bytes(), 0U);
  }

  Bench bench;
  std::vector<Socket*> sockets;
  std::vector<bool> recovered;
  std::vector<std::string> ends;
};

TEST_F(RecoveryTest, ComesBackAsTheSameSocketWithWhatItMissedBeforeItsConnect) {
  ReturningClient client(bench);
  EXPECT_THAT(client.connect(), IsEmpty());
  const std::string sid = client.sid;
  client.client->send(R"(2["join","news"])");
  bench.root().emit("a", 1);
  EXPECT_THAT(client.events(), ElementsAre("a 1"));
  client.lose();
  bench.root().emit("b", 2);
  bench.root().to("news").emit("c", 3);
  bench.root().to("elsewhere").emit("not mine");
  bench.root().to(sid).emit("d", 4);
  bench.root().except("news").emit("not mine either");
  bench.of("/other").emit("nor this");

  client.dial();
  client.client->send("0" + to_json(Object{{"pid", client.pid}, {"offset", client.offset}}));
  const auto packets = client.client->take();
  ASSERT_EQ(packets.size(), 4U);
  EXPECT_THAT(packets[0], MatchesRegex(R"(2\["b",2,"[0-9a-z]{10}"\])"));
  EXPECT_THAT(packets[3], ::testing::StartsWith("0{\"sid\":\"" + sid + "\",\"pid\":\"" + client.pid + "\""));
  EXPECT_THAT(recovered, ElementsAre(false, true));
  EXPECT_THAT(sockets.back()->rooms(), ::testing::UnorderedElementsAre(sid, "everybody", "news"));
  EXPECT_EQ(bench.core().stats().recovered.value(), 1U);
  bench.root().to("news").emit("live");
  EXPECT_THAT(client.events(), ElementsAre("live"));
}

TEST_F(RecoveryTest, BringsItsDataWhichTheMiddlewareMayChange) {
  bench.root().use([](Socket& socket, const Next& next) {
    if (const auto token = socket.handshake().auth("token"))
      *std::get_if<Object>(&socket.data().storage()) = {{"token", *token}};
    next();
  });
  ReturningClient client(bench);
  client.connect(Object{{"token", "first"}});
  std::get_if<Object>(&sockets[0]->data().storage())->set("cart", Array{1, 2});
  client.lose();
  client.come_back(Object{{"token", "second"}});
  EXPECT_TRUE(client.recovered);
  EXPECT_EQ(*sockets.back()->data().find("cart"), Value(Array{1, 2}));
  EXPECT_EQ(*sockets.back()->data().find("token"), Value("second"));
  sockets.back()->data() = "no object";
  client.lose();
  client.come_back();
  EXPECT_EQ(sockets.back()->data(), Value("no object"));
}

TEST_F(RecoveryTest, WhatACatchAllHandlerBroadcastsComesBehindWhatItHeardOf) {
  ReturningClient client(bench);
  client.connect();
  sockets[0]->on_any_outgoing([this](std::string_view event, const Args&) {
    if (event == "a") bench.root().emit("said of a");
  });
  bench.root().emit("a");
  bench.root().emit("b");
  EXPECT_THAT(client.events(), ElementsAre("a", "said of a", "b"));
  client.lose();
  EXPECT_THAT(client.come_back(), IsEmpty());
  EXPECT_TRUE(client.recovered);
}

TEST_F(RecoveryTest, NeedsNoEventToHaveBeenSent) {
  ReturningClient client(bench);
  client.connect();
  client.lose();
  EXPECT_THAT(client.come_back(), IsEmpty());
  EXPECT_TRUE(client.recovered);
  client.lose();
  bench.root().emit("first");
  EXPECT_THAT(client.come_back(), ElementsAre("first"));
  EXPECT_TRUE(client.recovered);
}

TEST_F(RecoveryTest, KeepsTheOrderOfBroadcastsAndOwnEvents) {
  ReturningClient client(bench);
  client.connect();
  for (int i = 0; i < 3; ++i) {
    sockets[0]->emit("own", i);
    bench.root().emit("all", i);
  }
  const auto all = client.events();
  ASSERT_EQ(all.size(), 6U);
  // Whatever was the last thing that it has got: exactly the rest comes.
  for (std::size_t had = 0; had < all.size(); ++had) {
    ReturningClient other(bench);
    other.connect();
    for (int i = 0; i < 3; ++i) {
      sockets.back()->emit("own", i);
      bench.root().emit("all", i);
    }
    bench.turn();
    std::vector<std::string> offsets;
    for (const std::string& packet : other.client->take())
      offsets.push_back(packet.substr(packet.rfind(",\"") + 2, packet.size() - packet.rfind(",\"") - 4));
    ASSERT_EQ(offsets.size(), 6U);
    other.offset = had == 0 ? "" : offsets[had - 1];
    other.lose();
    const std::vector<std::string> rest(all.begin() + static_cast<std::ptrdiff_t>(had), all.end());
    EXPECT_EQ(other.come_back(), rest) << "after " << had;
    EXPECT_TRUE(other.recovered);
  }
}

TEST_F(RecoveryTest, VolatileAndAcknowledgedEventsDoNotComeBackAndPoisonNothing) {
  ReturningClient client(bench);
  client.connect();
  sockets[0]->emit("own", 1);
  sockets[0]->emit_volatile("gone", make_args("a text at the end"));
  bench.root().volatile_().emit("gone too", "another text");
  EXPECT_THAT(client.events(), ElementsAre("own 1", R"(gone "a text at the end")", R"(gone too "another text")"));
  client.lose();
  bench.root().volatile_().emit("never again");
  bench.root().emit("b");
  EXPECT_THAT(client.come_back(), ElementsAre("b"));
  EXPECT_TRUE(client.recovered);
  int answers = 0;
  sockets.back()->emit_with_ack("asked", make_args("x"), [&](const AckResult& result) { answers += result ? 1 : 100; });
  EXPECT_EQ(client.client->take(), std::vector<std::string>{R"(20["asked","x"])"});
  client.lose();
  EXPECT_EQ(answers, 100);
  EXPECT_THAT(client.come_back(), IsEmpty());
  EXPECT_TRUE(client.recovered);
}

TEST_F(RecoveryTest, AuthenticatesBeforeItReplaysAndARefusedAttemptUsesNothingUp) {
  ReturningClient client(bench);
  client.connect({{"user", "ann"}});
  client.lose();
  bench.root().emit("secret");
  EXPECT_THAT(client.come_back({{"user", "banned"}}), ElementsAre(R"(4{"message":"go away"})"));
  client.lose();
  EXPECT_THAT(client.come_back({{"user", "ann"}}), ElementsAre("secret"));
  EXPECT_TRUE(client.recovered);
}

TEST_F(RecoveryTest, ARefusedAttemptTakesNothingFromAConnectionThatIsAlive) {
  ReturningClient client(bench);
  client.connect({{"user", "ann"}});
  ReturningClient thief(bench);
  thief.pid = client.pid;
  EXPECT_THAT(thief.connect({{"user", "banned"}}), ElementsAre(R"(4{"message":"go away"})"));
  bench.root().to(client.sid).emit("still reachable");
  EXPECT_THAT(client.events(), ElementsAre("still reachable"));
}

TEST_F(RecoveryTest, AnotherIdentityGetsANewSocketAndTheSessionStays) {
  ReturningClient client(bench);
  client.connect({{"user", "ann"}});
  const auto [sid, pid] = std::pair(client.sid, client.pid);
  client.lose();
  bench.root().emit("secret");
  EXPECT_THAT(client.come_back({{"user", "eve"}}), IsEmpty());
  EXPECT_FALSE(client.recovered);
  EXPECT_NE(client.sid, sid);
  EXPECT_THAT(recovered, ElementsAre(false, false));
  EXPECT_EQ(bench.core().stats().recoveries_failed.value(), 1U);
  ReturningClient ann(bench);
  ann.pid = pid;
  EXPECT_THAT(ann.connect({{"user", "ann"}}), ElementsAre("secret"));
  EXPECT_EQ(ann.sid, sid);
}

TEST_F(RecoveryTest, TakesOverAConnectionThatIsStillBelievedAlive) {
  ReturningClient client(bench);
  client.connect();
  const std::string sid = client.sid;
  client.client->send(R"(2["join","news"])");
  TestClient& half_open = *client.client;
  const std::unique_ptr<TestClient> old = std::move(client.client);
  bench.root().to("news").emit("lost on the way");
  sockets[0]->emit("lost too");
  EXPECT_THAT(client.come_back(), ElementsAre("lost on the way", "lost too"));
  EXPECT_TRUE(client.recovered);
  EXPECT_EQ(client.sid, sid);
  EXPECT_THAT(ends, ElementsAre("transport close"));
  bench.turn();
  EXPECT_FALSE(half_open.open());
  bench.root().to("news").emit("live");
  EXPECT_THAT(client.events(), ElementsAre("live"));
}

TEST_F(RecoveryTest, WhatWasSentBeforeAProvenPingIsNotKeptNorSentAgain) {
  ReturningClient client(bench);
  client.connect();
  sockets[0]->emit("own");
  bench.root().emit("all");
  bench.advance(bench.engine_options.ping_interval);
  bench.engine().message(client.client->peer, "3");
  bench.root().emit("after");
  client.lose();
  client.offset.clear();  // as if its application had seen none of them: its engine has answered the ping behind them
  EXPECT_THAT(client.come_back(), ElementsAre("after"));
  EXPECT_TRUE(client.recovered);
}

TEST_F(RecoveryTest, AnUnaskedPongProvesNothing) {
  ReturningClient client(bench);
  client.connect();
  bench.root().emit("a");
  bench.engine().message(client.client->peer, "3");
  client.lose();
  EXPECT_THAT(client.come_back(), ElementsAre("a"));
}

TEST_F(RecoveryTest, RoomsCountAsTheyWereWhenTheEventWasSent) {
  ReturningClient client(bench);
  client.connect();
  const std::unique_ptr<TestClient> old = std::move(client.client);  // half-open from here on
  bench.root().to("early").emit("before it joined");
  old->send(R"(2["join","early"])");
  bench.root().to("early").emit("while it was there");
  old->send(R"(2["leave","early"])");
  bench.root().to("early").emit("when it had left");
  EXPECT_THAT(client.come_back(), ElementsAre("while it was there"));
}

TEST_F(RecoveryTest, ComesBackAgainAndAgain) {
  ReturningClient client(bench);
  client.connect();
  for (int i = 0; i < 5; ++i) {
    client.lose();
    bench.root().emit("all", i);
    bench.root().to(client.sid).emit("mine", i);
    EXPECT_THAT(client.come_back(), ElementsAre("all " + std::to_string(i), "mine " + std::to_string(i)));
    EXPECT_TRUE(client.recovered);
    sockets.back()->emit("own", i);
    EXPECT_THAT(client.events(), ElementsAre("own " + std::to_string(i)));
  }
}

TEST_F(RecoveryTest, ASessionThatWasLeftOnPurposeIsOver) {
  ReturningClient client(bench);
  client.connect();
  client.client->send("1");
  client.lose();
  client.come_back();
  EXPECT_FALSE(client.recovered);
  sockets.back()->disconnect();
  client.come_back();
  EXPECT_FALSE(client.recovered);
}

TEST_F(RecoveryTest, UnknownOrForeignCredentialsGiveANewSocket) {
  ReturningClient client(bench);
  client.connect();
  bench.root().emit("a");
  client.events();
  const std::string pid = client.pid;
  const std::string good = client.offset;
  client.lose();
  for (const Object& auth :
       {Object{{"pid", "unknown"}, {"offset", good}}, Object{{"pid", 1}, {"offset", good}},
        Object{{"pid", pid}, {"offset", 5}}, Object{{"pid", pid}, {"offset", ""}},
        Object{{"pid", pid}, {"offset", nullptr}}, Object{{"pid", pid}, {"offset", "0123456789-"}}}) {
    TestClient other(bench);
    other.send("0" + to_json(auth));
    const auto packets = other.take();
    ASSERT_EQ(packets.size(), 1U);
    EXPECT_TRUE(packets[0].starts_with("0{")) << packets[0];
    EXPECT_EQ(packets[0].find(client.sid), std::string::npos) << to_json(auth);
    other.hang_up();
  }
  TestClient elsewhere(bench);  // another namespace
  elsewhere.send("0/other," + to_json(Object{{"pid", pid}, {"offset", good}}));
  EXPECT_EQ(elsewhere.take().at(0).find(client.sid), std::string::npos);
  elsewhere.hang_up();
  // None of it has used the session up.
  client.come_back();
  EXPECT_TRUE(client.recovered);
  // An offset that was never given.
  client.lose();
  client.offset = "00000zzzzz";
  client.come_back();
  EXPECT_FALSE(client.recovered);
}

TEST_F(RecoveryTest, IsOverAfterItsTime) {
  ReturningClient client(bench);
  client.connect();
  client.lose();
  bench.advance(Milliseconds(126'000));
  EXPECT_EQ(bench.store().stored_count(), 0U);
  client.come_back();
  EXPECT_FALSE(client.recovered);
}

TEST_F(RecoveryTest, AClientThatHadNoEventForHoursIsRecovered) {
  ReturningClient client(bench);
  client.connect();
  bench.root().emit("old");
  client.events();
  for (int i = 0; i < 300; ++i) {
    bench.advance(bench.engine_options.ping_interval);
    bench.engine().message(client.client->peer, "3");
    bench.root().to("others").emit("x");
  }
  client.events();
  client.lose();
  bench.root().emit("new");
  EXPECT_THAT(client.come_back(), ElementsAre("new"));
  EXPECT_TRUE(client.recovered);
}

TEST_F(RecoveryTest, BeyondItsLimitsItSaysSo) {
  bench.recovery_rules.session_bytes_max = 2'000;
  ReturningClient client(bench);
  client.connect();
  for (int i = 0; i < 100; ++i) sockets[0]->emit("own", std::string(50, 'x'));
  client.offset.clear();
  client.lose();
  client.come_back();
  EXPECT_FALSE(client.recovered);

  client.lose();
  for (int i = 0; i < 5'000; ++i) bench.root().to("others").emit("fill", std::string(500, 'x'));
  client.come_back();
  EXPECT_FALSE(client.recovered);
}

TEST_F(RecoveryTest, AllTogetherKeepNoMoreThanTheirBudget) {
  bench.budget_bytes_max = 10'000;
  ReturningClient greedy(bench);
  ReturningClient modest(bench);
  greedy.connect();
  modest.connect();
  sockets[1]->emit("mine", 1);
  for (int i = 0; i < 100; ++i) {
    sockets[0]->emit("own", std::string(500, 'x'));
    EXPECT_LE(bench.budget->bytes(), 10'000U);
  }
  modest.lose();
  EXPECT_THAT(modest.come_back(), ElementsAre("mine 1"));
  EXPECT_TRUE(modest.recovered);
  greedy.lose();
  greedy.come_back();
  EXPECT_FALSE(greedy.recovered);
  // Who has got all of it is recovered all the same.
  ReturningClient happy(bench);
  happy.connect();
  for (int i = 0; i < 100; ++i) sockets.back()->emit("own", std::string(500, 'x'));
  EXPECT_EQ(happy.events().size(), 100U);
  happy.lose();
  EXPECT_THAT(happy.come_back(), IsEmpty());
  EXPECT_TRUE(happy.recovered);
}

TEST_F(RecoveryTest, AGapInTheClusterEndsTheHopeOfThoseWhoLackSomething) {
  ReturningClient client(bench);
  client.connect();
  bench.root().emit("a");
  client.lose();
  bench.log().note_gap();
  client.come_back();
  EXPECT_FALSE(client.recovered);
}

TEST_F(RecoveryTest, ItsRoomsStayOpenInTheClusterWhileItIsAway) {
  bench.clustered = true;
  ReturningClient client(bench);
  client.connect();
  client.client->send(R"(2["join","news"])");
  const auto open = bench.cluster.rooms;
  EXPECT_EQ(open.size(), 3U);
  client.lose();
  bench.turn();
  EXPECT_EQ(bench.cluster.rooms, open);
  client.come_back();
  EXPECT_TRUE(client.recovered);
  bench.turn();
  EXPECT_EQ(bench.cluster.rooms, open);
  client.lose();
  bench.advance(Milliseconds(130'000));
  bench.turn();
  EXPECT_THAT(bench.cluster.rooms, IsEmpty());
}

TEST_F(RecoveryTest, SaysNothingBeforeItsRoomsAreSubscribedAndLosesNothingIfItBreaksThen) {
  bench.clustered = true;
  ReturningClient client(bench);
  client.connect();
  client.lose();
  bench.root().emit("missed");
  bench.cluster.slow = true;
  EXPECT_THAT(client.come_back(), IsEmpty());
  EXPECT_FALSE(client.connected);
  client.lose();
  bench.cluster.slow = false;
  bench.cluster.confirm();
  EXPECT_THAT(client.come_back(), ElementsAre("missed"));
  EXPECT_TRUE(client.recovered);
}

}  // namespace
}  // namespace carillon::socketio
