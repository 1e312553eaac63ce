// Events and acknowledgements, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "socketio/testing.hpp"

namespace carillon::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventTest : public ::testing::Test {
 protected:
  EventTest() {
    bench.root().on_connection([this](Socket& connected) {
      socket = &connected;
      connected.on("echo", [&connected](const Args& args) { connected.emit("back", args); });
      connected.on("ask", [this](const Args& args, const Ack& ack) {
        EXPECT_TRUE(ack);
        ack(args);
        kept = ack;
      });
    });
    client = std::make_unique<TestClient>(bench);
    client->connect();
  }
  std::vector<std::string> answer_to(const std::string& packet) {
    client->send(packet);
    return client->take();
  }
  // A handler for an answer, which writes it down.
  AckHandler noting() {
    return [this](const AckResult& result) {
      if (result) return answers.push_back("[" + std::string(result->text()) + "]");
      answers.emplace_back(result.error() == AckError::timeout ? "timeout" : "disconnected");
    };
  }

  Bench bench;
  std::unique_ptr<TestClient> client;
  Socket* socket = nullptr;
  std::optional<Ack> kept;
  std::vector<std::string> answers;
};

// --- from the client ---

TEST_F(EventTest, AHandlerGetsTheArguments) {
  std::vector<std::string> seen;
  socket->on("x", [&](const Args& args) {
    EXPECT_EQ(args.size(), 3U);
    EXPECT_EQ(args[0], Value(1));
    EXPECT_EQ(args[1], Value("a"));
    ASSERT_NE(args[2].find("b"), nullptr);
    EXPECT_TRUE(args[7].is_null());
    seen.emplace_back(args.text());
  });
  client->send(R"(2["x",1,"a",{"b":[true,null]}])");
  EXPECT_THAT(seen, ElementsAre(R"(1,"a",{"b":[true,null]})"));
  EXPECT_THAT(answer_to(R"(2["unknown",1])"), IsEmpty());
  EXPECT_TRUE(client->open());
  EXPECT_EQ(bench.core().stats().events_received.value(), 2U);
}

TEST_F(EventTest, ArgumentsAreForwardedAsTheyAre) {
  const std::string nested = std::string(900, '[') + std::string(900, ']');
  for (const std::string& args : {std::string(R"("\ud800")"), std::string("9007199254740993,1.0,1E2"), nested,
                                  std::string(R"({"_placeholder":true,"num":0})"), std::string("\"€\\u20ac\"")})
    EXPECT_THAT(answer_to("2[\"echo\"," + args + "]"), ElementsAre("2[\"back\"," + args + "]"));
}

TEST_F(EventTest, AnEscapedNameFindsItsHandler) {
  int calls = 0;
  socket->on("a\"b\n", [&](const Args&) { ++calls; });
  socket->on("7", [&](const Args&) { ++calls; });
  EXPECT_THAT(answer_to(R"(2["\u0065cho",1])"), ElementsAre(R"(2["back",1])"));
  client->send(R"(2["a\"b\n"])");
  client->send("2[7]");
  EXPECT_EQ(calls, 2);
}

