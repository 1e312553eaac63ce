// Namespaces that come to be when a client asks for them, and go when nobody is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class DynamicNamespaceTest : public ::testing::Test {
 protected:
  // A parent of all names that begin so.
  Namespace& parent_of(const std::string& prefix) {
    return bench.parent([this, prefix](const std::string& name, const Value&, const NamespaceAllow& allow) {
      asked.push_back(prefix + "? " + name);
      allow(name.starts_with(prefix));
    });
  }
  std::string refusal(const std::string& name, const std::string& message) {
    return "4" + name + R"(,{"message":")" + message + "\"}";
  }

  Bench bench;
  std::vector<std::string> asked;
  std::vector<std::string> log;
};

TEST_F(DynamicNamespaceTest, AChildHasTheMiddlewareAndHandlersOfItsParent) {
  Namespace& parent = parent_of("/a-");
  parent.use([this](Socket& socket, const Next& next) {
    log.push_back("middleware " + socket.name_space());
    if (socket.handshake().auth("refuse")) return next({"not you", nullptr});
    next();
  });
  parent.on_connection([this](Socket& socket) {
    log.push_back("connection " + socket.name_space());
    socket.on("x", [&socket](const Args& args) { socket.emit("x", args); });
  });
  TestClient client(bench);
  client.connect("/a-1");
  client.send(R"(2/a-1,["x",1])");
  EXPECT_THAT(client.take(), ElementsAre(R"(2/a-1,["x",1])"));
  client.send(R"(0/a-2,{"refuse":1})");
  EXPECT_THAT(client.take(), ElementsAre(refusal("/a-2", "not you")));
  EXPECT_THAT(log, ElementsAre("middleware /a-1", "connection /a-1", "middleware /a-2"));
  client.send("0/b-1,");
  EXPECT_THAT(client.take(), ElementsAre(refusal("/b-1", "Invalid namespace")));
  EXPECT_TRUE(client.open());
  client.hang_up();
  bench.turn();
  bench.expect_empty();
}

TEST_F(DynamicNamespaceTest, ParentsAreAskedInOrderAndOnlyAboutWhatIsNotThere) {
  bench.of("/b-fixed");
  parent_of("/a");
  parent_of("/b");
  TestClient client(bench);
  client.connect("/b-1");
  EXPECT_THAT(asked, ElementsAre("/a? /b-1", "/b? /b-1"));
  TestClient other(bench);
  other.connect("/b-1");
  other.connect("/b-fixed");
  other.connect("/");
  EXPECT_EQ(asked.size(), 2U);
}

TEST_F(DynamicNamespaceTest, TheAnswerMayDependOnTheAuthAndComeLaterFromAnyThread) {
  std::optional<NamespaceAllow> held;
  const Value* auth = nullptr;
  const std::string* name = nullptr;
  bench.parent([&](const std::string& asked_for, const Value& given, NamespaceAllow allow) {
    name = &asked_for;
    auth = &given;
    held = std::move(allow);
  });
  TestClient client(bench);
  client.send(R"(0/later,{"token":"secret"})");
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_EQ(*name, "/later");
  EXPECT_EQ(*auth->find("token"), Value("secret"));
  std::thread([&] { (*held)(true); }).join();
  (*held)(false);
  bench.turn();
  EXPECT_THAT(client.take(), ElementsAre(StartsWith(R"(0/later,{"sid":)")));
}

TEST_F(DynamicNamespaceTest, WhoIsWaitingMayNotAskTwiceNorSend) {
  bench.parent([](const std::string&, const Value&, const NamespaceAllow&) {});
  for (const char* packet : {"0/x,", R"(2/x,["e"])", "1/x,"}) {
    TestClient client(bench);
    client.send("0/x,");
    client.send(packet);
    EXPECT_FALSE(client.open()) << packet;
  }
}

