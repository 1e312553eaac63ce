// Eight hours of clients that come, upgrade, talk, misbehave, vanish and return, on virtual time: nothing may be left of
// them, and what the server holds must be the same at the end of each quarter.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "socketio/testing.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Of <sanitizer/allocator_interface.h>, which not every compiler's package has.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // NOLINT
#endif

namespace carillon::socketio {
namespace {

constexpr std::size_t clients = 30;
constexpr Milliseconds between_steps{300};  // of all clients together: each does something every nine seconds
constexpr std::chrono::hours duration{8};
constexpr int quarters = 4;

std::size_t heap_bytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

// One client at a time, of many in the life of a slot.
class Visitor {
 public:
  Visitor(Bench& bench, std::mt19937& random) : bench_(bench), random_(random) {}

  void step() {
    if (!here()) return arrive();
    read();
    if (!here()) return;
    switch (random_() % 16) {
      case 0:
        return vanish();
      case 1:
        return say("1");
      case 2:
        return say(
            pick({"9", "2[", "0", "51-[\"x\",{\"_placeholder\":true,\"num\":0}]", "2/other,[\"x\"]", "3123[1]", ""}));
      case 3:
        return upgrade();
      case 4:
        return join();
      case 5:
        return say("0/other,");
      case 6:
        return say("20[\"echo\",\"" + std::string(random_() % 3000, 'e') + "\"]");
      case 7:
        mute_ = true;  // a half-open connection, which the server has to find out about
        return;
      default:
        return say("2[\"all\",1]");
    }
  }
  // Polls, and answers pings.
  void read() {
    if (websocket_ != nullptr) {
      if (!mute_) take(websocket_->take());
      if (websocket_ != nullptr && !websocket_->open()) forget();
      return;
    }
    if (mute_) {
      if (poll_ != nullptr && poll_->finished()) poll_ = nullptr;
      return;
    }
    if (sid_.empty()) return;
    if (poll_ != nullptr && poll_->pending()) return;
    if (poll_ != nullptr && !poll_->responses.empty()) take(split(poll_->answer().body));
    poll_ = nullptr;
    if (sid_.empty()) return;
    engineio::FakePeer& peer = bench_.engine().poll(sid_);
    if (!peer.pending() && peer.answer().status != 200) return forget();
    poll_ = &peer;
  }
  void vanish() {
    if (websocket_ != nullptr && websocket_->open()) bench_.engine().closed(*websocket_, random_() % 2 == 0);
    if (poll_ != nullptr && poll_->pending()) bench_.engine().closed(*poll_, false);
    forget();
  }
  bool uses(const engineio::FakePeer& peer) const { return &peer == poll_ || &peer == websocket_; }
  bool here() const { return websocket_ != nullptr || !sid_.empty(); }

 private:
  void arrive() {
    mute_ = false;
    if (random_() % 3 == 0) {
      websocket_ = &bench_.engine().open_websocket();
    } else {
      sid_ = bench_.engine().open_polling();
    }
    Object auth;
    if (!pid_.empty() && random_() % 2 == 0) auth = {{"pid", pid_}};
    say("0" + to_json(auth));
    read();
  }
  void join() { say("2[\"join\",\"room " + std::to_string(random_() % 20) + "\"]"); }
  void upgrade() {
    if (websocket_ != nullptr) return;
    engineio::FakePeer& probe = bench_.engine().probe(sid_);
    if (!probe.open()) return;
    bench_.engine().message(probe, "2probe");
    if (random_() % 4 == 0) return bench_.engine().closed(probe, false);
    read();  // the poll comes back
    if (sid_.empty() || !probe.open()) return;
    bench_.engine().message(probe, "5");
    sid_.clear();
    poll_ = nullptr;
    websocket_ = &probe;
  }
  void say(const std::string& packet) {
    if (mute_) return;
    send("4" + packet);
  }
  void send(const std::string& message) {
    if (websocket_ != nullptr) {
      if (websocket_->open()) bench_.engine().message(*websocket_, message);
    } else if (!sid_.empty()) {
      bench_.engine().post(sid_, message);
    }
  }
  void take(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) {
      if (message == "2") send("3");
      if (message == "1") return forget();
      const std::size_t pid = message.find("\"pid\":\"");
      if (pid != std::string::npos) pid_ = message.substr(pid + 7, 20);
    }
  }
  void forget() {
    sid_.clear();
    poll_ = nullptr;
    websocket_ = nullptr;
  }
  std::string pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + static_cast<std::ptrdiff_t>(random_() % choices.size()));
  }
  static std::vector<std::string> split(const std::string& payload) {
    std::vector<std::string> packets;
    for (std::size_t from = 0; from <= payload.size();) {
      const std::size_t end = std::min(payload.find(engineio::payload_separator, from), payload.size());
      packets.push_back(payload.substr(from, end - from));
      from = end + 1;
    }
    return packets;
  }

  Bench& bench_;
  std::mt19937& random_;
  std::string sid_;  // while it polls
  engineio::FakePeer* poll_ = nullptr;
  engineio::FakePeer* websocket_ = nullptr;
  std::string pid_;
  bool mute_ = false;
};

