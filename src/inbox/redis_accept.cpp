// RedisStore: accepting. The idempotency key first, then who is to get it, then each user's log: scripts touch one slot each,
// so what was cut short is completed by the same call again, and a log knows which ids it has.
#include <concepts>
#include <optional>
#include <utility>

#include "inbox/redis_record.hpp"
#include "inbox/redis_store.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t appends_at_once_max = 64;  // of one notification

// Appends that come while so many calls are on their way wait for the next one, which takes all of them: Redis writes to its
// disk once for it. In a Redis Cluster each goes alone.
struct CallLimits {
  std::size_t appends_max;
  std::size_t calls_max;
};
constexpr CallLimits limits_of_one_redis{128, 2};
constexpr CallLimits limits_of_cluster{1, 1'024};

std::string make_epoch(Random& random) {
  static constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string epoch(12, '0');
  for (char& c : epoch) c = alphabet[random.below(alphabet.size())];
  return epoch;
}

std::string text(std::integral auto number) { return std::to_string(number); }

}  // namespace

struct RedisStore::Accepting {
  Acceptance acceptance;
  Done<Accepted> done;
  std::string record{};
  std::string summary{};                             // to be written with the one append that there is
  std::vector<std::optional<Position>> positions{};  // by user
  std::size_t next = 0;                              // user
  std::size_t in_flight = 0;
  std::size_t appended = 0;
  std::optional<StoreError> error{};

  const Notification& notification() const { return *acceptance.notification; }
  void give_up(StoreError why) {
    if (done) std::exchange(done, {})(Failure(why));
  }
  void note(StoreError why) {
    if (!error) error = why;
  }
};

void RedisStore::accept(Acceptance acceptance, Done<Accepted> done) {
  auto watched = [this, done = std::move(done),
                  alive = std::weak_ptr(alive_)](Result<Accepted, StoreError> result) mutable {
    if (!alive.expired() && watcher_) watcher_(result ? std::nullopt : std::optional(result.error()));
    done(std::move(result));
  };
  const auto work = std::make_shared<Accepting>(Accepting{std::move(acceptance), std::move(watched)});
  if (work->acceptance.idempotency_key.empty()) return note_acceptance(work);
  claim(work);
}

void RedisStore::claim(const std::shared_ptr<Accepting>& work) {
  const Acceptance& asked = work->acceptance;
  calls_.run(redis_scripts::claim, {keys_.idempotency(asked.idempotency_key)},
             {asked.fingerprint, asked.notification->id, text(asked.users.size()), text(asked.notification->sent_at),
              text(settings_.limits.idempotency_keep.count())},
             [this, work, alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) {
               if (!reply) return work->done(Failure(reply.error()));
               if (alive.expired()) return work->done(Failure(StoreError::unavailable));
               RedisAnswer answer(*reply);
               const std::string verdict = answer.text();
               if (verdict == "conflict") return work->done(Failure(StoreError::key_conflict));
               if (verdict == "new") return note_acceptance(work);
               Accepted first{.id = answer.text(), .recipients = answer.number(), .replayed = true, .placements = {}};
               if (!answer.good()) return work->done(Failure(StoreError::corrupt));
               if (verdict == "done") return work->done(std::move(first));
               Notification again = work->notification();
               again.id = std::move(first.id);
               work->acceptance.notification = std::make_shared<Notification>(std::move(again));
               note_acceptance(work);
             });
}