TEST_F(DynamicNamespaceTest, AnAnswerForAClientThatHasGoneMakesNothing) {
  std::optional<NamespaceAllow> held;
  bench.parent([&](const std::string&, const Value&, NamespaceAllow allow) { held = std::move(allow); });
  {
    TestClient client(bench);
    client.send("0/x,");
    client.hang_up();
  }
  (*held)(true);
  bench.turn();
  bench.expect_empty();
}

TEST_F(DynamicNamespaceTest, TwoWhoWaitGetTheSameNamespace) {
  std::vector<NamespaceAllow> held;
  bench.parent([&](const std::string&, const Value&, NamespaceAllow allow) { held.push_back(std::move(allow)); });
  TestClient one(bench);
  TestClient two(bench);
  one.send("0/x,");
  two.send("0/x,");
  for (const NamespaceAllow& allow : held) allow(true);
  one.take();
  two.take();
  bench.node.broadcast(make_broadcast({}, "/x", {}, {}, {}, "e", make_args()));
  EXPECT_THAT(one.take(), ElementsAre(R"(2/x,["e"])"));
  EXPECT_THAT(two.take(), ElementsAre(R"(2/x,["e"])"));
  EXPECT_EQ(bench.registry.children().value(), 1);
}

TEST_F(DynamicNamespaceTest, AnExceptionRefuses) {
  ::testing::internal::CaptureStderr();
  bench.parent([](const std::string&, const Value&, const NamespaceAllow&) { throw std::runtime_error("on purpose"); });
  parent_of("/x");
  TestClient client(bench);
  client.connect("/x");
  client.send("0/y,");
  EXPECT_THAT(client.take(), ElementsAre(refusal("/y", "Invalid namespace")));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("on purpose"));
}

TEST_F(DynamicNamespaceTest, GoesWhenNobodyIsLeftAndComesAgain) {
  bench.clustered = true;
  parent_of("/a");
  TestClient client(bench);
  TestClient other(bench);
  client.connect("/a");
  other.connect("/a");
  EXPECT_THAT(bench.cluster.namespaces, ElementsAre("/a"));
  client.send("1/a,");
  bench.turn();
  EXPECT_EQ(bench.registry.children().value(), 1);
  other.send("1/a,");
  other.connect("/a");
  bench.turn();
  EXPECT_EQ(bench.registry.children().value(), 1) << "in use again";
  other.send("1/a,");
  bench.turn();
  EXPECT_EQ(bench.registry.children().value(), 0);
  EXPECT_EQ(bench.core().find_namespace("/a"), nullptr);
  EXPECT_THAT(bench.cluster.namespaces, IsEmpty());
  other.connect("/a");
  EXPECT_EQ(asked.size(), 2U);
  client.hang_up();
  other.hang_up();
  bench.turn();
  bench.expect_empty();
}

TEST_F(DynamicNamespaceTest, StaysWhileSomebodyIsInItsMiddleware) {
  std::optional<Next> held;
  Namespace& parent = parent_of("/a");
  parent.use([&](Socket&, Next next) { held = std::move(next); });
  TestClient client(bench);
  TestClient other(bench);
  client.send("0/a,");
  other.send("0/a,");
  other.hang_up();
  bench.turn();
  EXPECT_NE(bench.core().find_namespace("/a"), nullptr);
  client.hang_up();
  bench.turn();
  EXPECT_EQ(bench.core().find_namespace("/a"), nullptr);
  (*held)();
  bench.turn();
  bench.expect_empty();
}

TEST_F(DynamicNamespaceTest, StaysWhereCleanupIsOff) {
  bench.namespace_limits.cleanup_empty_child_namespaces = false;
  parent_of("/a");
  TestClient client(bench);
  client.connect("/a");
  client.hang_up();
  bench.turn();
  EXPECT_NE(bench.core().find_namespace("/a"), nullptr);
  EXPECT_EQ(bench.registry.children().value(), 1);
}

