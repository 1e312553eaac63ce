// Fakes for tests of the Engine.IO layer and of those above it: connections that record what they are told, and a
// bench that plays requests, messages and time to an engine.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/engine.hpp"
#include "engineio/peer.hpp"

namespace carillon::engineio {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint32_t seed = 1) : engine_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937 engine_;
};

// What all cores of one test share.
struct World {
  TimePoint now{Milliseconds(1'000'000)};
  TimerWheel timers{now};
  SeededRandom random;
};

// The messages of `frames` as a client gets them; binary ones are marked "b:".
inline std::vector<std::string> messages_of(const Frames& frames) {
  std::vector<std::string> messages;
  for (const Frames::Part& part : frames.parts())
    messages.push_back((part.binary ? "b:" : "") + std::string(frames.payload(part)));
  return messages;
}

// Packets in one payload of long polling.
inline std::string payload_of(std::initializer_list<std::string_view> packets) {
  std::string payload;
  for (const std::string_view packet : packets) payload.append(packet).push_back(payload_separator);
  payload.pop_back();
  return payload;
}

// One connection. Fails the test where the engine breaks the rules of its port.
class FakePeer final : public Peer {
 public:
  // A request arrives.
  void ask() {
    EXPECT_FALSE(pending_) << "a request behind an unanswered one";
    pending_ = true;
  }
  // The end of a turn: what was queued is written, or waits.
  void end_turn() { backlog += stalled ? std::exchange(queued_, 0) : 0, queued_ = 0; }
  // What was sent since the last call.
  std::vector<std::string> take() { return std::exchange(messages, {}); }

  bool pending() const { return pending_; }
  bool websocket() const { return websocket_; }
  bool open() const { return !was_cut && !closed_with; }
  // Nothing can come by it any more.
  bool finished() const { return gone || (!pending_ && (!websocket_ || !open())); }
  const http::Response& answer() const {
    static const http::Response none{0};
    EXPECT_FALSE(responses.empty()) << "no answer";
    return responses.empty() ? none : responses.back();
  }
  std::string header(std::string_view name) const {
    return std::string(http::find_header(answer().headers, name).value_or("(none)"));
  }

  void respond(http::Response response) override {
    EXPECT_TRUE(pending_) << "a second answer: " << response.body;
    EXPECT_TRUE(open());
    pending_ = false;
    responses.push_back(std::move(response));
    if (next_request) std::exchange(next_request, nullptr)();
  }
  bool accept_websocket(std::vector<http::Header> headers) override {
    EXPECT_TRUE(pending_);
    if (!good_handshake) {
      respond({400, {}, "Bad WebSocket handshake"});
      return false;
    }
    pending_ = false;
    websocket_ = true;
    upgrade_headers = std::move(headers);
    return true;
  }
  std::size_t send(const FramesPtr& frames) override {
    EXPECT_TRUE(websocket_ && open()) << "sent after the end";
    for (std::string& message : messages_of(*frames)) messages.push_back(std::move(message));
    queued_ += frames->bytes() + queued_overhead_bytes;
    return backlog + queued_;
  }
  std::size_t backlog_bytes() const override { return backlog; }
  void close_websocket(std::uint16_t code, std::string_view reason) override {
    EXPECT_TRUE(websocket_ && open());
    closed_with = code;
    close_text = reason;
  }
  void cut() override {
    EXPECT_TRUE(open());
    was_cut = true;
    pending_ = false;
  }

  bool good_handshake = true;
  bool stalled = false;  // the client does not read
  std::size_t backlog = 0;
  std::function<void()> next_request;  // pipelined: arrives as soon as the pending one is answered
  std::vector<http::Response> responses;
  std::vector<std::string> messages;  // over WebSocket
  std::vector<http::Header> upgrade_headers;
  std::optional<std::uint16_t> closed_with;
  std::string close_text;
  bool was_cut = false;
  bool gone = false;  // closed by the client

 private:
  bool pending_ = false;
  bool websocket_ = false;
  std::size_t queued_ = 0;
};

// A layer above that records, and does what the test says.
class RecordingHandler final : public SessionHandler {
 public:
  void on_open(Session& session) override {
    last = &session;
    log.emplace_back("open");
    if (opened) opened(session);
  }
  void on_message(Session& session, bool binary, std::string_view data) override {
    EXPECT_TRUE(session.open()) << "a message after the end";
    log.push_back((binary ? "binary " : "text ") + std::string(data));
    if (received) received(session, data);
  }
  void on_close(Session& session, CloseReason reason) override {
    EXPECT_FALSE(session.open());
    log.push_back("close " + std::string(to_string(reason)));
    if (closed) closed(session, reason);
  }
  void on_ping_sent(Session&) override {
    if (notes_pings) log.emplace_back("ping sent");
  }
  void on_pong(Session&) override {
    if (notes_pings) log.emplace_back("pong");
  }
  std::vector<std::string> take() { return std::exchange(log, {}); }

  bool notes_pings = false;
  std::vector<std::string> log;
  Session* last = nullptr;  // opened last; dangling once it has ended
  std::function<void(Session&)> opened;
  std::function<void(Session&, std::string_view)> received;
  std::function<void(Session&, CloseReason)> closed;
};

