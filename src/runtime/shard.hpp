// One shard: a thread with its loop, listeners, connections, sessions and timers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/random.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/engine.hpp"
#include "io/listener.hpp"
#include "io/loop.hpp"
#include "runtime/connection.hpp"
#include "runtime/deflation.hpp"
#include "runtime/service.hpp"
#include "runtime/stats.hpp"
#include "runtime/turn_guest.hpp"
#include "socketio/shard_port.hpp"

namespace carillon::runtime {

// What the shard's application is, seen from the shard: Socket.IO in a Node, something else in tests and examples.
class ShardApplication {
 public:
  virtual ~ShardApplication() = default;
  virtual engineio::SessionHandler& session_handler() = 0;
  virtual void set_time(TimePoint) {}
  virtual engineio::HandshakeHooks* handshake_hooks() { return nullptr; }
};

// Everything here belongs to the shard's thread, except post(), begin_stop(), join() and the statistics.
class Shard final : public socketio::ShardPort, private io::LoopHooks, private http::Handler {
 public:
  struct Settings {
    unsigned index = 0;
    std::string node_tag;
    const engineio::Options* engine = nullptr;      // outlives the shard
    Milliseconds drain_timeout{1'000};              // between begin_stop() and the end of the thread, at most
    const http::TrustedProxies* proxies = nullptr;  // outlives the shard; null: none
    ClientLedger* ledger = nullptr;                 // of the clients; outlives the shard; null: all may come
    std::size_t send_queue_bytes_total_max = 0;     // on this shard, as the next; 0: no limit
    std::size_t receive_buffer_bytes_total_max = 0;
  };
  using MakeApplication = std::function<std::unique_ptr<ShardApplication>(Shard&)>;

  Shard(Settings settings, const MakeApplication& make_application);
  ~Shard() override;

  // --- before start() ---
  // `spread`: what is accepted here goes to all shards in turn. Only with client_service().
  enum class Spread : bool { no, yes };
  void listen(std::unique_ptr<io::Listener> listener, Service& service, const Entrance& entrance = {},
              Spread spread = Spread::no);
  Service& client_service() { return clients_; }
  // All shards of the node, by index; for connections that belong elsewhere.
  void set_siblings(std::vector<Shard*> siblings) { siblings_ = std::move(siblings); }

  void start();  // begins to accept, on a thread of its own
  // Closes the listeners and all sessions; the thread ends when all connections have, and guests have finished, after
  // drain_timeout at most. `stays`: it goes on without them, for what others post, until this is called again: then
  // guests have what is left of drain_timeout, or a moment. Any thread.
  enum class Then : std::uint8_t { ends, stays };
  void begin_stop(Then then = Then::ends);
  void join();  // any other thread

  // --- any thread ---
  void post(Task task) override { loop_.post(std::move(task)); }
  bool is_current() const override { return loop_.is_current(); }
  const Stats& stats() const { return stats_; }
  const engineio::Engine& engine() const { return *engine_; }

  // --- the shard's thread ---
  io::Loop& loop() { return loop_; }
  TimerWheel& timers() { return timers_; }
  Random& random() { return *random_; }
  ShardApplication& application() { return *application_; }
  // The answer to ShardApplication::handshake_hooks()->ask().
  void on_admission(std::uint64_t ticket, const std::optional<std::string>& refusal) {
    engine_->on_admission(ticket, refusal, loop_.now());
  }
  Stats& stats() { return stats_; }
  unsigned index() const { return settings_.index; }

  // For connections.
  const http::TrustedProxies& trusted_proxies() const { return *settings_.proxies; }
  void on_refused(Refusal refusal, const http::Origin& origin);
  // What connections hold of messages that are not complete has changed. False: it is too much, together.
  bool count_received(std::size_t before, std::size_t now);
  bool count_address(ClientLedger::Pass& pass, const IpAddress& address);
  bool stopping() const { return stop_at_ != never; }
  std::span<char> read_buffer() { return read_buffer_; }
  std::string& scratch() { return scratch_; }  // for copying together what is written
  Deflation& deflation() { return deflation_; }
  void want_flush(Connection& connection) { to_flush_.push_back(&connection); }
  void bury(Connection& connection);
  // The shard of the session that the request names, if it is another one of this node.
  std::optional<unsigned> foreign_owner(const http::Request& request) const;
  void move(Connection& connection, unsigned owner, std::string unread);

  // For drivers that live on this shard; before start(), and they outlive the shard's thread.
  void add_guest(TurnGuest& guest) { guests_.push_back(&guest); }

 private:
  struct Listening;
  void on_accepted(const Listening& listening, io::Socket socket, const io::SocketAddress& peer);
  bool admit(Handover& handover);
  void adopt(Service& service, Handover handover);
  void close_everything();
  void write_everything();
  std::size_t waiting_bytes() const;
  bool is_overloaded() const;
  void shed_load();
  void warn_once(Refusal refusal, std::string_view peer);
  void end_everything(TimePoint now);
  void end_guests(TimePoint now);

  // io::LoopHooks
  void on_turn_begin(TimePoint now) override;
  void on_turn_end(TimePoint now) override;
  TimePoint next_deadline() const override;

  // http::Handler of the client listeners: requests go to the engine, with the time.
  bool on_request(http::Exchange& exchange, const http::Request& request) override;
  void on_body(http::Exchange& exchange, std::string_view body) override;
  void on_closed(http::Exchange& exchange) override;
  void on_body_refused(http::Exchange& exchange) override;

  Settings settings_;
  io::Loop loop_;
  TimerWheel timers_;
  std::unique_ptr<Random> random_;
  Stats stats_;
  Deflation deflation_;
  std::unique_ptr<ShardApplication> application_;
  std::unique_ptr<engineio::Engine> engine_;
  Service clients_;
  struct Listening {
    std::unique_ptr<io::Listener> listener;
    Service* service;
    Entrance entrance;
    Spread spread;
  };
  std::vector<Listening> listeners_;
  std::size_t next_shard_ = 0;  // of those that a listener spreads over
  std::vector<Shard*> siblings_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> graveyard_;  // ended in this turn, possibly on the call stack
  std::vector<Connection*> to_flush_;
  std::vector<TurnGuest*> guests_;
  std::vector<char> read_buffer_;
  std::string scratch_;
  TimePoint stop_at_ = never;
  TimePoint guests_end_at_ = never;
  bool drained_ = false;  // all connections have ended
  bool stays_ = false;
  std::array<bool, refusal_count> refusals_told_{};
  std::thread thread_;
};

}  // namespace carillon::runtime
