// What goes on around a handshake: the application's permission, headers, cookies, CORS, compression, static files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engineio/testing.hpp"

namespace carillon::engineio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::string_view polling_target = "/engine.io/?EIO=4&transport=polling";
constexpr std::string_view websocket_target = "/engine.io/?EIO=4&transport=websocket";

// An application that answers when the test says so.
class FakeHooks final : public HandshakeHooks {
 public:
  bool asks() const override { return asking; }
  void ask(std::uint64_t ticket, const std::shared_ptr<const HandshakeRequest>& request) override {
    asked.push_back(ticket);
    urls.push_back(request->url);
    if (at_once) at_once(ticket);
  }
  void add_headers(std::vector<http::Header>& headers, const HandshakeRequest& request, bool initial) override {
    headers.emplace_back(initial ? "x-initial" : "x-later", request.url.substr(0, request.url.find('?')));
  }

  bool asking = true;
  std::vector<std::uint64_t> asked;
  std::vector<std::string> urls;
  std::function<void(std::uint64_t)> at_once;
};

class EngineHandshakeTest : public ::testing::Test {
 protected:
  void start(Options options = {}) {
    bench = std::make_unique<EngineBench>(world, handler, std::move(options));
    bench->engine.set_hooks(&hooks);
  }
  void answer(std::uint64_t ticket, std::optional<std::string> refusal = std::nullopt) {
    bench->engine.on_admission(ticket, refusal, world.now);
    bench->turn();
  }
  FakePeer& poll_handshake(std::vector<http::Header> headers = {}) {
    return bench->request("GET", std::string(polling_target), std::move(headers));
  }
  FakePeer& websocket_handshake() { return bench->websocket_request(std::string(websocket_target)); }
  const Stats& stats() const { return bench->engine.stats(); }

  World world;
  RecordingHandler handler;
  FakeHooks hooks;
  std::unique_ptr<EngineBench> bench;
};

using AllowRequestTest = EngineHandshakeTest;

TEST_F(AllowRequestTest, AHandshakeWaitsForTheApplication) {
  start();
  FakePeer& polling = poll_handshake();
  FakePeer& websocket = websocket_handshake();
  EXPECT_TRUE(polling.pending());
  EXPECT_TRUE(websocket.pending());
  EXPECT_THAT(hooks.urls, ElementsAre(polling_target, websocket_target));
  EXPECT_EQ(stats().handshakes_waiting.value(), 2);
  answer(hooks.asked[1]);
  EXPECT_THAT(websocket.take(), ElementsAre(StartsWith("0{")));
  answer(hooks.asked[0]);
  EXPECT_THAT(polling.answer().body, StartsWith("0{"));
  EXPECT_EQ(stats().handshakes_waiting.value(), 0);
  EXPECT_EQ(bench->engine.session_count(), 2U);
}

TEST_F(AllowRequestTest, ItMayAnswerAtOnce) {
  start();
  hooks.at_once = [&](std::uint64_t ticket) { bench->engine.on_admission(ticket, std::nullopt, world.now); };
  EXPECT_THAT(poll_handshake().answer().body, StartsWith("0{"));
  EXPECT_THAT(websocket_handshake().take(), ElementsAre(StartsWith("0{")));
}

TEST_F(AllowRequestTest, ARefusalIsCode4) {
  start();
  FakePeer& polling = poll_handshake();
  FakePeer& websocket = websocket_handshake();
  FakePeer& silent = poll_handshake();
  answer(hooks.asked[0], "not today");
  answer(hooks.asked[1], "not today");
  answer(hooks.asked[2], "");
  EXPECT_EQ(polling.answer().status, 403);
  EXPECT_EQ(polling.answer().body, R"({"code":4,"message":"not today"})");
  EXPECT_EQ(websocket.answer().status, 400);
  EXPECT_EQ(websocket.answer().body, "not today");
  EXPECT_EQ(silent.answer().body, R"({"code":4,"message":"Forbidden"})");
  EXPECT_EQ(stats().handshakes_denied.value(), 3U);
  EXPECT_THAT(handler.log, IsEmpty());
}

