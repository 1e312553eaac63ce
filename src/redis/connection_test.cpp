#include "redis/connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace carillon::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TimePoint start{Milliseconds{1'000'000}};
constexpr std::string_view login_answer = "+OK\r\n+PONG\r\n";

class Recorder final : public ConnectionPort {
 public:
  std::vector<std::string> events;

  void on_open() override { events.emplace_back("open"); }
  void on_published() override { events.emplace_back("published"); }
  void on_publish_refused(std::string_view error) override { events.push_back("refused " + std::string(error)); }
  void on_message(std::string_view channel, std::string_view payload) override {
    events.push_back(std::string(channel) + "=" + std::string(payload));
  }
  bool on_subscription(std::string_view channel, bool subscribed) override {
    events.push_back((subscribed ? "+" : "-") + std::string(channel));
    return channel != "unexpected";
  }
};

class ConnectionTest : public ::testing::Test {
 protected:
  void open() {
    connection.open(start);
    connection.take_output();
    connection.feed(login_answer, start);
    ASSERT_TRUE(connection.is_open());
    port.events.clear();
  }

  Recorder port;
  ClientOptions options;
  Connection connection{port, options};
};

TEST_F(ConnectionTest, IsOpenWhenTheLoginHasBeenAnswered) {
  connection.open(start);
  EXPECT_EQ(connection.take_output(), "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$8\r\ncarillon\r\n*1\r\n$4\r\nPING\r\n");
  connection.feed("+OK\r\n", start);
  EXPECT_FALSE(connection.is_open());
  connection.feed("+PONG\r\n", start);
  EXPECT_TRUE(connection.is_open());
  EXPECT_THAT(port.events, ElementsAre("open"));
}

TEST_F(ConnectionTest, APasswordAloneIsTheDefaultUsers) {
  options.url.password = "pw";
  connection.open(start);
  EXPECT_THAT(connection.take_output(), ::testing::StartsWith("*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n"));
}

TEST_F(ConnectionTest, AnswersComeInOrderOfTheCommands) {
  open();
  const std::array<std::string_view, 2> channels{"a", "b"};
  connection.subscribe(channels, start);
  connection.unsubscribe(std::span(channels).first(1), start);
  EXPECT_EQ(connection.take_output(),
            "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$11\r\nUNSUBSCRIBE\r\n$1\r\na\r\n");
  connection.feed(
      "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
      "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n",
      start);
  EXPECT_THAT(port.events, ElementsAre("+a", "a=hi", "+b", "-a"));
  EXPECT_FALSE(connection.fault());
}

