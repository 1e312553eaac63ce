// When Redis comes back its servers do not come back at once, and Pub/Sub keeps nothing: what one of them sends before another
// has subscribed again is lost to that one. So messages wait some more, until as many servers listen as before. And as many
// nodes as there were share what may be sent to a Redis that is back (Link::set_nodes).
//
// Carillon nodes subscribe to "KEY-carillon-present#" when their rooms are complete again, and leave it when they are not. Node.js
// servers are counted by a channel that every server of the adapter subscribes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "redis/link.hpp"

namespace carillon::cluster {

// Owned by the backplane's shard.
class Gathering {
 public:
  struct Channel {
    std::string name;
    redis::ChannelKind kind;
  };
  struct Settings {
    std::string key = "socket.io";
    std::optional<Channel>
        servers;                   // every server's; none: what is sent is kept for those who come later, nobody waits
    Milliseconds wait_max{2'000};  // 0: nobody waits
  };
  // `link` must outlive the object.
  Gathering(redis::Link& link, Settings settings);

  // As LinkListener. Messages that were waiting for Redis have not gone out yet.
  void on_ready(bool ready, TimePoint now);
  TimePoint next_deadline() const { return next_count_; }
  void on_time(TimePoint now);

  bool is_waiting() const { return waits_; }

 private:
  struct Counted {
    Channel channel;
    std::size_t before = 0;  // the outage, how many listened
    std::size_t now = 0;
  };

  void count();
  void on_count(std::size_t of, std::optional<std::size_t> listeners);
  void go_on();

  redis::Link& link_;
  Settings settings_;
  std::vector<Counted> counted_;
  bool was_ready_ = false;
  bool waits_ = false;
  TimePoint wait_until_ = never;
  TimePoint next_count_ = never;
  std::uint64_t round_ = 0;  // answers to what was asked before the last change of on_ready() tell nothing
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the link may answer later
};

}  // namespace carillon::cluster