TEST_F(AllowRequestTest, WhoIsNotAnsweredInTimeIsRefused) {
  Options options;
  options.allow_request_timeout = Milliseconds(500);
  start(options);
  FakePeer& first = poll_handshake();
  bench->advance(Milliseconds(300));
  FakePeer& second = websocket_handshake();
  bench->advance(Milliseconds(250));
  EXPECT_EQ(first.answer().status, 403);
  EXPECT_TRUE(second.pending());
  bench->advance(Milliseconds(300));
  EXPECT_EQ(second.answer().status, 400);
  EXPECT_EQ(stats().handshakes_unanswered.value(), 2U);
  EXPECT_EQ(stats().handshakes_waiting.value(), 0);
  for (const std::uint64_t ticket : hooks.asked) answer(ticket);
  EXPECT_EQ(bench->engine.session_count(), 0U) << "too late";
}

TEST_F(AllowRequestTest, AnAnswerForAClientThatHasGoneDoesNothing) {
  start();
  FakePeer& peer = poll_handshake();
  bench->closed(peer, false);
  EXPECT_EQ(stats().handshakes_waiting.value(), 0);
  answer(hooks.asked[0]);
  EXPECT_EQ(bench->engine.session_count(), 0U);
  answer(4711);
}

TEST_F(AllowRequestTest, OnlyHandshakesAreAskedAbout) {
  start();
  hooks.asking = false;
  const std::string sid = bench->open_polling();
  hooks.asking = true;
  EXPECT_TRUE(bench->poll(sid).pending());
  bench->upgrade(sid);
  bench->request("POST", std::string(polling_target));
  bench->request("GET", "/engine.io/?EIO=4&transport=tram");
  EXPECT_THAT(hooks.asked, IsEmpty());
}

TEST_F(AllowRequestTest, TheVersionIsCheckedAfterwardsAsTheReferenceServerDoes) {
  start();
  const FakePeer& peer = bench->request("GET", "/engine.io/?EIO=9&transport=polling");
  EXPECT_TRUE(peer.pending());
  answer(hooks.asked[0]);
  EXPECT_EQ(peer.answer().body, R"({"code":5,"message":"Unsupported protocol version"})");
}

TEST_F(AllowRequestTest, AServerThatStopsAnswersThoseWhoWait) {
  start();
  const FakePeer& peer = poll_handshake();
  bench->engine.close_all(CloseReason::shutting_down);
  EXPECT_EQ(peer.answer().status, 503);
}

using HeadersTest = EngineHandshakeTest;

TEST_F(HeadersTest, TheApplicationAddsToEveryAnswerOfASession) {
  start();
  hooks.asking = false;
  FakePeer& handshake = poll_handshake();
  EXPECT_EQ(handshake.header("x-initial"), "/engine.io/");
  EXPECT_EQ(handshake.header("x-later"), "(none)");
  const std::string sid = EngineBench::sid_in(handshake.answer().body);
  EXPECT_EQ(bench->post(sid, "4x").header("x-later"), "/engine.io/");
  const FakePeer& probe = bench->probe(sid);
  EXPECT_EQ(http::find_header(probe.upgrade_headers, "x-later"), "/engine.io/");
  const FakePeer& websocket = websocket_handshake();
  EXPECT_EQ(http::find_header(websocket.upgrade_headers, "x-initial"), "/engine.io/");
}

