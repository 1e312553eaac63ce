// What one client may be in, and may owe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <carillon/socket.hpp>

#include "base/log.hpp"
#include "socketio/client.hpp"
#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class LimitsTest : public ::testing::Test {
 protected:
  LimitsTest() { configure_log(LogLevel::off, LogFormat::text); }
  ~LimitsTest() override { configure_log(LogLevel::warn, LogFormat::text); }
  Bench bench;
};

TEST_F(LimitsTest, AClientCannotConnectToMoreNamespaces) {
  bench.options.namespaces_per_client_max = 2;
  for (const char* name : {"/a", "/b", "/c"}) bench.of(name);
  TestClient client(bench);
  client.connect("/a");
  client.connect("/b");
  client.send("0/c,");
  EXPECT_THAT(client.take(), ElementsAre(R"(4/c,{"message":"Too many namespaces"})"));
  EXPECT_EQ(bench.core().stats().namespaces_refused.value(), 1U);
  client.send("1/a,");
  client.connect("/c");
  EXPECT_TRUE(client.open());
}

TEST_F(LimitsTest, ASocketJoinsNoMoreRooms) {
  bench.options.rooms_per_socket_max = 2;
  Socket* socket = nullptr;
  bench.root().on_connection([&](Socket& connected) { socket = &connected; });
  TestClient client(bench);
  const std::string id = client.connect();
  EXPECT_TRUE(socket->join("a"));
  EXPECT_TRUE(socket->join("b"));
  bool done = false;
  EXPECT_FALSE(socket->join("c", [&] { done = true; }));
  EXPECT_FALSE(done);
  EXPECT_TRUE(socket->join("a")) << "it is there already";
  EXPECT_TRUE(socket->join(id)) << "its own room";
  bench.root().sockets_join("d");
  EXPECT_THAT(socket->rooms(), UnorderedElementsAre(id, "a", "b"));
  EXPECT_EQ(bench.core().stats().joins_refused.value(), 2U);
  socket->leave("a");
  EXPECT_TRUE(socket->join("c"));
}

TEST_F(LimitsTest, AClientThatOwesTooManyAcknowledgementsLetsTheOldestGo) {
  bench.options.pending_acks_per_socket_max = 3;
  Socket* socket = nullptr;
  bench.root().on_connection([&](Socket& connected) { socket = &connected; });
  TestClient client(bench);
  client.connect();
  std::vector<std::string> ends;
  const auto ask = [&](const std::string& name) {
    socket->emit_with_ack(
        name, Args(),
        [&ends, name](const AckResult& result) {
          ends.push_back(name + (result ? " answered" : result.error() == AckError::timeout ? " given up" : " gone"));
        },
        std::chrono::milliseconds(0));
  };
  for (const char* name : {"a", "b", "c"}) ask(name);
  client.send("31[]");  // b
  ask("d");
  EXPECT_THAT(ends, ElementsAre("b answered"));
  ask("e");
  ask("f");
  EXPECT_THAT(ends, ElementsAre("b answered", "a given up", "c given up"));
  EXPECT_EQ(bench.core().stats().acks_given_up.value(), 2U);
  EXPECT_EQ(client.take().size(), 6U) << "all events are sent";
  client.send("30[]");
  client.hang_up();
  EXPECT_THAT(ends, UnorderedElementsAre("b answered", "a given up", "c given up", "d gone", "e gone", "f gone"));
}

TEST_F(LimitsTest, APacketWithItsAttachmentsHasASize) {
  bench.options.packet_bytes_max = 1'000;
  TestClient client(bench);
  client.connect();
  const std::string text = R"(52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])";
  client.send(text);
  client.attach(std::string(500, 'a'));
  EXPECT_EQ(bench.core().stats().pending_packet_bytes.value(), static_cast<std::int64_t>(text.size()) + 500);
  client.attach(std::string(400, 'b'));
  EXPECT_TRUE(client.open());
  EXPECT_EQ(bench.core().stats().pending_packet_bytes.value(), 0);
  client.send(text);
  client.attach(std::string(500, 'a'));
  client.attach(std::string(500, 'b'));
  EXPECT_FALSE(client.open());
  EXPECT_EQ(bench.core().stats().parse_errors.value(), 1U);
  EXPECT_EQ(bench.core().stats().pending_packet_bytes.value(), 0);
}

TEST_F(LimitsTest, BeyondTheTotalWhoSendsMoreOfALargePacketIsClosed) {
  bench.options.pending_packet_bytes_total_max = 200'000;
  const std::string text =
      R"(53-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}])";
  TestClient first(bench);
  TestClient second(bench);
  TestClient small(bench);
  for (TestClient* client : {&first, &second, &small}) {
    client->connect();
    client->send(text);
  }
  first.attach(std::string(150'000, 'a'));
  small.attach(std::string(60'000, 'a'));
  EXPECT_TRUE(small.open()) << "small packets go through";
  second.attach(std::string(70'000, 'a'));
  EXPECT_FALSE(second.open());
  EXPECT_TRUE(second.peer.was_cut);
  EXPECT_TRUE(first.open());
  first.hang_up();
  small.hang_up();
  bench.turn();
  EXPECT_EQ(bench.core().stats().pending_packet_bytes.value(), 0);
}

TEST_F(LimitsTest, AcknowledgementsOfNothingAreIgnored) {
  TestClient client(bench);
  client.connect();
  for (int i = 0; i < 1000; ++i) client.send("3" + std::to_string(i) + "[1,2,3]");
  EXPECT_TRUE(client.open());
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_EQ(bench.core().stats().acks_received.value(), 1000U);
}

}  // namespace
}  // namespace carillon::socketio
