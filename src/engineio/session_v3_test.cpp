// Clients of Engine.IO 3: what they get otherwise than those of version 4.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/session.hpp"
#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
using std::string_literals::operator""s;

class SessionV3Test : public ::testing::Test {
 protected:
  SessionV3Test() { bench.query = "EIO=3"; }

  static Options allowing() {
    Options options;
    options.allow_eio3 = true;
    return options;
  }
  Session& session() { return *handler.last; }
  void send(const FramesPtr& frames) {
    session().send(frames);
    bench.turn();
  }
  static FramesPtr text_and_binary() {
    auto frames = std::make_shared<Frames>();
    frames->append_text("4hello");
    frames->append_binary("\1\2\3\4");
    return frames;
  }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler, allowing()};
};

// --- the handshake ---

TEST_F(SessionV3Test, WithoutTheOptionVersionThreeIsRefused) {
  EngineBench strict{world, handler};
  for (const char* query : {"EIO=3", "EIO=abc", "t=1"}) {
    EXPECT_EQ(strict.request("GET", EngineBench::target("polling", {}, query)).answer().body,
              R"({"code":5,"message":"Unsupported protocol version"})");
    EXPECT_EQ(strict.websocket_request(EngineBench::target("websocket", {}, query)).answer().body,
              "Unsupported protocol version");
  }
}

TEST_F(SessionV3Test, WhateverIsNotFourIsThree) {
  for (const char* query : {"EIO=3", "EIO=abc", "EIO=5", "t=1"})
    EXPECT_THAT(bench.request("GET", EngineBench::target("polling", {}, query)).answer().body,
                MatchesRegex("[0-9]+:0\\{\"sid\":.*"))
        << query;
  EXPECT_THAT(bench.request("GET", EngineBench::target("polling")).answer().body, StartsWith("0{"));
}

TEST_F(SessionV3Test, TheHandshakeIsAPayloadWithItsLength) {
  const std::string body = bench.request("GET", EngineBench::target("polling", {}, "EIO=3")).answer().body;
  const std::size_t colon = body.find(':');
  EXPECT_EQ(body.substr(0, colon), std::to_string(body.size() - colon - 1));
}

TEST_F(SessionV3Test, ASessionKeepsItsVersion) {
  const std::string sid = bench.open_polling();
  EXPECT_EQ(bench.request("GET", EngineBench::target("polling", sid)).answer().body,
            R"({"code":3,"message":"Bad request"})");
  EXPECT_EQ(bench.websocket_request(EngineBench::target("websocket", sid)).answer().body, "Bad request");
  EXPECT_TRUE(bench.poll(sid).pending());
}

// --- polling ---

TEST_F(SessionV3Test, BinaryMakesAnOctetPayload) {
  const std::string sid = bench.open_polling();
  FakePeer& poll = bench.poll(sid);
  send(text_and_binary());
  EXPECT_EQ(poll.answer().body, "\0\6\xff\x34hello\1\5\xff\4\1\2\3\4"s);
  EXPECT_EQ(poll.header("content-type"), "application/octet-stream");
}

TEST_F(SessionV3Test, TextAloneMakesATextPayload) {
  const std::string sid = bench.open_polling();
  FakePeer& poll = bench.poll(sid);
  send(make_text_frames("4\U0001f600"));
  EXPECT_EQ(poll.answer().body, "3:4\U0001f600");
  EXPECT_EQ(poll.header("content-type"), "text/plain; charset=UTF-8");
}

TEST_F(SessionV3Test, WhoAsksForBase64GetsIt) {
  bench.query = "EIO=3&b64=1";
  const std::string sid = bench.open_polling();
  FakePeer& poll = bench.poll(sid);
  send(text_and_binary());
  EXPECT_EQ(poll.answer().body, "6:4hello10:b4AQIDBA==");
}

