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
  std::vector<std::optional<Position>> positions{};  // by user
  std::size_t next = 0;                              // user
  std::size_t in_flight = 0;
  std::size_t appended = 0;
  std::optional<StoreError> error{};

  const Notification& notification() const { return *acceptance.notification; }
  void give_up(StoreError why) {
    if (done) std::exchange(done, {})(Failure(why));
  }
  void note(const Result<redis::Reply, StoreError>& reply) {
    --in_flight;
    if (!reply && !error) error = reply.error();
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
  work->in_flight = 2;  // one of them for append_more(): nothing ends before it has begun
  calls_.command({"SET", key, encode_summary(notification, work->acceptance.users), "PX", text(life + 1'000)}, key,
                 [this, work, alive = std::weak_ptr(alive_)](const Result<redis::Reply, StoreError>& reply) {
                   work->note(reply);
                   if (alive.expired()) return work->give_up(StoreError::unavailable);
                   append_more(work);
                 });
  --work->in_flight;
  append_more(work);
}

void RedisStore::append_more(const std::shared_ptr<Accepting>& work) {
  const std::size_t users = work->acceptance.users.size();
  while (!work->error && work->next < users && work->in_flight < appends_at_once_max) {
    ++work->in_flight;
    append(work, work->next++);
  }
  if (work->in_flight == 0 && (work->error || work->next == users)) finish(work);
}

void RedisStore::append(const std::shared_ptr<Accepting>& work, std::size_t index) {
  const Notification& notification = work->notification();
  const std::string& user = work->acceptance.users[index];
  const bool is_sharded = settings_.signals == redis::ChannelKind::sharded;
  calls_.run(
      redis_scripts::append,
      {keys_.facts(user), keys_.entries(user), keys_.expiry(user), keys_.unread(user), keys_.known(user),
       keys_.proofs(user)},
      {notification.id, work->record, text(notification.sent_at), text(notification.expires_at),
       text(notification.bytes()), notification.collapse_key, text(settings_.limits.notifications_per_user_max),
       text(settings_.limits.bytes_per_user_max), text(settings_.limits.trace_keep.count()),
       text(settings_.log_keep.count()), make_epoch(random_), is_sharded ? "SPUBLISH" : "PUBLISH", keys_.channel(user)},
      [this, work, index, alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) {
        work->note(reply);
        if (reply) {
          RedisAnswer answer(*reply);
          std::string epoch = answer.text();
          work->positions[index] = Position{std::move(epoch), answer.number()};
          work->appended += answer.number();
          if (!answer.good()) work->error = StoreError::corrupt;
        }
        if (alive.expired()) return work->give_up(StoreError::unavailable);
        append_more(work);
      });
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
