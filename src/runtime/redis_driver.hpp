// Gives a redis::Client its connections: TCP, TLS over it, or Unix sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "io/resolver.hpp"
#include "io/stream.hpp"
#include "io/tls_context.hpp"
#include "redis/client.hpp"
#include "runtime/turn_guest.hpp"

namespace carillon::runtime {

// The files of TLS are read when it is made, and again before a dial if that was some time ago: certificates that have been
// renewed are used when it next connects. Throws std::invalid_argument if they cannot be used at first.
//
// Owned by the thread of its loop, which calls on_turn_end() in each turn and wakes for next_deadline().
class RedisDriver final : public redis::ClientDriver, public TurnGuest {
 public:
  RedisDriver(io::Loop& loop, redis::ClientOptions options, Random& random);
  ~RedisDriver() override;

  redis::Client& client() { return client_; }
  const redis::Client& client() const { return client_; }

  void on_turn_end(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool has_finished() const override { return client_.unanswered() == 0; }
  void give_up() override { client_.abandon(); }
  void wake() override { woken_ = true; }

 private:
  // One of the client's connections.
  class Line final : public io::Watcher {
   public:
    Line(RedisDriver& driver, redis::Role role) : driver_(driver), role_(role) {}
    ~Line() override { drop(); }
    void on_io(bool readable, bool writable) override;
    void dial();
    void write(TimePoint now);
    void drop();  // closes without telling the client

   private:
    enum class State : std::uint8_t { idle, resolving, connecting, securing, open };

    void try_next_address();
    void on_connected(bool writable);
    void secure();
    void on_secured();
    void read();
    bool flush();
    void fail(const std::string& reason);
    std::string tls_failure() const;

    RedisDriver& driver_;
    redis::Role role_;
    io::Stream stream_;
    redis::Address target_;
    std::vector<io::SocketAddress> addresses_;  // to be tried, last one first
    std::string unsent_;
    std::size_t sent_ = 0;
    std::size_t attempt_ = 0;  // tells an outdated look-up from the current one
    State state_ = State::idle;
    bool blocked_ = false;
    friend class RedisDriver;
  };

  Line& line(redis::Role role) { return lines_[static_cast<std::size_t>(role)]; }

  std::shared_ptr<const io::TlsContext> tls_context(TimePoint now);

  io::Loop& loop_;
  io::Resolver resolver_;
  redis::Client client_;
  std::array<Line, redis::roles.size()> lines_{{{*this, redis::Role::commands},  // by role
                                                {*this, redis::Role::subscriber},
                                                {*this, redis::Role::reader},
                                                {*this, redis::Role::sentinel}}};
  std::vector<char> buffer_;
  std::shared_ptr<const io::TlsContext> tls_;  // none: no TLS
  TimePoint tls_loaded_at_{};
  bool woken_ = true;
};

}  // namespace carillon::runtime
