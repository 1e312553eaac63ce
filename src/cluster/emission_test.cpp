#include "cluster/emission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "base/json.hpp"

namespace carillon::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Kind = AdapterOptions::Kind;
using OperationKind = socketio::Operation::Kind;

socketio::Broadcast event(std::vector<std::string> rooms = {}) {
  socketio::Broadcast message;
  message.event = "e";
  message.args = make_args(1);
  message.rooms = std::move(rooms);
  return message;
}

socketio::Operation operation(OperationKind kind) {
  socketio::Operation what{.kind = kind};
  what.selection.name_space = "/orders";
  what.selection.rooms = {"r"};
  what.target_rooms = {"t"};
  what.close = true;
  what.event = "hi";
  what.args = make_args(2);
  return what;
}

std::string payload(Kind kind, OperationKind what) {
  return emission_of(EmitterFormat{.kind = kind}, operation(what)).value().payload;
}

// Bytes captured from @socket.io/redis-emitter 5.1.0: emitter.to("room1").emit("e", 1), apart from the order of members.
TEST(EmissionTest, PubSub) {
  const EmitterFormat format;
  const Emission emission = emission_of(format, event({"room1"})).value();
  EXPECT_EQ(emission.place, "socket.io#/#room1#");
  EXPECT_EQ(
      to_hex(emission.payload),
      "93a7656d697474657283a47479706502a46461746192a16501a36e7370a12f83a5726f6f6d7391a5726f6f6d31a665786365707490a5"
      "666c61677380");
  EXPECT_EQ(emission_of(format, operation(OperationKind::join))->place, "socket.io-request#/orders#");
  EXPECT_EQ(payload(Kind::pubsub, OperationKind::join),
            R"({"type":2,"opts":{"rooms":["r"],"except":[]},"rooms":["t"]})");
  EXPECT_EQ(payload(Kind::pubsub, OperationKind::leave),
            R"({"type":3,"opts":{"rooms":["r"],"except":[]},"rooms":["t"]})");
  EXPECT_EQ(payload(Kind::pubsub, OperationKind::disconnect),
            R"({"type":4,"opts":{"rooms":["r"],"except":[]},"close":true})");
  EXPECT_EQ(payload(Kind::pubsub, OperationKind::server_side_emit), R"({"uid":"emitter","type":6,"data":["hi",2]})");
}

TEST(EmissionTest, Sharded) {
  EmitterFormat format{.kind = Kind::sharded, .key = "app"};
  const Emission emission = emission_of(format, event({"r"})).value();
  EXPECT_EQ(emission.place, "app#/#r#");
  EXPECT_EQ(emission.kind, redis::ChannelKind::sharded);
  EXPECT_EQ(
      emission.payload,
      R"({"type":3,"data":{"packet":{"type":2,"data":["e",1]},"opts":{"rooms":["r"],"except":[],"flags":{}}},"uid":"emitter","nsp":"/"})");
  EXPECT_EQ(emission_of(format, event({"a", "b"}))->place, "app#/#");
  format.mode = ShardedMode::static_;
  EXPECT_EQ(emission_of(format, event({"r"}))->place, "app#/#");
  EXPECT_EQ(emission_of(format, operation(OperationKind::disconnect))->place, "app#/orders#");
  EXPECT_EQ(payload(Kind::sharded, OperationKind::server_side_emit),
            R"({"type":9,"data":{"packet":["hi",2]},"uid":"emitter","nsp":"/orders"})");
}

TEST(EmissionTest, Streams) {
  EmitterFormat format{.kind = Kind::streams, .stream_name = "events"};
  Emission emission = emission_of(format, event({"r"})).value();
  EXPECT_EQ(emission.place, "events");
  EXPECT_THAT(emission.payload, IsEmpty());
  EXPECT_THAT(
      emission.entry,
      ElementsAre(
          Pair("uid", "emitter"), Pair("nsp", "/"), Pair("type", "3"),
          Pair("data", R"({"packet":{"type":2,"data":["e",1]},"opts":{"rooms":["r"],"except":[],"flags":{}}})")));
  emission = emission_of(format, operation(OperationKind::server_side_emit)).value();
  EXPECT_THAT(emission.entry, ElementsAre(Pair("uid", "emitter"), Pair("nsp", "/orders"), Pair("type", "9"),
                                          Pair("data", R"({"packet":["hi",2]})")));
  format.stream_count = 4;
  EXPECT_EQ(emission_of(format, operation(OperationKind::join))->place, "events-0");
}

TEST(EmissionTest, WhatIsTooDeepIsNone) {
  std::string deep(json_depth_max + 1, '[');
  deep.append(json_depth_max + 1, ']');
  auto what = operation(OperationKind::server_side_emit);
  what.args = Args(Args::borrow(deep));
  for (const Kind kind : {Kind::pubsub, Kind::sharded, Kind::streams})
    EXPECT_FALSE(emission_of(EmitterFormat{.kind = kind}, what));
}

}  // namespace
}  // namespace carillon::cluster