TEST_F(EventTest, MalformedPacketsCloseTheConnection) {
  const std::string deep = "2[\"x\"," + std::string(10'000, '[') + std::string(10'000, ']') + "]";
  for (const std::string& packet : {std::string(""),
                                    std::string("7"),
                                    std::string("x"),
                                    std::string("2{}"),
                                    std::string("2[]"),
                                    std::string("2[null]"),
                                    std::string("2[{}]"),
                                    std::string("2[\"x\""),
                                    std::string("2\"x\""),
                                    std::string("2[\"connect\"]"),
                                    std::string("2[\"\\u0064isconnect\"]"),
                                    std::string("2[\"newListener\",1]"),
                                    std::string("2[\"\xff\"]"),
                                    std::string("2-1[\"x\"]"),
                                    std::string("29007199254740992[\"x\"]"),
                                    std::string("31{}"),
                                    std::string("31null"),
                                    std::string("31[1"),
                                    std::string("1{}"),
                                    std::string("1[]"),
                                    std::string("0"),
                                    std::string("4{}"),
                                    deep}) {
    TestClient hostile(bench);
    hostile.connect();
    hostile.send(packet);
    EXPECT_EQ(hostile.peer.closed_with, 1005) << packet.substr(0, 40);
    EXPECT_THAT(hostile.take(), IsEmpty()) << packet.substr(0, 40);
  }
  EXPECT_EQ(bench.core().stats().parse_errors.value(), 23U);
  EXPECT_EQ(bench.core().stats().sockets.value(), 1);
}

TEST_F(EventTest, EmptyEventsAndAnswersAreTolerated) {
  for (const char* packet : {"2", "27", "31", "3", "3[]"}) EXPECT_THAT(answer_to(packet), IsEmpty()) << packet;
  EXPECT_TRUE(client->open());
}

// --- acknowledging the client's events ---

TEST_F(EventTest, AnAcknowledgementCarriesTheIdOfTheEvent) {
  EXPECT_THAT(answer_to(R"(20["ask",1,"a"])"), ElementsAre(R"(30[1,"a"])"));
  EXPECT_THAT(answer_to(R"(29007199254740991["ask"])"), ElementsAre("39007199254740991[]"));
  EXPECT_THAT(answer_to(R"(2007["ask"])"), ElementsAre("37[]"));
}

TEST_F(EventTest, OnlyTheFirstAcknowledgementCounts) {
  EXPECT_EQ(answer_to(R"(21["ask"])").size(), 1U);
  (*kept)("again");
  EXPECT_THAT(client->take(), IsEmpty());
}

TEST_F(EventTest, WithoutAnIdThereIsNothingToAcknowledge) {
  bool asked = true;
  socket->on("x", [&](const Args&, const Ack& ack) {
    asked = static_cast<bool>(ack);
    ack("void");
  });
  EXPECT_THAT(answer_to(R"(2["x"])"), IsEmpty());
  EXPECT_FALSE(asked);
}

TEST_F(EventTest, AnAcknowledgementMayComeFromAnotherThread) {
  std::optional<Ack> waiting;
  socket->on("x", [&](const Args&, const Ack& ack) { waiting = ack; });
  EXPECT_THAT(answer_to(R"(25["x"])"), IsEmpty());
  std::thread([&] { (*waiting)(Binary{"\x01"}, "done"); }).join();
  EXPECT_THAT(client->take(), IsEmpty());
  bench.turn();
  EXPECT_THAT(client->take(), ElementsAre(R"(61-5[{"_placeholder":true,"num":0},"done"])", "b:\x01"));
}

TEST_F(EventTest, AnAcknowledgementAfterTheEndIsVoid) {
  std::optional<Ack> waiting;
  socket->on("x", [&](const Args&, const Ack& ack) { waiting = ack; });
  client->send(R"(21["x"])");
  client->send("1");
  (*waiting)(1);
  EXPECT_THAT(client->take(), IsEmpty());
  client->connect();
  socket->on("x", [&](const Args&, const Ack& ack) { waiting = ack; });
  client->send(R"(21["x"])");
  client->hang_up();
  std::thread([&] { (*waiting)(1); }).join();
  bench.turn();
  bench.expect_empty();
}

// --- to the client ---

TEST_F(EventTest, EmitSendsAnEvent) {
  socket->emit("x");
  socket->emit("y", 1, "a", Object{{"b", nullptr}});
  EXPECT_THAT(client->take(), ElementsAre(R"(2["x"])", R"(2["y",1,"a",{"b":null}])"));
  EXPECT_THROW(socket->emit("disconnect"), std::invalid_argument);
  EXPECT_THROW(socket->emit_with_ack("connect", make_args(), noting()), std::invalid_argument);
}

TEST_F(EventTest, VolatileEventsAreDroppedWhenTheClientIsBusy) {
  client->peer.backlog = 1;
  socket->emit_volatile("x", make_args());
  client->peer.backlog = 0;
  socket->emit_volatile("y", make_args());
  EXPECT_THAT(client->take(), ElementsAre(R"(2["y"])"));
}

TEST_F(EventTest, TheClientsAnswersFindTheirHandlers) {
  socket->emit_with_ack("x", make_args(1), noting());
  socket->emit_with_ack("y", make_args(), noting());
  EXPECT_THAT(client->take(), ElementsAre(R"(20["x",1])", R"(21["y"])"));
  client->send(R"(31["second"])");
  client->send(R"(30["first"])");
  client->send(R"(30["again"])");
  client->send(R"(399["never asked"])");
  EXPECT_THAT(answers, ElementsAre(R"(["second"])", R"(["first"])"));
  EXPECT_TRUE(client->open());
}

TEST_F(EventTest, AnAnswerMayBeEmptyOrBinary) {
  for (int i = 0; i < 3; ++i) socket->emit_with_ack("x", make_args(), noting());
  client->send("30");
  client->send("31[]");
  client->send(R"(61-2[{"_placeholder":true,"num":0}])");
  EXPECT_EQ(answers.size(), 2U);
  client->attach("\x01\x02");
  EXPECT_THAT(answers, ElementsAre("[]", "[]", R"([{"_placeholder":true,"num":0}])"));
}

TEST_F(EventTest, AnAnswerThatDoesNotComeIsATimeout) {
  socket->emit_with_ack("x", make_args(), noting(), Milliseconds(1'000));
  socket->emit_with_ack("y", make_args(), noting());
  bench.advance(Milliseconds(992));
  EXPECT_THAT(answers, IsEmpty());
  bench.advance(Milliseconds(8));
  EXPECT_THAT(answers, ElementsAre("timeout"));
  client->send("30[]");
  EXPECT_THAT(answers, ElementsAre("timeout"));
  client->send("31[]");
  EXPECT_THAT(answers, ElementsAre("timeout", "[]"));
}

TEST_F(EventTest, PendingAnswersEndWithTheSocket) {
  socket->emit_with_ack("x", make_args(), noting(), Milliseconds(1'000));
  socket->emit_with_ack("y", make_args(), noting());
  client->hang_up();
  EXPECT_THAT(answers, ElementsAre("disconnected", "disconnected"));
  bench.expect_empty();
}

}  // namespace
}  // namespace carillon::socketio
