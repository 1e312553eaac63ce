// Socket::use and Socket::on_error.
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

class EventMiddlewareTest : public ::testing::Test {
 protected:
  EventMiddlewareTest() {
    bench.root().on_connection([this](Socket& connected) {
      socket = &connected;
      connected.on("x", [this](const Args& args, const Ack& ack) {
        log.push_back("handler " + std::string(args.text()));
        ack(args);
      });
      connected.on_error([this](const EventError& error) { log.push_back(error.message + " " + to_json(error.data)); });
    });
    client = std::make_unique<TestClient>(bench);
    client->connect();
  }

  Bench bench;
  std::unique_ptr<TestClient> client;
  Socket* socket = nullptr;
  std::vector<std::string> log;
};

TEST_F(EventMiddlewareTest, RunsInOrderBeforeTheHandlers) {
  for (const char* mark : {"one", "two"})
    socket->use([this, mark](std::string_view event, const Args& args, const EventNext& next) {
      log.push_back(std::string(mark) + " " + std::string(event) + " " + std::string(args.text()));
      next();
      next();
    });
  client->send(R"(27["x",1])");
  EXPECT_THAT(log, ElementsAre("one x 1", "two x 1", "handler 1"));
  EXPECT_THAT(client->take(), ElementsAre("37[1]"));
  client->send(R"(2["nobody's"])");
  EXPECT_EQ(log.size(), 5U) << "also of events without a handler";
}

TEST_F(EventMiddlewareTest, WhatItRefusesGoesToTheErrorHandlers) {
  socket->use([](std::string_view, const Args& args, const EventNext& next) {
    if (args[0].as_int64() == 1) return next({"not this", Object{{"code", 7}}});
    next();
  });
  socket->use([this](std::string_view, const Args&, const EventNext& next) {
    log.emplace_back("second");
    next();
  });
  client->send(R"(27["x",1])");
  EXPECT_THAT(log, ElementsAre(R"(not this {"code":7})"));
  EXPECT_THAT(client->take(), IsEmpty());
  EXPECT_TRUE(client->open());
  EXPECT_EQ(bench.core().stats().events_refused.value(), 1U);
  client->send(R"(2["x",2])");
  EXPECT_THAT(log, ElementsAre(R"(not this {"code":7})", "second", "handler 2"));
}

TEST_F(EventMiddlewareTest, MayTakeItsTimeOnAnyThread) {
  std::optional<EventNext> held;
  const Args* kept = nullptr;
  socket->use([&](std::string_view, const Args& args, EventNext next) {
    held = std::move(next);
    kept = &args;
  });
  client->send(R"(27["x",{"a":["still readable"]}])");
  EXPECT_THAT(log, IsEmpty());
  EXPECT_EQ(kept->text(), R"({"a":["still readable"]})");
  std::thread([&] { (*held)(); }).join();
  EXPECT_THAT(log, IsEmpty());
  bench.turn();
  EXPECT_THAT(log, ElementsAre(R"(handler {"a":["still readable"]})"));
  EXPECT_THAT(client->take(), ElementsAre(R"(37[{"a":["still readable"]}])"));
}

TEST_F(EventMiddlewareTest, BinaryArgumentsGoThrough) {
  socket->use([](std::string_view, const Args& args, const EventNext& next) {
    EXPECT_EQ(args[0], Value(Binary{"b"}));
    next();
  });
  client->send(R"(51-7["x",{"_placeholder":true,"num":0}])");
  client->attach("b");
  EXPECT_THAT(client->take(), ElementsAre(R"(61-7[{"_placeholder":true,"num":0}])", "b:b"));
}

TEST_F(EventMiddlewareTest, AnEventOfASocketThatHasGoneIsNoMore) {
  std::optional<EventNext> held;
  socket->use([&](std::string_view, const Args&, EventNext next) { held = std::move(next); });
  client->send(R"(2["x"])");
  client->hang_up();
  (*held)();
  (*held)({"late", {}});
  bench.turn();
  EXPECT_THAT(log, IsEmpty());
  bench.expect_empty();
}

TEST_F(EventMiddlewareTest, MayEndTheSocket) {
  socket->use([this](std::string_view, const Args&, const EventNext& next) {
    socket->disconnect(true);
    next();
  });
  client->send(R"(2["x"])");
  EXPECT_THAT(log, IsEmpty());
  EXPECT_FALSE(client->open());
  bench.expect_empty();
}

TEST_F(EventMiddlewareTest, AnExceptionRefusesTheEvent) {
  ::testing::internal::CaptureStderr();
  socket->use([](std::string_view, const Args&, const EventNext& next) {
    static int calls = 0;
    if (++calls == 2) next();
    throw std::runtime_error("on purpose");
  });
  client->send(R"(2["x",1])");
  EXPECT_THAT(log, ElementsAre("Internal server error null"));
  client->send(R"(2["x",2])");
  EXPECT_THAT(log, ElementsAre("Internal server error null", "handler 2"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("middleware of event 'x'"));
}

TEST_F(EventMiddlewareTest, ErrorHandlersHearOfWhatCannotBeRead) {
  client->send("2[");
  EXPECT_THAT(log, ElementsAre("invalid payload null"));
  EXPECT_FALSE(client->open());
}

TEST_F(EventMiddlewareTest, AnErrorHandlerMayEndTheSocket) {
  socket->use([](std::string_view, const Args&, const EventNext& next) { next({"no", {}}); });
  socket->on_error([this](const EventError&) { socket->disconnect(true); });
  client->send(R"(2["x"])");
  EXPECT_FALSE(client->open());
  bench.expect_empty();
}

}  // namespace
}  // namespace carillon::socketio
