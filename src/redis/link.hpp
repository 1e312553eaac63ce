// What the cluster layer asks of Redis; implemented by redis::Client and by tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace carillon::redis {

// Owned by the backplane's shard, like everything in redis/ and cluster/.
class Link {
 public:
  virtual ~Link() = default;

  // Whether subscriptions are complete and a message to itself has come round.
  virtual bool ready() const = 0;

  // PUBLISH, in order. While Redis is away it waits in a queue bounded in bytes and age; what is dropped is counted.
  virtual void publish(std::string channel, std::string payload) = 0;

  // Subscriptions are part of the connection's state: they come back by themselves after a reconnect.
  // Each is answered by Listener::on_subscribed when Redis has confirmed it.
  virtual void subscribe(std::string_view channel) = 0;
  virtual void unsubscribe(std::string_view channel) = 0;
};

// Called by the link.
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  // A published message; the payload is valid during the call.
  virtual void on_message(std::string_view channel, std::string_view payload) = 0;
  virtual void on_subscribed(std::string_view channel) = 0;
  // ready() has changed. False: nothing that waits for on_subscribed should wait any longer.
  virtual void on_ready(bool ready) = 0;
};

}  // namespace carillon::redis
