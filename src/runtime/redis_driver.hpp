// Gives the clients of a link to Redis their connections: TCP, TLS over it, or Unix sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "io/resolver.hpp"
#include "io/stream.hpp"
#include "io/tls_context.hpp"
#include "redis/client.hpp"
#include "redis/driven_link.hpp"
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

  redis::DrivenLink& link() { return *link_; }
  const redis::DrivenLink& link() const { return *link_; }

  void on_turn_end(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool has_finished() const override { return link_->unanswered() == 0; }
  void give_up() override { link_->abandon(); }
  void wake() override { woken_ = true; }

 private:
  // One connection of a client.
  class Line final : public io::Watcher {
   public:
    Line(RedisDriver& driver, redis::Client& client, redis::Role role)
        : driver_(driver), client_(client), role_(role) {}
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
    redis::Client& client_;
    redis::Role role_;
    io::Stream stream_;
    redis::Address target_;
    std::vector<io::SocketAddress> addresses_;  // to be tried, last one first
    std::string unsent_;
    std::size_t sent_ = 0;
    std::shared_ptr<int> attempt_;  // a look-up that finds it gone is outdated
    State state_ = State::idle;
    bool blocked_ = false;
    friend class RedisDriver;
  };

  // Of one client, by role.
  struct Lines {
    Lines(RedisDriver& driver, redis::Client& client)
        : all{{{driver, client, redis::Role::commands},
               {driver, client, redis::Role::subscriber},
               {driver, client, redis::Role::reader},
               {driver, client, redis::Role::sentinel}}} {}
    std::array<Line, redis::roles.size()> all;
  };

  Line& line(redis::Client& client, redis::Role role);
  std::shared_ptr<const io::TlsContext> tls_context(TimePoint now);

  io::Loop& loop_;
  io::Resolver resolver_;
  std::unique_ptr<redis::DrivenLink> link_;
  std::map<const redis::Client*, Lines> lines_;
  std::vector<char> buffer_;
  std::shared_ptr<const io::TlsContext> tls_;  // none: no TLS
  TimePoint tls_loaded_at_{};
  bool woken_ = true;
};

}  // namespace carillon::runtime
