// A link as its driver in runtime/ and its owner see it: one redis::Client, or one per node of a Redis Cluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "redis/link.hpp"
#include "redis/options.hpp"
#include "redis/statistics.hpp"

namespace carillon::redis {

class Client;

// Called by the link; implemented by the driver in runtime/.
class ClientDriver {
 public:
  virtual ~ClientDriver() = default;
  // Something was asked of the link since the last event: in this loop turn call on_time(), and then look at what the
  // clients want. Must not call the link itself. At most once between two calls of on_time().
  virtual void wake() = 0;
};

// Owned by the backplane's shard.
class DrivenLink : public Link {
 public:
  using Replies = std::vector<Result<Reply, CommandError>>;

  // Before anything else happens; nullptr: nobody listens. Called from on_...() functions only, and may use the link.
  virtual void set_listener(LinkListener* listener) = 0;

  // A command without a key, asked of each node that can be asked now. `done` is called once, perhaps before the call
  // returns.
  virtual void command_everywhere(std::vector<std::string> words, std::move_only_function<void(Replies)> done) = 0;

  // --- Driver: serves each of these clients (see Client). They change in on_time() only, and one that is not among them
  // any more has no connections left. on_time() is to be called in each loop turn in which something has happened to one
  // of them.
  virtual std::span<Client* const> clients() = 0;
  virtual TimePoint next_deadline() const = 0;
  virtual void on_time(TimePoint now) = 0;

  // Nothing of what unanswered() counts will be sent or waited for any more: messages are counted as dropped, and said.
  virtual void abandon() = 0;
  // Messages and commands that Redis has not answered yet: queued, or on the way.
  virtual std::size_t unanswered() const = 0;

  virtual const ClientOptions& options() const = 0;
  virtual const Statistics& statistics() const = 0;
  std::uint64_t dropped() const { return statistics().dropped(); }
};

// What the URL asks for. `random` and `driver` must outlive it.
std::unique_ptr<DrivenLink> make_link(ClientOptions options, Random& random, ClientDriver& driver);

// Out of the answer to PUBSUB NUMSUB or SHARDNUMSUB for one channel.
std::optional<std::size_t> subscriber_count(const Result<Reply, CommandError>& reply);
std::vector<std::string> subscriber_question(std::string_view channel, ChannelKind kind);

}  // namespace carillon::redis
