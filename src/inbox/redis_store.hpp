// The store of many nodes: logs in Redis, changed by scripts (redis_scripts/), each of which touches one user only.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "inbox/redis_calls.hpp"
#include "inbox/redis_keys.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

struct RedisStoreSettings {
  std::string prefix = "socket.io-inbox:";  // of all keys; without braces
  StoreLimits limits{};
  Milliseconds devices_keep{90LL * 24 * 60 * 60 * 1000};  // cursors of a user for whom nothing is there any more
  redis::ChannelKind signals = redis::ChannelKind::plain;
  bool is_cluster = false;  // a call has keys of one slot there
};

// Owned by the link's thread. A notification is accepted when Redis has said so for each of its users: what that is worth is
// a matter of Redis' appendfsync. Without an answer it is `unavailable`; the same call with the same idempotency key
// completes it. Accepts take effect in order but for those with a key that have several users: these when the key is ours, as in
// a Redis Cluster all with a key.
// Nothing is there to sweep: a user's next notification removes what has expired, and the rest goes by itself.
class RedisStore final : public Store {
 public:
  // The references outlive it.
  RedisStore(redis::Link& link, Random& random, RedisStoreSettings settings);
  ~RedisStore() override;

  const RedisKeys& keys() const { return keys_; }
  // Told of the end of each accept().
  void set_watcher(std::function<void(std::optional<StoreError>)> watcher) { watcher_ = std::move(watcher); }
  const std::string& complaint() const { return calls_.complaint(); }
  // Writes something of no meaning.
  void probe(Done<void> done);

  void accept(Acceptance acceptance, Done<Accepted> done) override;
  void open(std::string user, std::string device, Done<DeviceState> done) override;
  void read(ReadRequest request, Done<Page> done) override;
  void prove(Proof proof, Done<void> done) override;
  void mark_read(ReadMarks marks, Done<UserSummary> done) override;
  void summarize(std::string user, UnixMs now, Done<UserSummary> done) override;
  void inspect(InspectRequest request, Done<std::optional<Trace>> done) override;
  void sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) override;

 private:
  struct Accepting;
  struct Inspecting;
  struct Append {
    std::shared_ptr<Accepting> work;
    std::size_t user;  // index
  };

  void claim(const std::shared_ptr<Accepting>& work);
  void on_claimed(const std::shared_ptr<Accepting>& work, redis::Reply& reply);
  void note_acceptance(const std::shared_ptr<Accepting>& work);
  void append_more(const std::shared_ptr<Accepting>& work);
  bool appends_wholly(const Acceptance& acceptance) const;
  void send_appends();
  void send_appends(std::vector<Append> appends);
  void on_appended(std::vector<Append>& appends, Result<redis::Reply, StoreError>& reply);
  void on_outcome(Accepting& work, std::size_t user, std::string_view text);
  void finish(const std::shared_ptr<Accepting>& work);
  void inspect_more(const std::shared_ptr<Inspecting>& work);

  Random& random_;
  RedisStoreSettings settings_;
  RedisKeys keys_;
  RedisCalls calls_;
  std::function<void(std::optional<StoreError>)> watcher_;
  std::deque<Append> waiting_appends_;
  std::size_t append_calls_ = 0;          // on their way,
  std::size_t appends_on_their_way_ = 0;  // and what they append
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon::inbox
