// To many at once: rooms, except, local, volatile.
#include "socketio/broadcast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BroadcastTest : public ::testing::Test {
 protected:
  // Four clients: a, b, c and d.
  BroadcastTest() {
    bench.of("/other");
    bench.root().on_connection([this](Socket& socket) { sockets.push_back(&socket); });
    for (int i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<TestClient>(bench));
      ids.push_back(clients.back()->connect());
    }
  }
  // Who has got something, in which number: "a2 c1".
  std::string receivers() {
    bench.turn();
    std::string result;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::size_t count = clients[i]->take().size();
      if (count > 0)
        result += (result.empty() ? "" : " ") + std::string(1, static_cast<char>('a' + i)) + std::to_string(count);
    }
    return result;
  }

  Bench bench;
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<std::string> ids;
  std::vector<Socket*> sockets;
};

TEST_F(BroadcastTest, GoesToEveryoneInTheNamespace) {
  clients[0]->connect("/other");
  bench.root().emit("x", 1);
  EXPECT_THAT(clients[0]->take(), ElementsAre(R"(2["x",1])"));
  EXPECT_EQ(receivers(), "b1 c1 d1");
  bench.of("/other").emit("x", Binary{"\x01"});
  EXPECT_THAT(clients[0]->take(), ElementsAre(R"(51-/other,["x",{"_placeholder":true,"num":0}])", "b:\x01"));
  EXPECT_EQ(receivers(), "");
  EXPECT_EQ(bench.core().stats().broadcasts.value(), 2U);
  EXPECT_EQ(bench.core().stats().deliveries.value(), 5U);
}

TEST_F(BroadcastTest, GoesToTheMembersOfARoom) {
  sockets[0]->join("r");
  sockets[2]->join("r");
  sockets[2]->join("r");
  bench.root().to("r").emit("x");
  EXPECT_EQ(receivers(), "a1 c1");
  bench.root().in("r").emit("x");
  bench.of("/other").to("r").emit("x");
  bench.root().to("nobody").emit("x");
  EXPECT_EQ(receivers(), "a1 c1");
  sockets[0]->leave("r");
  sockets[0]->leave("r");
  bench.root().to("r").emit("x");
  EXPECT_EQ(receivers(), "c1");
}

TEST_F(BroadcastTest, RoomsAreAUnionAndNobodyGetsItTwice) {
  sockets[0]->join("r");
  sockets[1]->join("r");
  sockets[1]->join("s");
  sockets[2]->join("s");
  bench.root().to("r").to("s").to("r").to(ids[1]).emit("x");
  EXPECT_EQ(receivers(), "a1 b1 c1");
  bench.root().to(std::vector<std::string>{"s", "r", "none"}).emit("x");
  EXPECT_EQ(receivers(), "a1 b1 c1");
}

TEST_F(BroadcastTest, LeavesOutTheMembersOfExceptedRooms) {
  sockets[0]->join("r");
  sockets[1]->join("r");
  sockets[1]->join("s");
  bench.root().to("r").except("s").emit("x");
  EXPECT_EQ(receivers(), "a1");
  bench.root().except("s").emit("x");
  EXPECT_EQ(receivers(), "a1 c1 d1");
  bench.root().except(ids[0]).except(std::vector<std::string>{"s", "none"}).emit("x");
  EXPECT_EQ(receivers(), "c1 d1");
  bench.root().to("r").except("r").emit("x");
  EXPECT_EQ(receivers(), "");
}

TEST_F(BroadcastTest, ASocketsIdIsARoom) {
  bench.root().to(ids[1]).emit("x");
  EXPECT_EQ(receivers(), "b1");
  sockets[0]->to(ids[1]).emit("x");
  EXPECT_EQ(receivers(), "b1");
  sockets[0]->to(ids[0]).emit("x");
  EXPECT_EQ(receivers(), "") << "except its own";
  bench.root().to("no such id").emit("x");
  EXPECT_EQ(receivers(), "");
}

TEST_F(BroadcastTest, OthersMayJoinTheRoomOfAnId) {
  sockets[0]->join(ids[1]);
  EXPECT_THAT(sockets[0]->rooms(), ElementsAre(ids[0], ids[1]));
  bench.root().to(ids[1]).emit("x");
  EXPECT_EQ(receivers(), "a1 b1");
  sockets[1]->join(ids[1]);
  EXPECT_THAT(sockets[1]->rooms(), ElementsAre(ids[1]));
  clients[1]->hang_up();
  bench.root().to(ids[1]).emit("x");
  EXPECT_EQ(receivers(), "a1");
}

TEST_F(BroadcastTest, ASocketsBroadcastLeavesOutItself) {
  sockets[0]->join("r");
  sockets[1]->join("r");
  sockets[0]->broadcast().emit("x");
  EXPECT_EQ(receivers(), "b1 c1 d1");
  sockets[0]->to("r").emit("x");
  EXPECT_EQ(receivers(), "b1");
  sockets[2]->in("r").emit("x");
  EXPECT_EQ(receivers(), "a1 b1");
  sockets[2]->except("r").emit("x");
  EXPECT_EQ(receivers(), "d1");
}