void RedisStore::note_acceptance(const std::shared_ptr<Accepting>& work) {
  const Notification& notification = work->notification();
  work->record = encode_record(notification);
  work->positions.resize(work->acceptance.users.size());
  const std::string key = keys_.summary(notification.id);
  const std::int64_t life = notification.expires_at - notification.sent_at + settings_.limits.trace_keep.count();
  std::string summary = encode_summary(notification, work->acceptance.users);
  if (!settings_.is_cluster && work->acceptance.users.size() == 1) {
    work->summary = std::move(summary);
    return append_more(work);
  }
  work->in_flight = 1;
  calls_.command({"SET", key, std::move(summary), "PX", text(life + 1'000)}, key,
                 [this, work, alive = std::weak_ptr(alive_)](const Result<redis::Reply, StoreError>& reply) {
                   --work->in_flight;
                   if (!reply) work->note(reply.error());
                   if (alive.expired()) return work->give_up(StoreError::unavailable);
                   append_more(work);
                 });
  // A Redis that takes no writes says so before one of several users has it.
  if (work->acceptance.users.size() == 1) append_more(work);
}

void RedisStore::append_more(const std::shared_ptr<Accepting>& work) {
  const std::size_t users = work->acceptance.users.size();
  while (!work->error && work->next < users && work->in_flight < appends_at_once_max) {
    ++work->in_flight;
    waiting_appends_.push_back({work, work->next++});
  }
  if (work->in_flight == 0 && (work->error || work->next == users)) finish(work);
  send_appends();
}

void RedisStore::send_appends() {
  const CallLimits& limits = settings_.is_cluster ? limits_of_cluster : limits_of_one_redis;
  while (!waiting_appends_.empty() && append_calls_ < limits.calls_max) {
    std::vector<Append> appends;
    while (!waiting_appends_.empty() && appends.size() < limits.appends_max) {
      appends.push_back(std::move(waiting_appends_.front()));
      waiting_appends_.pop_front();
    }
    ++append_calls_;
    send_appends(std::move(appends));
  }
}

void RedisStore::send_appends(std::vector<Append> appends) {
  const StoreLimits& limits = settings_.limits;
  const bool is_sharded = settings_.signals == redis::ChannelKind::sharded;
  std::vector<std::string> keys;
  std::vector<std::string> arguments{text(limits.notifications_per_user_max),
                                     text(limits.bytes_per_user_max),
                                     text(limits.trace_keep.count()),
                                     text(settings_.log_keep.count()),
                                     make_epoch(random_),
                                     is_sharded ? "SPUBLISH" : "PUBLISH",
                                     settings_.is_cluster ? "4" : "3"};
  for (const auto& [work, index] : appends) {
    const std::string& user = work->acceptance.users[index];
    const Notification& notification = work->notification();
    keys.push_back(keys_.facts(user));
    keys.push_back(keys_.entries(user));
    if (settings_.is_cluster) {
      keys.insert(keys.end(), {keys_.ended(user), keys_.proofs(user)});
    } else {
      keys.push_back(keys_.summary(notification.id));
    }
    arguments.insert(arguments.end(), {work->record, text(notification.bytes()), notification.collapse_key,
                                       work->acceptance.idempotency_key.empty() ? "0" : "1", work->summary});
  }
  calls_.run(redis_scripts::append, std::move(keys), std::move(arguments),
             [this, appends = std::move(appends),
              alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) mutable {
               if (alive.expired()) {
                 for (const Append& append : appends) append.work->give_up(StoreError::unavailable);
                 return;
               }
               --append_calls_;
               on_appended(appends, reply);
             });
}

void RedisStore::on_appended(std::vector<Append>& appends, Result<redis::Reply, StoreError>& reply) {
  const bool is_whole = reply && reply->items.size() == appends.size();
  for (std::size_t i = 0; i < appends.size(); ++i) {
    Accepting& work = *appends[i].work;
    --work.in_flight;
    if (!is_whole) {
      work.note(reply ? StoreError::corrupt : reply.error());
    } else if (redis::Reply& item = reply->items[i]; item.type == redis::Reply::Type::text) {
      work.note(calls_.refusal(std::move(item.text)));
    } else {
      RedisAnswer answer(item);
      std::string epoch = answer.text();
      work.positions[appends[i].user] = Position{std::move(epoch), answer.number()};
      work.appended += answer.number();
      if (!answer.good()) work.note(StoreError::corrupt);
    }
  }
  for (const Append& append : appends) append_more(append.work);
  send_appends();
}

void RedisStore::finish(const std::shared_ptr<Accepting>& work) {
  if (!work->done) return;
  Done<Accepted> done = std::exchange(work->done, {});
  if (work->error) return done(Failure(*work->error));
  const std::vector<std::string>& users = work->acceptance.users;
  Accepted accepted{work->notification().id, users.size(), !users.empty() && work->appended == 0, {}};
  for (std::size_t i = 0; i < users.size(); ++i)
    accepted.placements.push_back({users[i], std::move(*work->positions[i])});
  if (!work->acceptance.idempotency_key.empty())
    calls_.run(redis_scripts::complete, {keys_.idempotency(work->acceptance.idempotency_key)}, {}, [](const auto&) {});
  done(std::move(accepted));
}

}  // namespace carillon::inbox