TEST_F(ConnectionTest, AChannelCalledMessageIsNoMessage) {
  open();
  const std::array<std::string_view, 1> channels{"message"};
  connection.subscribe(channels, start);
  connection.feed("*3\r\n$9\r\nsubscribe\r\n$7\r\nmessage\r\n:1\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("+message"));
}

TEST_F(ConnectionTest, CountsMessagesOnTheWay) {
  open();
  for (int i = 0; i < 3; ++i) connection.publish("c", "x", start);
  connection.publish_canary("own", "x", start);
  EXPECT_EQ(connection.messages_in_flight(), 3U);
  connection.feed(":0\r\n-NOPERM no\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("published", "refused NOPERM no"));
  EXPECT_EQ(connection.messages_in_flight(), 1U);
  EXPECT_EQ(connection.close(), 1U);
  EXPECT_EQ(connection.close(), 0U);
  EXPECT_FALSE(connection.is_open());
}

TEST_F(ConnectionTest, PingsAfterSilence) {
  open();
  EXPECT_EQ(connection.next_deadline(), start + Milliseconds{5'000});
  connection.on_time(start + Milliseconds{5'000});
  EXPECT_EQ(connection.take_output(), "*1\r\n$4\r\nPING\r\n");
  connection.feed("+PONG\r\n", start + Milliseconds{5'001});
  EXPECT_EQ(connection.next_deadline(), start + Milliseconds{10'001});
  connection.on_time(start + Milliseconds{10'001});
  connection.on_time(start + Milliseconds{15'000});
  EXPECT_FALSE(connection.fault());
  connection.on_time(start + Milliseconds{15'001});
  ASSERT_TRUE(connection.fault());
  EXPECT_EQ(connection.fault()->kind, Fault::Kind::timeout);
  EXPECT_THAT(connection.fault()->text, HasSubstr("5000 ms"));
  EXPECT_EQ(connection.next_deadline(), never);
}

TEST_F(ConnectionTest, WhileAnswersComeNoneIsOverdue) {
  open();
  connection.publish("c", "x", start);
  connection.publish("c", "x", start);
  connection.feed(":0\r\n", start + Milliseconds{4'000});
  connection.on_time(start + Milliseconds{5'000});
  EXPECT_FALSE(connection.fault());
  EXPECT_EQ(connection.next_deadline(), start + Milliseconds{9'000});
  connection.on_time(start + Milliseconds{9'000});
  EXPECT_TRUE(connection.fault());
}

TEST_F(ConnectionTest, AProcessThatSleptLooksAgainBeforeItGivesUp) {
  open();
  connection.publish("c", "x", start);
  connection.on_time(start + Milliseconds{60'000});  // the answer may lie in the socket
  EXPECT_FALSE(connection.fault());
  connection.on_time(start + Milliseconds{60'500});
  EXPECT_TRUE(connection.fault());
}

TEST_F(ConnectionTest, WhatMustNotComeIsAFault) {
  for (const std::string_view bytes :
       {"+OK\r\n", ":1\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n",
        "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", "-ERR max number of clients reached\r\n", "?\r\n"}) {
    open();
    connection.feed(bytes, start);
    EXPECT_TRUE(connection.fault()) << bytes;
    EXPECT_THAT(port.events, IsEmpty());
    connection.feed("+OK\r\n", start);  // harmless
    connection.close();
  }
  open();
  connection.publish("c", "x", start);
  connection.feed("$1\r\n1\r\n", start);
  EXPECT_TRUE(connection.fault());
  open();
  const std::array<std::string_view, 1> channels{"unexpected"};
  connection.subscribe(channels, start);
  connection.feed("*3\r\n$9\r\nsubscribe\r\n$10\r\nunexpected\r\n:1\r\n", start);
  EXPECT_TRUE(connection.fault());
}

// Every error of every command has one consequence.
TEST(ReplyErrorTest, ConsequencesOfErrors) {
  constexpr std::array errors{"NOAUTH Authentication required.",
                              "WRONGPASS invalid username-password pair",
                              "ERR invalid password",
                              "LOADING Redis is loading",
                              "READONLY You can't write",
                              "MASTERDOWN Link with MASTER is down",
                              "ERR max number of clients reached"};
  for (const std::string_view text : errors)
    for (const Command command : {Command::auth, Command::select, Command::set_name, Command::ping, Command::publish,
                                  Command::canary, Command::subscribe})
      EXPECT_EQ(consequence_of(command, classify_error(text)), Consequence::reconnect) << text;
  for (const std::string_view text : {"NOPERM no", "MOVED 1 host:1", "ASK 1 host:1", "CLUSTERDOWN down", "OOM full",
                                      "BUSY script", "ERR unknown command", "", "SOMETHING new"}) {
    const ErrorReply error = classify_error(text);
    EXPECT_EQ(consequence_of(Command::auth, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::select, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::set_name, error), Consequence::carry_on) << text;
    EXPECT_EQ(consequence_of(Command::ping, error), Consequence::carry_on) << text;
    EXPECT_EQ(consequence_of(Command::publish, error), Consequence::drop) << text;
    EXPECT_EQ(consequence_of(Command::canary, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::subscribe, error), Consequence::reconnect) << text;
  }
  for (const std::string_view text :
       {"ERR Client sent AUTH, but no password is set",
        "ERR AUTH <password> called without any password configured for the default user"})
    EXPECT_EQ(consequence_of(Command::auth, classify_error(text)), Consequence::carry_on);
  EXPECT_THAT(advice(classify_error("NOAUTH Authentication required.")), HasSubstr("password"));
}

}  // namespace
}  // namespace carillon::redis