void set_up(Bench& bench) {
  bench.recovers = bench.clustered = true;
  bench.of("/other");
  bench.root().on_connection([&bench](Socket& socket) {
    socket.on("echo", [](const Args& args, const Ack& ack) { ack(args); });
    socket.on("join", [&socket](const Args& args) { socket.join(*args[0].as_string()); });
    socket.on("all", [&](const Args& args) {
      bench.root().to("room 1").to("room 2").emit("n", args);
      socket.emit("mine", args);
      socket.emit_with_ack("ask", args, [](const AckResult&) {}, std::chrono::seconds(5));
    });
  });
}

TEST(Soak, NothingIsLeftAfterEightHours) {
  Bench bench;
  set_up(bench);
  std::mt19937 random(20261121);  // NOLINT: the same run each time
  std::array<std::size_t, quarters> held{};
  for (std::size_t& heap : held) {
    {
      std::vector<Visitor> visitors(clients, Visitor(bench, random));
      const TimePoint end = bench.world.now + duration / quarters;
      while (bench.world.now < end) {
        bench.advance(between_steps);
        visitors[random() % clients].step();
        bench.shard.run();
        if (random() % 64 == 0) {
          for (Visitor& visitor : visitors) visitor.read();
          bench.engine().drop_finished_peers([&](const engineio::FakePeer& peer) {
            return std::ranges::any_of(visitors, [&](const Visitor& visitor) { return visitor.uses(peer); });
          });
          EXPECT_LE(bench.engine().engine.session_count(), 4 * clients);
        }
        bench.node.broadcasts.clear();
      }
      for (Visitor& visitor : visitors) visitor.vanish();
    }
    bench.advance(std::chrono::minutes(10));
    bench.turn();
    bench.engine().drop_finished_peers([](const engineio::FakePeer&) { return false; });
    bench.expect_empty();
    EXPECT_EQ(bench.store().stored_count(), 0U);
    heap = heap_bytes();
  }
  const auto& stats = bench.engine().engine.stats();
  EXPECT_GT(stats.sessions_opened_polling.value(), 2'000U);
  EXPECT_GT(stats.sessions_opened_websocket.value(), 1'000U);
  EXPECT_GT(stats.upgrades.value(), 500U);
  EXPECT_GT(bench.core().stats().recovered.value(), 200U);
  EXPECT_GT(bench.core().stats().parse_errors.value(), 500U);
  for (std::size_t reason = 0; reason < engineio::close_reason_count; ++reason)
    RecordProperty(std::string(to_string(static_cast<engineio::CloseReason>(reason))),
                   std::to_string(stats.sessions_closed[reason].value()));
  // What is kept for reuse grows at first; the smallest block left by every tenth client would be seen here.
  EXPECT_LE(held[3], held[2] + 16 * 1024) << held[0] << ' ' << held[1] << ' ' << held[2] << ' ' << held[3];
}

}  // namespace
}  // namespace carillon::socketio