TEST_F(BroadcastTest, AVolatileOneIsDroppedForThoseWhoAreBusy) {
  clients[1]->peer.backlog = 1;
  bench.root().volatile_().emit("x");
  EXPECT_EQ(receivers(), "a1 c1 d1");
  EXPECT_EQ(bench.core().stats().deliveries.value(), 3U);
  bench.root().emit("x");
  EXPECT_EQ(receivers(), "a1 b1 c1 d1");
}

TEST_F(BroadcastTest, FlagsAndArgumentsAreThereForAdapters) {
  bench.root().local().volatile_().compress(false).to("r").except("s").emit("x", 1, Binary{"b"});
  const Broadcast& message = *bench.node.broadcasts.back();
  EXPECT_TRUE(message.flags.local);
  EXPECT_TRUE(message.flags.is_volatile);
  EXPECT_FALSE(message.flags.compress);
  EXPECT_EQ(message.name_space, "/");
  EXPECT_THAT(message.rooms, ElementsAre("r"));
  EXPECT_THAT(message.except, ElementsAre("s"));
  EXPECT_EQ(message.event, "x");
  EXPECT_EQ(message.args.text(), R"(1,{"_placeholder":true,"num":0})");
  EXPECT_THAT(message.args.attachments(), ElementsAre(Binary{"b"}));
  bench.root().emit("x");
  EXPECT_FALSE(bench.node.broadcasts.back()->flags.local);
}

TEST_F(BroadcastTest, AnOperatorIsAValue) {
  const BroadcastOperator base = bench.root().to("r");
  base.to("s").except("t").emit("x");
  base.emit("x");
  EXPECT_THAT(bench.node.broadcasts[0]->rooms, ElementsAre("r", "s"));
  EXPECT_THAT(bench.node.broadcasts[1]->rooms, ElementsAre("r"));
  EXPECT_THAT(bench.node.broadcasts[1]->except, IsEmpty());
}

TEST_F(BroadcastTest, ReservedNamesAreRefused) {
  EXPECT_THROW(bench.root().emit("connect"), std::invalid_argument);
  EXPECT_TRUE(bench.node.broadcasts.empty());
}

TEST_F(BroadcastTest, TextThatIsNoUtf8IsRefusedAndBinaryIsNot) {
  EXPECT_THROW(bench.root().emit("caf\xe9"), std::invalid_argument);
  EXPECT_THROW(bench.root().emit("x", Object{{"deep", Array{"caf\xe9"}}}), std::invalid_argument);
  EXPECT_THROW(bench.root().emit("x", Object{{"caf\xe9", 1}}), std::invalid_argument);
  EXPECT_THROW(bench.root().emit_with_ack("x", make_args("\xed\xa0\x80"), nullptr), std::invalid_argument);
  EXPECT_EQ(receivers(), "");
  bench.root().emit("café", "\xf0\x9d\x84\x9e", Binary{"caf\xe9"});
  EXPECT_EQ(receivers(), "a2 b2 c2 d2");
}

TEST_F(BroadcastTest, ArgumentsOfAnEventCanBeForwarded) {
  sockets[0]->on("chat", [this](const Args& args) { sockets[0]->broadcast().emit("chat", args); });
  clients[0]->send(R"(51-["chat",{"_placeholder":true,"num":0},"\ud800"])");
  clients[0]->attach("\x01");
  clients[0]->send(R"(2["chat","\ud800"])");
  const auto got = clients[1]->take();
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1], "b:\x01");
  EXPECT_EQ(got[2], R"(2["chat","\ud800"])");
}

TEST_F(BroadcastTest, MayComeFromAnyThread) {
  std::thread([this] { bench.root().to(ids[2]).emit("x"); }).join();
  EXPECT_THAT(clients[2]->take(), IsEmpty());
  EXPECT_EQ(receivers(), "c1");
}

TEST_F(BroadcastTest, FromAConnectionHandlerItReachesTheNewSocketBehindItsConnect) {
  Bench own;
  own.root().on_connection([&](Socket& socket) {
    own.root().emit("joined", socket.id());
    socket.join("r");
    own.root().to("r").emit("room");
    socket.emit("direct");
  });
  TestClient client(own);
  const std::string id = client.connect();
  EXPECT_THAT(client.take(), ElementsAre(R"(2["joined",")" + id + R"("])", R"(2["room"])", R"(2["direct"])"));
}

TEST_F(BroadcastTest, KeepsItsPlaceAmongOtherMessages) {
  sockets[0]->join("r");
  bench.root().to("r").emit("1");
  sockets[0]->emit("2");
  bench.root().emit("3");
  EXPECT_THAT(clients[0]->take(), ElementsAre(R"(2["1"])", R"(2["2"])", R"(2["3"])"));
}

TEST_F(BroadcastTest, ForANamespaceThatIsNotHereIsIgnored) {
  Broadcast message;
  message.name_space = "/elsewhere";
  message.frames = encode_event({}, "/elsewhere", "x", make_args());
  bench.core().deliver(message);
  EXPECT_EQ(receivers(), "");
}

}  // namespace
}  // namespace carillon::socketio
