#include "engineio/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr std::string_view transport_unknown = R"({"code":0,"message":"Transport unknown"})";
constexpr std::string_view sid_unknown = R"({"code":1,"message":"Session ID unknown"})";
constexpr std::string_view bad_method = R"({"code":2,"message":"Bad handshake method"})";
constexpr std::string_view bad_request = R"({"code":3,"message":"Bad request"})";
constexpr std::string_view bad_version = R"({"code":5,"message":"Unsupported protocol version"})";

class EngineTest : public ::testing::Test {
 protected:
  static Options with_cors(std::vector<std::string> origins) {
    Options options;
    options.cors.origins = std::move(origins);
    return options;
  }
  void expect_error(const FakePeer& peer, std::string_view body) {
    EXPECT_EQ(peer.answer().status, 400);
    EXPECT_EQ(peer.header("content-type"), "application/json");
    EXPECT_EQ(peer.answer().body, body);
  }

  World world;
  RecordingHandler handler;
  EngineBench bench{world, handler, with_cors({"*"})};
};

TEST_F(EngineTest, AHandshakeIsAnsweredWithTheOpenPacketAlone) {
  handler.opened = [](Session& session) { session.send(make_text_frames("4early")); };
  const FakePeer& peer = bench.request("GET", "/engine.io/?EIO=4&transport=polling");
  const std::string sid = handler.last->id();
  EXPECT_EQ(peer.answer().status, 200);
  EXPECT_EQ(peer.answer().body, R"(0{"sid":")" + sid +
                                    R"(","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,)"
                                    R"("maxPayload":1000000})");
  EXPECT_EQ(peer.header("content-type"), "text/plain; charset=UTF-8");
  EXPECT_EQ(peer.header("cache-control"), "no-store");
  EXPECT_EQ(peer.header("access-control-allow-origin"), "*");
  EXPECT_EQ(bench.poll(sid).answer().body, "4early");
}

TEST_F(EngineTest, AWebSocketHandshakeOffersNoUpgrade) {
  FakePeer& peer = bench.websocket_request("/engine.io/?EIO=4&transport=websocket");
  EXPECT_TRUE(peer.websocket());
  EXPECT_THAT(peer.take(), ElementsAre(R"(0{"sid":")" + handler.last->id() +
                                       R"(","upgrades":[],"pingInterval":25000,"pingTimeout":20000,)"
                                       R"("maxPayload":1000000})"));
  EXPECT_EQ(bench.engine.stats().sessions_opened_websocket.value(), 1U);
}

TEST_F(EngineTest, TheHandshakeRequestIsKeptForTheApplication) {
  bench.request("GET", "/engine.io/?EIO=4&transport=polling&token=a%20b", {{"X-Name", "value"}});
  const HandshakeRequest& request = *handler.last->request();
  EXPECT_EQ(request.address, "192.0.2.1");
  EXPECT_EQ(request.url, "/engine.io/?EIO=4&transport=polling&token=a%20b");
  EXPECT_EQ(request.issued_unix_ms, 1'700'000'000'000);
  EXPECT_THAT(request.headers, ElementsAre(http::Header("X-Name", "value")));
}

TEST_F(EngineTest, ErrorsOfRequestsWithoutASession) {
  expect_error(bench.request("GET", "/engine.io/?EIO=4"), transport_unknown);
  expect_error(bench.request("GET", "/engine.io/?EIO=4&transport=tcp"), transport_unknown);
  expect_error(bench.request("GET", "/engine.io/?EIO=4&transport=Polling"), transport_unknown);
  expect_error(bench.request("GET", "/engine.io/?EIO=4&transport=polling&sid=abc"), sid_unknown);
  expect_error(bench.request("POST", "/engine.io/?EIO=4&transport=polling&sid=abc"), sid_unknown);
  for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "PATCH"})
    expect_error(bench.request(method, "/engine.io/?EIO=4&transport=polling"), bad_method);
  expect_error(bench.request("GET", "/engine.io/?EIO=4&transport=websocket"), bad_request);
  expect_error(bench.request("GET", "/engine.io/?transport=polling"), bad_version);
  expect_error(bench.request("GET", "/engine.io/?EIO=3&transport=polling"), bad_version);
  expect_error(bench.request("GET", "/engine.io/?EIO=abc&transport=polling"), bad_version);
  expect_error(bench.request("GET", "/engine.io/?EIO=5&transport=polling"), bad_version);
  EXPECT_TRUE(handler.log.empty());
  EXPECT_EQ(bench.engine.stats().requests_refused.value(), 15U);
}