TEST_F(HeadersTest, TheCookieComesWithTheFirstAnswerOverPolling) {
  Options options;
  options.cookie = CookieOptions{};
  start(options);
  hooks.asking = false;
  FakePeer& handshake = poll_handshake();
  const std::string sid = EngineBench::sid_in(handshake.answer().body);
  EXPECT_EQ(handshake.header("set-cookie"), "io=" + sid + "; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(bench->post(sid, "4x").header("set-cookie"), "(none)");
  EXPECT_FALSE(http::find_header(websocket_handshake().upgrade_headers, "set-cookie"));
}

TEST_F(HeadersTest, EveryCorsOption) {
  Options options;
  options.cors.origins = {"https://a.example", "https://b.example"};
  options.cors.credentials = true;
  options.cors.methods = {"GET", "POST"};
  options.cors.allowed_headers = {"x-one", "x-two"};
  options.cors.exposed_headers = {"x-three"};
  options.cors.max_age_s = 600;
  start(options);
  hooks.asking = false;
  FakePeer& allowed = poll_handshake({{"Origin", "https://b.example"}});
  EXPECT_EQ(allowed.header("access-control-allow-origin"), "https://b.example");
  EXPECT_EQ(allowed.header("access-control-allow-credentials"), "true");
  EXPECT_EQ(allowed.header("access-control-expose-headers"), "x-three");
  EXPECT_EQ(allowed.header("vary"), "Origin");
  EXPECT_EQ(poll_handshake({{"Origin", "https://c.example"}}).header("access-control-allow-origin"), "(none)");
  const FakePeer& preflight = bench->request("OPTIONS", std::string(polling_target), {{"Origin", "https://a.example"}});
  EXPECT_EQ(preflight.answer().status, 204);
  EXPECT_EQ(preflight.header("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(preflight.header("access-control-allow-credentials"), "true");
  EXPECT_EQ(preflight.header("access-control-allow-methods"), "GET,POST");
  EXPECT_EQ(preflight.header("access-control-allow-headers"), "x-one,x-two");
  EXPECT_EQ(preflight.header("access-control-max-age"), "600");
  const FakePeer& websocket =
      bench->websocket_request(std::string(websocket_target), {{"Origin", "https://a.example"}});
  EXPECT_EQ(http::find_header(websocket.upgrade_headers, "access-control-allow-origin"), "https://a.example");
}

class HttpCompressionTest : public EngineHandshakeTest {
 protected:
  void start_with(http::CompressionSettings settings) {
    Options options;
    options.http_compression = settings;
    start(options);
    hooks.asking = false;
    sid = bench->open_polling();
  }
  FakePeer& poll(std::string accept) {
    return bench->request("GET", EngineBench::target("polling", sid), {{"Accept-Encoding", std::move(accept)}});
  }
  std::string sid;
};

TEST_F(HttpCompressionTest, LongAnswersAreCompressedAsTheClientLikes) {
  start_with({});
  const std::string message = "4" + std::string(3000, 'x');
  for (const auto& [accept, coding] :
       {std::pair("gzip, deflate", "gzip"), std::pair("gzip;q=0.1, deflate", "deflate")}) {
    handler.last->send(make_text_frames(message));
    FakePeer& peer = poll(accept);
    EXPECT_EQ(peer.header("content-encoding"), coding);
    EXPECT_LT(peer.answer().body.size(), 100U);
  }
  for (const std::string accept : {"", "br", "gzip;q=0"}) {
    handler.last->send(make_text_frames(message));
    FakePeer& peer = poll(accept);
    EXPECT_EQ(peer.header("content-encoding"), "(none)");
    EXPECT_EQ(peer.answer().body, message);
  }
  EXPECT_EQ(stats().payloads_compressed.value(), 2U);
}

TEST_F(HttpCompressionTest, TheThresholdIsThatOfThePayload) {
  start_with({.threshold_bytes = 100});
  handler.last->send(make_text_frames("4" + std::string(98, 'x')));
  EXPECT_EQ(poll("gzip").header("content-encoding"), "(none)");
  handler.last->send(make_text_frames("4" + std::string(99, 'x')));
  EXPECT_EQ(poll("gzip").header("content-encoding"), "gzip");
}

TEST_F(HttpCompressionTest, CanBeTurnedOff) {
  start_with({.enabled = false});
  handler.last->send(make_text_frames("4" + std::string(3000, 'x')));
  EXPECT_EQ(poll("gzip").header("content-encoding"), "(none)");
}

TEST_F(HttpCompressionTest, WhatForbidsItGoesAsItIsUnlessSomethingElseInThePayloadDoesNot) {
  start_with({});
  const auto frames = make_text_frames("4" + std::string(3000, 'x'));
  const auto forbidden = Frames::without_compression(*frames);
  handler.last->send(forbidden);
  EXPECT_EQ(poll("gzip").header("content-encoding"), "(none)");
  handler.last->send(forbidden);
  handler.last->send(make_text_frames("4y"));
  EXPECT_EQ(poll("gzip").header("content-encoding"), "gzip") << "as the reference server has it";
}

TEST_F(EngineHandshakeTest, StaticFilesLieBesideTheProtocol) {
  auto files = std::make_shared<http::StaticFiles>();
  files->add("socket.io.js", "application/javascript", "the client");
  Options options;
  options.client_files = std::move(files);
  options.cors.origins = {"*"};
  start(options);
  FakePeer& peer = bench->request("GET", "/engine.io/socket.io.js?v=1");
  EXPECT_EQ(peer.answer().body, "the client");
  EXPECT_EQ(peer.header("access-control-allow-origin"), "*");
  EXPECT_EQ(bench->request("GET", "/engine.io/other.js").answer().status, 400);
  EXPECT_EQ(bench->request("GET", "/engine.io").answer().status, 400);
  EXPECT_EQ(bench->request("POST", "/engine.io/socket.io.js").answer().status, 400);
}

}  // namespace
}  // namespace carillon::engineio