TEST_F(DynamicNamespaceTest, ThereIsALimitToTheirNumberAndNames) {
  bench.namespace_limits.namespaces_max = 2;
  bench.namespace_limits.namespace_bytes_max = 10;
  parent_of("/");
  TestClient client(bench);
  client.connect("/a");
  client.connect("/b");
  client.send("0/c,");
  EXPECT_THAT(client.take(), ElementsAre(refusal("/c", "Too many namespaces")));
  EXPECT_EQ(bench.registry.refused().value(), 1U);
  TestClient other(bench);
  other.connect("/a");
  client.send("1/b,");
  bench.turn();
  asked.clear();
  client.connect("/012345678");
  EXPECT_THAT(asked, ElementsAre("/? /012345678")) << "has ten bytes";
  client.send("0/0123456789,");
  EXPECT_THAT(client.take(), ElementsAre(refusal("/0123456789", "Invalid namespace")));
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(DynamicNamespaceTest, TheApplicationHearsOfANewOneBeforeItsFirstClientConnects) {
  Namespace& parent = parent_of("/a");
  parent.on_connection([this](Socket& socket) { log.push_back("parent " + socket.name_space()); });
  std::vector<Namespace> copies;
  bench.registry.on_new_namespace([&](Namespace& name_space) {
    log.push_back("new " + name_space.name());
    name_space.on_connection([this](Socket& socket) { log.push_back("own " + socket.name_space()); });
    copies.push_back(name_space);
  });
  TestClient client(bench);
  client.connect("/a1");
  client.connect("/a2");
  EXPECT_THAT(log, ElementsAre("new /a1", "parent /a1", "own /a1", "new /a2", "parent /a2", "own /a2"));
  copies[0].emit("x");
  EXPECT_THAT(client.take(), ElementsAre(R"(2/a1,["x"])"));
}

// --- what is broadcast to the parent ---

TEST_F(DynamicNamespaceTest, ABroadcastToTheParentReachesItsChildren) {
  Namespace& parent = parent_of("/a");
  parent_of("/b");
  parent.on_connection([](Socket& socket) { socket.join("r"); });
  TestClient client(bench);
  for (const char* name : {"/a1", "/a2", "/b1"}) client.connect(name);
  parent.emit("x", 1);
  EXPECT_THAT(client.take(), UnorderedElementsAre(R"(2/a1,["x",1])", R"(2/a2,["x",1])"));
  parent.to("r").emit("y");
  parent.to("nobody").emit("z");
  EXPECT_THAT(client.take(), UnorderedElementsAre(R"(2/a1,["y"])", R"(2/a2,["y"])"));
}

TEST_F(DynamicNamespaceTest, OperationsOnTheParentReachItsChildren) {
  Namespace& parent = parent_of("/a");
  std::optional<std::size_t> counted;
  const auto count = [&](std::size_t sockets) { counted = sockets; };
  TestClient client(bench);
  parent.disconnect_sockets(false, count);
  EXPECT_FALSE(counted);
  bench.turn();
  EXPECT_EQ(counted, 0U) << "also without children";
  client.connect("/a1");
  client.connect("/a2");
  parent.fetch_sockets([&](const FetchedSockets& found) {
    const auto& sockets = found.sockets;
    for (const RemoteSocket& socket : sockets) socket.emit("you");
  });
  bench.turn();
  EXPECT_THAT(client.take(), UnorderedElementsAre(R"(2/a1,["you"])", R"(2/a2,["you"])"));
  std::optional<BroadcastAcks> acks;
  parent.emit_with_ack("q", make_args(), [&](const BroadcastAcks& result) { acks = result; });
  for (const std::string& packet : client.take()) {
    const std::size_t comma = packet.find(',');
    client.send("3" + packet.substr(1, packet.find('[') - 1) + "[" + std::to_string(comma) + "]");
  }
  bench.turn();
  ASSERT_TRUE(acks);
  EXPECT_EQ(acks->responses.size(), 2U);
  parent.disconnect_sockets(false, count);
  bench.turn();
  EXPECT_EQ(counted, 2U);
  EXPECT_THAT(client.take(), UnorderedElementsAre("1/a1,", "1/a2,"));
}

}  // namespace
}  // namespace carillon::socketio