// Plays the loop and the connections. Every call is a turn of its own, unless `one_turn` is set.
class EngineBench {
 public:
  EngineBench(World& world, SessionHandler& handler, Options options = {})
      : world_(world),
        options_(std::move(options)),
        engine(options_, {"NODE", 5}, handler, world.timers, world.random) {}

  // The head of a request. `wanted` of the result: the engine waits for the body.
  struct Asked {
    FakePeer& peer;
    bool wanted;
  };
  Asked ask(FakePeer& peer, std::string method, std::string target, std::vector<http::Header> headers = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.address = "192.0.2.1";
    request.received_unix_ms = 1'700'000'000'000;
    peer.ask();
    const bool wanted = engine.on_request(peer, request, world_.now);
    turn();
    return {peer, wanted};
  }
  FakePeer& request(std::string method, std::string target, std::vector<http::Header> headers = {}) {
    return ask(new_peer(), std::move(method), std::move(target), std::move(headers)).peer;
  }
  FakePeer& websocket_request(const std::string& target, std::vector<http::Header> headers = {}) {
    headers.emplace_back("Connection", "Upgrade");
    headers.emplace_back("Upgrade", "websocket");
    return request("GET", target, std::move(headers));
  }

  static std::string target(std::string_view transport, std::string_view sid = {}, std::string_view query = "EIO=4") {
    std::string text = "/engine.io/?" + std::string(query) + "&transport=" + std::string(transport);
    if (!sid.empty()) text.append("&sid=").append(sid);
    return text;
  }
  // Gives the session's id.
  std::string open_polling() { return sid_in(request("GET", target("polling", {}, query)).answer().body); }
  // The open packet is taken away.
  FakePeer& open_websocket() {
    FakePeer& peer = websocket_request(target("websocket", {}, query));
    if (peer.messages.empty()) advance(TimerWheel::tick);  // version 3
    EXPECT_EQ(peer.take().size(), 1U);
    return peer;
  }
  FakePeer& poll(std::string_view sid) { return request("GET", target("polling", sid, query)); }
  FakePeer& probe(std::string_view sid) { return websocket_request(target("websocket", sid, query)); }
  Asked post_head(std::string_view sid, std::vector<http::Header> headers = {}) {
    return ask(new_peer(), "POST", target("polling", sid, query), std::move(headers));
  }
  void body(FakePeer& peer, const std::string& bytes) {
    engine.on_body(peer, bytes, world_.now);
    turn();
  }
  FakePeer& post(std::string_view sid, const std::string& bytes, std::vector<http::Header> headers = {}) {
    const Asked asked = post_head(sid, std::move(headers));
    if (asked.wanted) body(asked.peer, bytes);
    return asked.peer;
  }
  void message(FakePeer& peer, std::string text) {
    engine.on_message(peer, false, text, world_.now);
    turn();
  }
  void binary(FakePeer& peer, std::string bytes) {
    engine.on_message(peer, true, bytes, world_.now);
    turn();
  }
  void closed(FakePeer& peer, bool clean = true) {
    engine.on_closed(peer, clean, world_.now);
    peer.gone = true;
    turn();
  }
  // A session that began with polling and has been upgraded; gives its WebSocket.
  FakePeer& upgrade(std::string_view sid) {
    FakePeer& peer = probe(sid);
    message(peer, "2probe");
    message(peer, "5");
    EXPECT_EQ(peer.take(), std::vector<std::string>{"3probe"});
    return peer;
  }

  void turn() {
    if (one_turn) return;
    while (engine.has_work() || engine.has_slow_clients()) engine.flush();
    for (const auto& peer : peers_) peer->end_turn();
  }
  void end_turn() {
    one_turn = false;
    turn();
  }
  void advance(Milliseconds by) {
    const TimePoint end = world_.now + by;
    while (world_.timers.next_wake() <= end) tick(std::max(world_.now, world_.timers.next_wake()));
    tick(end);
  }

  // For long runs: forgets the connections that are finished, unless the test still uses them.
  void drop_finished_peers(const std::function<bool(const FakePeer&)>& used) {
    std::erase_if(peers_, [&](const auto& peer) { return peer->finished() && !used(*peer); });
  }

  FakePeer& new_peer() { return *peers_.emplace_back(std::make_unique<FakePeer>()); }
  static std::string sid_in(const std::string& open_packet) {
    const std::string mark = R"("sid":")";
    const std::size_t at = open_packet.find(mark);
    EXPECT_NE(at, std::string::npos) << open_packet;
    return at == std::string::npos ? "" : open_packet.substr(at + mark.size(), 26);
  }

  // Tells the layer above, as the shard does.
  std::function<void(TimePoint)> set_time;
  bool one_turn = false;
  // Of the requests that the bench makes up itself.
  std::string query = "EIO=4";

 private:
  void tick(TimePoint now) {
    world_.now = now;
    engine.set_time(now);
    if (set_time) set_time(now);
    world_.timers.advance(now);
    turn();
  }

  World& world_;
  Options options_;
  std::vector<std::unique_ptr<FakePeer>> peers_;  // outlive the engine, whose sessions let go of them

 public:
  Engine engine;
};

}  // namespace carillon::engineio