TEST_F(SessionV3Test, TakesTextAndOctets) {
  const std::string sid = bench.open_polling();
  EXPECT_EQ(bench.post(sid, "6:4hello10:b4AQIDBA==").answer().body, "ok");
  EXPECT_EQ(bench.post(sid, "\0\3\xff\x34hi\1\2\xff\4x"s, {{"Content-Type", "application/octet-stream"}}).answer().body,
            "ok");
  EXPECT_THAT(handler.take(), ElementsAre("open", "text hello", "binary \1\2\3\4", "text hi", "binary x"));
}

TEST_F(SessionV3Test, MalformedPayloadsEndTheSession) {
  for (const auto& [body, type] :
       std::vector<std::pair<std::string, std::string>>{{"abc", "text/plain"},
                                                        {"", "text/plain"},
                                                        {"6:4hell", "text/plain"},
                                                        {"1:9", "text/plain"},
                                                        {"4hello", "text/plain"},
                                                        {"\0\6\xff", "application/octet-stream"},
                                                        {"6:4hello", "application/octet-stream"}}) {
    const std::string sid = bench.open_polling();
    const FakePeer& poll = bench.poll(sid);
    EXPECT_EQ(bench.post(sid, body, {{"Content-Type", type}}).answer().status, 400) << body;
    EXPECT_EQ(poll.answer().body, "1:1");
    EXPECT_THAT(handler.take(), ElementsAre("open", "close parse_error")) << body;
  }
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

// It sends its next ping only when the answer to the last one has come.
TEST_F(SessionV3Test, AClientsNextPingShowsThatItHasOurAnswer) {
  FakePeer& websocket = bench.open_websocket();
  handler.notes_pings = true;
  handler.take();
  bench.message(websocket, "2");
  EXPECT_THAT(handler.take(), ElementsAre("ping sent"));
  bench.message(websocket, "2");
  EXPECT_THAT(handler.take(), ElementsAre("pong", "ping sent"));
  session().ping();
  EXPECT_THAT(handler.take(), IsEmpty()) << "it is not ours to ping";
}

TEST_F(SessionV3Test, ClosingIsToldInPayloadsOfItsOwn) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  bench.post(sid, "1:1");
  EXPECT_EQ(poll.answer().body, "1:6");

  const std::string other = bench.open_polling();
  session().close(CloseReason::forced_close);
  EXPECT_EQ(bench.poll(other).answer().body, "1:61:1");
  EXPECT_THAT(handler.take(), ElementsAre("open", "close transport_close", "open", "close forced_close"));
}

// --- WebSocket ---

TEST_F(SessionV3Test, BinaryOverWebSocketBearsItsType) {
  FakePeer& websocket = bench.open_websocket();
  send(text_and_binary());
  EXPECT_THAT(websocket.take(), ElementsAre("4hello", "b:\4\1\2\3\4"));
  bench.binary(websocket, "\4\5\6");
  bench.message(websocket, "b4Bwg=");
  EXPECT_THAT(handler.take(), ElementsAre("open", "binary \5\6", "binary \7\x08"));
}

TEST_F(SessionV3Test, BinaryMayBeTextOverWebSocket) {
  bench.query = "EIO=3&b64=1";
  FakePeer& websocket = bench.open_websocket();
  send(text_and_binary());
  EXPECT_THAT(websocket.take(), ElementsAre("4hello", "b4AQIDBA=="));
}

TEST_F(SessionV3Test, TheFirstMessageComesAMomentAfterTheAnswerToTheHandshake) {
  FakePeer& websocket = bench.websocket_request(EngineBench::target("websocket", {}, bench.query));
  send(make_text_frames("4early"));
  bench.message(websocket, "4hello");
  EXPECT_THAT(websocket.take(), IsEmpty());
  bench.advance(TimerWheel::tick);
  EXPECT_THAT(websocket.take(), ElementsAre(StartsWith("0{"), "4early"));
  send(make_text_frames("4late"));
  EXPECT_THAT(websocket.take(), ElementsAre("4late"));
  EXPECT_THAT(handler.log, ElementsAre("open", "text hello"));
}

