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
  void on_appended(std::string_view id) override { events.push_back("appended " + std::string(id)); }
  void on_refused(Command, std::string_view error) override { events.push_back("refused " + std::string(error)); }
  bool on_reply(Command, Reply& reply) override {
    events.push_back("reply " + reply.text);
    return reply.type != Reply::Type::nil;
  }
  void on_message(ChannelKind kind, std::string_view channel, std::string_view payload) override {
    events.push_back(name(kind, channel) + "=" + std::string(payload));
  }
  Confirmation on_subscription(ChannelKind kind, std::string_view channel, bool subscribed) override {
    events.push_back((subscribed ? "+" : "-") + name(kind, channel));
    if (channel == "pushed") return Confirmation::pushed;
    return channel == "unexpected" ? Confirmation::unasked : Confirmation::awaited;
  }
  bool on_subscription_refused(std::string_view error) override {
    events.push_back("moved " + std::string(error));
    return takes_redirections;
  }
  bool is_late_refusal(std::string_view error) const override { return error.ends_with("late"); }

  bool takes_redirections = false;

 private:
  static std::string name(ChannelKind kind, std::string_view channel) {
    return std::string(kind == ChannelKind::plain ? "" : kind == ChannelKind::pattern ? "p:" : "s:").append(channel);
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
  connection.subscribe(ChannelKind::plain, channels, start);
  connection.unsubscribe(ChannelKind::plain, std::span(channels).first(1), start);
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
  connection.subscribe(ChannelKind::plain, channels, start);
  connection.feed("*3\r\n$9\r\nsubscribe\r\n$7\r\nmessage\r\n:1\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("+message"));
}

TEST_F(ConnectionTest, KindsOfChannelsHaveTheirOwnCommandsAndMessages) {
  open();
  const std::array<std::string_view, 1> pattern{"a*"};
  const std::array<std::string_view, 1> shard{"s"};
  connection.subscribe(ChannelKind::pattern, pattern, start);
  connection.subscribe(ChannelKind::sharded, shard, start);
  connection.unsubscribe(ChannelKind::pattern, pattern, start);
  connection.unsubscribe(ChannelKind::sharded, shard, start);
  EXPECT_EQ(connection.take_output(),
            "*2\r\n$10\r\nPSUBSCRIBE\r\n$2\r\na*\r\n*2\r\n$10\r\nSSUBSCRIBE\r\n$1\r\ns\r\n"
            "*2\r\n$12\r\nPUNSUBSCRIBE\r\n$2\r\na*\r\n*2\r\n$12\r\nSUNSUBSCRIBE\r\n$1\r\ns\r\n");
  connection.feed(
      "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n"
      "*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$2\r\nhi\r\n"
      "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n*3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$2\r\nho\r\n"
      "*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0\r\n*3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n",
      start);
  EXPECT_THAT(port.events, ElementsAre("+p:a*", "p:ab=hi", "+s:s", "s:s=ho", "-p:a*", "-s:s"));
  EXPECT_FALSE(connection.fault());
}

TEST_F(ConnectionTest, AnUnsubscriptionThatRedisPushesAnswersNothing) {
  open();
  const std::array<std::string_view, 1> channels{"a"};
  connection.subscribe(ChannelKind::sharded, channels, start);
  connection.feed("*3\r\n$12\r\nsunsubscribe\r\n$6\r\npushed\r\n:0\r\n*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n",
                  start);
  EXPECT_THAT(port.events, ElementsAre("-s:pushed", "+s:a"));
  EXPECT_FALSE(connection.fault());
  EXPECT_EQ(connection.next_deadline(), start + options.ping_interval_ms);  // nothing is awaited
}

TEST_F(ConnectionTest, ASubscriptionForAnotherNodeIsNoFaultIfThatIsExpected) {
  port.takes_redirections = true;
  open();
  const std::array<std::string_view, 1> channels{"a"};
  connection.subscribe(ChannelKind::sharded, channels, start);
  connection.feed("-MOVED 15495 127.0.0.1:7002\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("moved MOVED 15495 127.0.0.1:7002"));
  EXPECT_FALSE(connection.fault());
  port.takes_redirections = false;
  connection.subscribe(ChannelKind::sharded, channels, start);
  connection.feed("-MOVED 15495 127.0.0.1:7002\r\n", start);
  EXPECT_TRUE(connection.fault());
}

TEST_F(ConnectionTest, ALateRefusalAnswersNothing) {
  open();
  const std::array<std::string_view, 1> channels{"a"};
  connection.subscribe(ChannelKind::sharded, channels, start);
  connection.feed("-MOVED late\r\n*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n-MOVED late\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("+s:a"));
  EXPECT_FALSE(connection.fault());
}

// What sentinels say may be older than what they are asked about.
TEST_F(ConnectionTest, BehindSentinelsOnlyAMasterWillDo) {
  options.url = parse_url("redis+sentinel://h/main").value();
  for (const std::string_view answer : {"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", "-NOPERM no\r\n"}) {
    connection.open(start);
    EXPECT_THAT(connection.take_output(), HasSubstr("$4\r\nROLE\r\n"));
    connection.feed("+OK\r\n", start);
    connection.feed(answer, start);
    connection.feed("+PONG\r\n", start);
    EXPECT_TRUE(connection.is_open()) << answer;
  }
  connection.open(start);
  connection.feed("+OK\r\n*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n", start);
  ASSERT_TRUE(connection.fault());
  EXPECT_THAT(connection.fault()->text, HasSubstr("slave, not the master"));
}

TEST_F(ConnectionTest, RequestsGetTheirAnswersAndTheirErrors) {
  open();
  const std::array<std::string, 2> words{"GET", "key"};
  connection.request(Command::request, words, start);
  connection.append("*1\r\n$4\r\nXADD\r\n", start);
  connection.request(Command::request, words, start);
  EXPECT_EQ(connection.take_output(),
            "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n*1\r\n$4\r\nXADD\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
  connection.feed("$5\r\nvalue\r\n$3\r\n1-1\r\n-WRONGTYPE no\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("reply value", "appended 1-1", "reply WRONGTYPE no"));
  EXPECT_FALSE(connection.fault());
  connection.request(Command::request, words, start);
  connection.feed("-READONLY a replica\r\n", start);
  EXPECT_EQ(port.events.back(), "reply READONLY a replica");
  EXPECT_TRUE(connection.fault());
}

TEST_F(ConnectionTest, AMessageWhoseErrorEndsTheConnectionIsReported) {
  open();
  connection.publish(ChannelKind::plain, "c", "x", start);
  connection.feed("-LOADING Redis is loading the dataset in memory\r\n", start);
  EXPECT_THAT(port.events, ElementsAre("refused LOADING Redis is loading the dataset in memory"));
  EXPECT_TRUE(connection.fault());
  EXPECT_EQ(connection.close(), 0U);
}

// A blocked read is silence that was asked for.
TEST_F(ConnectionTest, AReadMayTakeThePingIntervalLonger) {
  open();
  const std::array<std::string, 1> words{"XREAD"};
  connection.request(Command::read, words, start);
  connection.on_time(start + Milliseconds{9'999});
  EXPECT_FALSE(connection.fault());
  connection.on_time(start + Milliseconds{10'000});
  ASSERT_TRUE(connection.fault());
  EXPECT_EQ(connection.fault()->kind, Fault::Kind::timeout);
}

TEST_F(ConnectionTest, CountsMessagesOnTheWay) {
  open();
  for (int i = 0; i < 3; ++i) connection.publish(ChannelKind::plain, "c", "x", start);
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
  connection.publish(ChannelKind::plain, "c", "x", start);
  connection.publish(ChannelKind::plain, "c", "x", start);
  connection.feed(":0\r\n", start + Milliseconds{4'000});
  connection.on_time(start + Milliseconds{5'000});
  EXPECT_FALSE(connection.fault());
  EXPECT_EQ(connection.next_deadline(), start + Milliseconds{9'000});
  connection.on_time(start + Milliseconds{9'000});
  EXPECT_TRUE(connection.fault());
}

TEST_F(ConnectionTest, AProcessThatSleptLooksAgainBeforeItGivesUp) {
  open();
  connection.publish(ChannelKind::plain, "c", "x", start);
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
  connection.publish(ChannelKind::plain, "c", "x", start);
  connection.feed("$1\r\n1\r\n", start);
  EXPECT_TRUE(connection.fault());
  open();
  const std::array<std::string_view, 1> channels{"unexpected"};
  connection.subscribe(ChannelKind::plain, channels, start);
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
    for (const Command command : {Command::auth, Command::select, Command::set_name, Command::role, Command::asking,
                                  Command::ping, Command::publish, Command::append, Command::canary, Command::subscribe,
                                  Command::request, Command::inspect, Command::read})
      EXPECT_EQ(consequence_of(command, classify_error(text)), Consequence::reconnect) << text;
  for (const std::string_view text : {"NOPERM no", "MOVED 1 host:1", "ASK 1 host:1", "CLUSTERDOWN down", "OOM full",
                                      "BUSY script", "ERR unknown command", "", "SOMETHING new"}) {
    const ErrorReply error = classify_error(text);
    EXPECT_EQ(consequence_of(Command::auth, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::select, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::set_name, error), Consequence::carry_on) << text;
    EXPECT_EQ(consequence_of(Command::ping, error), Consequence::carry_on) << text;
    EXPECT_EQ(consequence_of(Command::publish, error), Consequence::drop) << text;
    EXPECT_EQ(consequence_of(Command::append, error), Consequence::drop) << text;
    EXPECT_EQ(consequence_of(Command::request, error), Consequence::drop) << text;
    EXPECT_EQ(consequence_of(Command::inspect, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::read, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::canary, error), Consequence::reconnect) << text;
    EXPECT_EQ(consequence_of(Command::subscribe, error), Consequence::reconnect) << text;
  }
  for (const std::string_view text :
       {"ERR Client sent AUTH, but no password is set",
        "ERR AUTH <password> called without any password configured for the default user"})
    EXPECT_EQ(consequence_of(Command::auth, classify_error(text)), Consequence::carry_on);
  EXPECT_EQ(consequence_of(Command::inspect, classify_error("ERR no such key")), Consequence::carry_on);
  EXPECT_EQ(consequence_of(Command::select, classify_error("ERR no such key")), Consequence::reconnect);
  EXPECT_THAT(advice(classify_error("NOAUTH Authentication required.")), HasSubstr("password"));
}

}  // namespace
}  // namespace carillon::redis