// Each request has all the faults behind the one that is named.
TEST_F(EngineTest, ErrorsAreCheckedInTheOrderOfTheReferenceServer) {
  const std::string sid = bench.open_polling();
  expect_error(bench.request("PUT", "/engine.io/?EIO=9&transport=tcp&sid=abc"), transport_unknown);
  expect_error(bench.request("PUT", "/engine.io/?EIO=9&transport=websocket&sid=abc"), sid_unknown);
  expect_error(bench.request("PUT", "/engine.io/?EIO=9&transport=websocket&sid=" + sid), bad_request);
  expect_error(bench.request("PUT", "/engine.io/?EIO=9&transport=websocket"), bad_method);
  expect_error(bench.request("GET", "/engine.io/?EIO=9&transport=websocket"), bad_request);
  expect_error(bench.request("GET", "/engine.io/?EIO=9&transport=polling"), bad_version);
  EXPECT_EQ(bench.engine.session_count(), 1U);
}

TEST_F(EngineTest, ASessionKeepsItsVersion) {
  const std::string sid = bench.open_polling();
  for (const std::string query : {"", "EIO=3&", "EIO=5&"}) {
    expect_error(bench.request("GET", "/engine.io/?" + query + "transport=polling&sid=" + sid), bad_request);
    EXPECT_EQ(bench.websocket_request("/engine.io/?" + query + "transport=websocket&sid=" + sid).answer().body,
              "Bad request");
  }
  EXPECT_TRUE(bench.poll(sid).pending());
}

TEST_F(EngineTest, AnEmptySidIsAHandshake) {
  EXPECT_THAT(bench.request("GET", "/engine.io/?EIO=4&transport=polling&sid=").answer().body, StartsWith("0{"));
}

TEST_F(EngineTest, OfRepeatedParametersTheLastCounts) {
  EXPECT_THAT(bench.request("GET", "/engine.io/?EIO=3&transport=tcp&transport=polling&EIO=4").answer().body,
              StartsWith("0{"));
  const std::string sid = bench.open_polling();
  expect_error(bench.request("GET", "/engine.io/?EIO=4&transport=polling&sid=" + sid + "&sid=abc"), sid_unknown);
  EXPECT_TRUE(bench.request("GET", "/engine.io/?EIO=4&transport=polling&sid=abc&sid=" + sid).pending());
}

TEST_F(EngineTest, OtherMethodsLeaveTheSessionUnharmed) {
  const std::string sid = bench.open_polling();
  const FakePeer& poll = bench.poll(sid);
  for (const char* method : {"PUT", "DELETE", "HEAD", "PATCH"})
    EXPECT_EQ(bench.request(method, EngineBench::target("polling", sid)).answer().status, 500) << method;
  EXPECT_TRUE(poll.pending());
  EXPECT_EQ(bench.post(sid, "4x").answer().body, "ok");
}

TEST_F(EngineTest, AnswersOnlyUnderItsPath) {
  for (const char* target : {"/", "/socket.io/?EIO=4&transport=polling", "/engine.iox/?EIO=4&transport=polling",
                             "/engine.ioEIO=4&transport=polling", "/x/engine.io/?EIO=4&transport=polling"}) {
    EXPECT_EQ(bench.request("GET", target).answer().status, 404) << target;
    EXPECT_EQ(bench.request("OPTIONS", target).answer().status, 404) << target;
  }
  EXPECT_EQ(bench.websocket_request("/chat?EIO=4&transport=websocket").answer().status, 404);
  for (const char* target : {"/engine.io?EIO=4&transport=polling", "/engine.io/?EIO=4&transport=polling",
                             "/engine.io/x?EIO=4&transport=polling"})
    EXPECT_EQ(bench.request("GET", target).answer().status, 200) << target;
}

TEST_F(EngineTest, ARefusedWebSocketGetsPlainText) {
  const auto expect_refused = [](const FakePeer& peer, std::string_view message) {
    EXPECT_FALSE(peer.websocket());
    EXPECT_EQ(peer.answer().status, 400);
    EXPECT_EQ(peer.answer().body, message);
    EXPECT_TRUE(peer.answer().close);
  };
  expect_refused(bench.websocket_request("/engine.io/?EIO=4"), "Transport unknown");
  expect_refused(bench.websocket_request("/engine.io/?EIO=4&transport=tcp&sid=abc"), "Transport unknown");
  expect_refused(bench.websocket_request("/engine.io/?EIO=4&transport=polling"), "Bad request");
  expect_refused(bench.websocket_request("/engine.io/?EIO=4&transport=websocket&sid=abc"), "Session ID unknown");
  expect_refused(bench.websocket_request("/engine.io/?EIO=3&transport=websocket"), "Unsupported protocol version");
  EXPECT_TRUE(handler.log.empty());
}

