// Asks sentinels where the master is, and hears from one of them when that changes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "redis/connection.hpp"
#include "redis/url.hpp"

namespace carillon::redis {

// One connection to one sentinel at a time: it is asked, and then subscribed to, which in RESP2 excludes being asked; so
// the subscription is given up for the time of each further question. Owned by the backplane's shard.
class MasterFinder {
 public:
  explicit MasterFinder(const Url& url) : url_(url) {}

  // Otherwise there are no sentinels.
  bool in_use() const { return url_.kind == Url::Kind::sentinel; }

  // The one to be connected to; when it did not help, the next one.
  const Address& sentinel() const { return url_.addresses[next_ % url_.addresses.size()]; }
  void try_next() { ++next_; }

  // The answer to the last ask(), or news that came after it.
  const std::optional<Address>& master() const { return master_; }
  // It is to be found out anew.
  void ask();

  // The connection has logged in: it is asked. / It is gone.
  void start();
  void stop();
  // What is to be said now.
  void talk(Connection& connection, TimePoint now);

  // What comes. A text says why this sentinel is of no use.
  std::optional<std::string> on_reply(const Reply& reply);
  void on_message(std::string_view channel, std::string_view payload);
  bool on_subscription(std::string_view channel);  // false: it had not been asked for

 private:
  const Url& url_;
  std::size_t next_ = 0;  // modulo their number
  std::optional<Address> master_;
  bool wanted_ = true;  // an answer is
  bool up_ = false;
  bool asking_ = false;  // the question is on the way
  bool subscribed_ = false;
  std::size_t unconfirmed_ = 0;  // changes of the subscription
};

}  // namespace carillon::redis