TEST_F(SessionV3Test, AClientThatIsClosedAtOnceIsGreetedAllTheSame) {
  FakePeer& websocket = bench.websocket_request(EngineBench::target("websocket", {}, bench.query));
  send(make_text_frames("4bye"));
  session().close(CloseReason::forced_close);
  bench.turn();
  EXPECT_THAT(websocket.take(), ElementsAre(StartsWith("0{"), "4bye"));
  EXPECT_EQ(websocket.closed_with, 1005);
  EXPECT_EQ(world.timers.size(), 0U);
}

TEST_F(SessionV3Test, AClientThatGoesBeforeItIsGreetedLeavesNothingBehind) {
  FakePeer& websocket = bench.websocket_request(EngineBench::target("websocket", {}, bench.query));
  bench.closed(websocket);
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_close"));
  EXPECT_EQ(bench.engine.session_count(), 0U);
  EXPECT_EQ(world.timers.size(), 0U);
}

TEST_F(SessionV3Test, MalformedMessagesEndTheSession) {
  for (const std::string& text : {"abc"s, ""s, "7"s, "bAQI="s, "b4!"s}) {
    FakePeer& websocket = bench.open_websocket();
    bench.message(websocket, text);
    EXPECT_EQ(websocket.closed_with, 1005) << text;
    EXPECT_THAT(handler.take(), ElementsAre("open", "close parse_error")) << text;
  }
  for (const std::string& bytes : {""s, "\7"s, "4"s}) {
    FakePeer& websocket = bench.open_websocket();
    bench.binary(websocket, bytes);
    EXPECT_EQ(websocket.closed_with, 1005);
    EXPECT_THAT(handler.take(), ElementsAre("open", "close parse_error"));
  }
}

TEST_F(SessionV3Test, TheFormOfBinaryIsThatOfTheTransport) {
  bench.query = "EIO=3&b64=1";
  const std::string sid = bench.open_polling();
  FakePeer& poll = bench.poll(sid);
  bench.query = "EIO=3";
  FakePeer& websocket = bench.probe(sid);
  send(text_and_binary());
  EXPECT_EQ(poll.answer().body, "6:4hello10:b4AQIDBA==");
  send(text_and_binary());
  bench.message(websocket, "2probe");
  bench.message(websocket, "5");
  EXPECT_THAT(websocket.take(), ElementsAre("3probe", "4hello", "b:\4\1\2\3\4"));
}

TEST_F(SessionV3Test, APollIsSentAwayDuringAnUpgrade) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  bench.upgrade(sid);
  EXPECT_EQ(poll.answer().body, "1:6");
  EXPECT_EQ(session().transport(), TransportName::websocket);
}

// One message larger than all that may wait is not the client's fault, in whatever form it goes out.
TEST_F(SessionV3Test, OneLargeBinaryMessageIsNoSlowness) {
  Options options = allowing();
  options.send_queue_bytes_max = 1000;
  EngineBench small{world, handler, options};
  small.query = "EIO=3";
  FakePeer& websocket = small.open_websocket();
  session().send(make_binary_frames(std::string(2000, 'x')));
  small.turn();
  EXPECT_TRUE(websocket.open());
}

// --- the heartbeat ---

TEST_F(SessionV3Test, TheClientPingsAndTheServerAnswers) {
  FakePeer& websocket = bench.open_websocket();
  bench.message(websocket, "2");
  EXPECT_THAT(websocket.take(), ElementsAre("3"));
  bench.message(websocket, "2anything");
  EXPECT_THAT(websocket.take(), ElementsAre("3"));

  const std::string sid = bench.open_polling();
  bench.post(sid, "1:2");
  EXPECT_EQ(bench.poll(sid).answer().body, "1:3");
}