TEST_F(EngineTest, AnImproperWebSocketHandshakeOpensNoSession) {
  FakePeer& peer = bench.new_peer();
  peer.good_handshake = false;
  bench.ask(peer, "GET", EngineBench::target("websocket"), {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}});
  EXPECT_EQ(peer.answer().status, 400);
  EXPECT_EQ(bench.engine.session_count(), 0U);
}

TEST_F(EngineTest, APreflightIsAnsweredBeforeAnyCheck) {
  const FakePeer& peer =
      bench.request("OPTIONS", "/engine.io/?transport=tcp&sid=abc",
                    {{"Origin", "https://a.example"}, {"Access-Control-Request-Headers", "x-one, x-two"}});
  EXPECT_EQ(peer.answer().status, 204);
  EXPECT_EQ(peer.header("access-control-allow-origin"), "*");
  EXPECT_EQ(peer.header("access-control-allow-headers"), "x-one, x-two");
  EXPECT_THAT(peer.header("access-control-allow-methods"), ::testing::HasSubstr("POST"));
}

TEST_F(EngineTest, AnswersAndErrorsCarryCorsAlsoWithoutAnOrigin) {
  const std::string sid = bench.open_polling();
  EXPECT_EQ(bench.post(sid, "4x").header("access-control-allow-origin"), "*");
  EXPECT_EQ(bench.request("GET", "/engine.io/").header("access-control-allow-origin"), "*");
}

TEST(EngineCors, AListOfOriginsNamesTheOneThatAsks) {
  World world;
  RecordingHandler handler;
  Options options;
  options.cors.origins = {"https://a.example", "https://b.example"};
  EngineBench bench(world, handler, options);
  const FakePeer& allowed = bench.request("GET", EngineBench::target("polling"), {{"Origin", "https://b.example"}});
  EXPECT_EQ(allowed.header("access-control-allow-origin"), "https://b.example");
  EXPECT_EQ(allowed.header("vary"), "Origin");
  const FakePeer& foreign = bench.request("GET", EngineBench::target("polling"), {{"Origin", "https://c.example"}});
  EXPECT_EQ(foreign.header("access-control-allow-origin"), "(none)");
  EXPECT_EQ(foreign.header("vary"), "Origin");
  const FakePeer& preflight = bench.request("OPTIONS", "/engine.io/", {{"Origin", "https://a.example"}});
  EXPECT_EQ(preflight.header("access-control-allow-origin"), "https://a.example");
}

TEST(EngineCors, WithoutConfigurationThereAreNoHeadersAndNoPreflight) {
  World world;
  RecordingHandler handler;
  EngineBench bench(world, handler);
  const FakePeer& handshake = bench.request("GET", EngineBench::target("polling"), {{"Origin", "https://a.example"}});
  EXPECT_EQ(handshake.header("access-control-allow-origin"), "(none)");
  EXPECT_EQ(handshake.header("vary"), "(none)");
  EXPECT_EQ(bench.request("OPTIONS", EngineBench::target("polling")).answer().body, bad_method);
}

TEST(EngineStats, CountSessionsAndMessages) {
  World world;
  RecordingHandler handler;
  EngineBench bench(world, handler);
  const std::string sid = bench.open_polling();
  FakePeer& websocket = bench.open_websocket();
  bench.message(websocket, "4hello");
  bench.post(sid, payload_of({"4a", "4b"}));
  bench.upgrade(sid);
  bench.closed(websocket);
  const Stats& stats = bench.engine.stats();
  EXPECT_EQ(stats.sessions_opened_polling.value(), 1U);
  EXPECT_EQ(stats.sessions_opened_websocket.value(), 1U);
  EXPECT_EQ(stats.sessions.value(), 1);
  EXPECT_EQ(stats.sessions_closed[static_cast<std::size_t>(CloseReason::transport_close)].value(), 1U);
  EXPECT_EQ(stats.messages_received.value(), 3U);
  EXPECT_EQ(stats.upgrades.value(), 1U);
}

TEST(CloseReasonNames, AreAllDifferent) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < close_reason_count; ++i) {
    const std::string_view name = to_string(static_cast<CloseReason>(i));
    EXPECT_NE(name, "unknown");
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 0);
    names.push_back(name);
  }
}

}  // namespace
}  // namespace carillon::engineio
