// Gives a redis::Client its two TCP connections.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "io/resolver.hpp"
#include "io/socket.hpp"
#include "redis/client.hpp"
#include "runtime/turn_guest.hpp"

namespace carillon::runtime {

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
    void try_next_address();
    void read();
    void fail(const std::string& reason);

    RedisDriver& driver_;
    redis::Role role_;
    io::Socket socket_;
    std::vector<io::SocketAddress> addresses_;  // to be tried, last one first
    std::string unsent_;
    std::size_t sent_ = 0;
    std::size_t attempt_ = 0;  // tells an outdated look-up from the current one
    bool connecting_ = false;
    bool blocked_ = false;
    friend class RedisDriver;
  };

  Line& line(redis::Role role) { return role == redis::Role::commands ? commands_ : subscriber_; }

  io::Loop& loop_;
  io::Resolver resolver_;
  redis::Client client_;
  Line commands_{*this, redis::Role::commands};
  Line subscriber_{*this, redis::Role::subscriber};
  std::vector<char> buffer_;
  bool woken_ = true;
};

}  // namespace carillon::runtime