TEST_F(SessionV3Test, OnlyPingsProveThatAClientIsThere) {
  FakePeer& websocket = bench.open_websocket();
  bench.advance(Milliseconds(30'000));
  bench.message(websocket, "4hello");
  bench.advance(Milliseconds(10'000));
  bench.message(websocket, "2");
  handler.take();
  bench.advance(Milliseconds(44'900));
  EXPECT_THAT(handler.log, IsEmpty());
  EXPECT_THAT(websocket.take(), ElementsAre("3"));  // the server asks for nothing
  bench.advance(Milliseconds(200));
  EXPECT_THAT(handler.log, ElementsAre("close ping_timeout"));
  EXPECT_EQ(websocket.closed_with, 1005);
}

// The reference forgets the heartbeat with the upgrade.
TEST_F(SessionV3Test, SilenceEndsAnUpgradedSessionToo) {
  FakePeer& websocket = bench.upgrade(bench.open_polling());
  bench.advance(Milliseconds(45'100));
  EXPECT_THAT(handler.log, ElementsAre("open", "close ping_timeout"));
  EXPECT_EQ(websocket.closed_with, 1005);
}

TEST_F(SessionV3Test, AClientMayNotAnswerWhatNobodyAsked) {
  FakePeer& websocket = bench.open_websocket();
  bench.message(websocket, "3");
  EXPECT_THAT(handler.log, ElementsAre("open", "close transport_error"));
}

// --- scripts ---

TEST_F(SessionV3Test, AnswersMayBeScripts) {
  bench.query = "EIO=3&j=2";
  const std::string open = bench.request("GET", EngineBench::target("polling", {}, bench.query)).answer().body;
  EXPECT_THAT(open, MatchesRegex(R"(___eio\[2\]\("[0-9]+:0\{\\"sid\\":.*\}"\);)"));

  const std::string mark = R"(\"sid\":\")";
  const std::string sid = open.substr(open.find(mark) + mark.size(), 26);
  FakePeer& poll = bench.poll(sid);
  EXPECT_EQ(bench.post(sid, "d=6%3A4a%5C%5Cn%5Cnb1%3A2").answer().body, "ok");
  EXPECT_THAT(handler.take(), ElementsAre("open", "text a\\n\nb"));
  EXPECT_EQ(poll.answer().body, R"(___eio[2]("1:3");)");

  FakePeer& next = bench.poll(sid);
  send(text_and_binary());  // no binary in a script
  EXPECT_EQ(next.answer().body, R"(___eio[2]("6:4hello10:b4AQIDBA==");)");
  EXPECT_EQ(next.header("content-type"), "text/plain; charset=UTF-8");
}

TEST_F(SessionV3Test, AFormWithoutAPayloadEndsTheSession) {
  bench.query = "EIO=3&j=0";
  const std::string open = bench.request("GET", EngineBench::target("polling", {}, bench.query)).answer().body;
  const std::string mark = R"(\"sid\":\")";
  const std::string sid = open.substr(open.find(mark) + mark.size(), 26);
  EXPECT_EQ(bench.post(sid, "6:4hello").answer().status, 400);
  EXPECT_THAT(handler.take(), ElementsAre("open", "close parse_error"));
}

TEST_F(SessionV3Test, VersionFourKnowsNoScripts) {
  EXPECT_THAT(bench.request("GET", "/engine.io/?EIO=4&transport=polling&j=0").answer().body, StartsWith("0{"));
}

// --- version 4 with base64, which clients ask for by the same parameter ---

TEST_F(SessionV3Test, ClientsOfVersionFourMayAskForBase64Too) {
  bench.query = "EIO=4&b64=1";
  FakePeer& websocket = bench.open_websocket();
  send(text_and_binary());
  EXPECT_THAT(websocket.take(), ElementsAre("4hello", "bAQIDBA=="));
  bench.message(websocket, "bAQI=");
  EXPECT_THAT(handler.take(), ElementsAre("open", "binary \1\2"));
}

}  // namespace
}  // namespace carillon::engineio
