// RedisStore: accepting. The idempotency key first, then who is to get it, then each user's log: scripts touch one slot each,
// so what was cut short is completed by the same call again, and a log knows which ids it has. What has one user needs one script
// for all three, unless Redis is a cluster.
#include <algorithm>
#include <concepts>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "inbox/redis_record.hpp"
#include "inbox/redis_store.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t appends_at_once_max = 64;  // of one notification

// Appends that come while a call is on its way wait for the next one, which takes all of them: Redis writes to its disk once for
// it. When there are many they do not wait, so that Redis has something to do meanwhile: three calls with a third of them each.
// In a Redis Cluster each goes alone.
struct CallLimits {
  std::size_t appends_max;
  std::size_t calls_max;
  std::size_t appends_min;  // of a call beside another one

  std::size_t appends_wanted(std::size_t calls, std::size_t appends) const {
    return calls == 0 ? 1 : std::clamp(appends / 3, appends_min, appends_max);
  }
};
constexpr CallLimits limits_of_one_redis{128, 8, 32};
constexpr CallLimits limits_of_cluster{1, 1'024, 1};

constexpr std::size_t append_arguments = 11;  // of append.lua, before the records

// Summaries that lie under one key: those of appends that follow each other.
struct SummaryGroup {
  std::string key;
  std::string summaries{};  // but those that are written only if an idempotency key is free
  std::int64_t life = 0;
};

// What an epoch ends with; it begins with the process of Redis.
constexpr std::size_t epoch_ending_characters = 8;

// Of what is noted of it.
std::int64_t life_of(const Notification& notification, const StoreLimits& limits) {
  return notification.expires_at - notification.sent_at + limits.trace_keep.count();
}

std::string text(std::integral auto number) { return std::to_string(number); }

}  // namespace

struct RedisStore::Accepting {
  Acceptance acceptance;
  Done<Accepted> done;
  std::string record{};
  std::string summary{};      // to be written with the one append that there is
  bool key_is_taken = false;  // else the append does that
  bool goes_the_long_way = false;
  std::vector<std::optional<Position>> positions{};  // by user
  std::size_t next = 0;                              // user
  std::size_t in_flight = 0;
  std::size_t appended = 0;
  std::optional<StoreError> error{};

  const Notification& notification() const { return *acceptance.notification; }
  void answer(Result<Accepted, StoreError> result) {
    if (done) std::exchange(done, {})(std::move(result));
  }
  void note(StoreError why) {
    if (!error) error = why;
  }
  bool takes_key() const { return !acceptance.idempotency_key.empty() && !key_is_taken; }
};

// One script does all of it: no slot but one, and one log.
bool RedisStore::appends_wholly(const Acceptance& acceptance) const {
  return !settings_.is_cluster && acceptance.users.size() == 1;
}

void RedisStore::accept(Acceptance acceptance, Done<Accepted> done) {
  auto watched = [this, done = std::move(done),
                  alive = std::weak_ptr(alive_)](Result<Accepted, StoreError> result) mutable {
    if (!alive.expired() && watcher_) watcher_(result ? std::nullopt : std::optional(result.error()));
    done(std::move(result));
  };
  const auto work = std::make_shared<Accepting>(Accepting{std::move(acceptance), std::move(watched)});
  if (work->acceptance.idempotency_key.empty() || appends_wholly(work->acceptance)) return note_acceptance(work);
  claim(work);
}

void RedisStore::claim(const std::shared_ptr<Accepting>& work) {
  const Acceptance& asked = work->acceptance;
  calls_.run(redis_scripts::claim, {keys_.idempotency(asked.idempotency_key)},
             {asked.fingerprint, asked.notification->id, text(asked.users.size()), text(asked.notification->sent_at),
              text(settings_.limits.idempotency_keep.count())},
             [this, work, alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) {
               if (!reply) return work->answer(Failure(reply.error()));
               if (alive.expired()) return work->answer(Failure(StoreError::unavailable));
               on_claimed(work, *reply);
             });
}

void RedisStore::on_claimed(const std::shared_ptr<Accepting>& work, redis::Reply& reply) {
  RedisAnswer answer(reply);
  const std::string verdict = answer.text();
  if (verdict == "conflict") return work->answer(Failure(StoreError::key_conflict));
  work->key_is_taken = true;
  if (verdict == "new") return note_acceptance(work);
  Accepted first{.id = answer.text(), .recipients = answer.number(), .replayed = true, .placements = {}};
  if (!answer.good()) return work->answer(Failure(StoreError::corrupt));
  if (verdict == "done") return work->answer(std::move(first));
  Notification again = work->notification();
  again.id = std::move(first.id);
  work->acceptance.notification = std::make_shared<Notification>(std::move(again));
  note_acceptance(work);
}

void RedisStore::note_acceptance(const std::shared_ptr<Accepting>& work) {
  const Notification& notification = work->notification();
  work->record = encode_record(notification);
  work->positions.resize(work->acceptance.users.size());
  std::string summary = encode_summary(notification, work->acceptance.users);
  if (appends_wholly(work->acceptance)) {
    work->summary = std::move(summary);
    return append_more(work);
  }
  work->in_flight = 1;
  calls_.run(redis_scripts::note, {keys_.summaries(notification.id)},
             {std::move(summary), text(life_of(notification, settings_.limits))},
             [this, work, alive = std::weak_ptr(alive_)](const Result<redis::Reply, StoreError>& reply) {
               --work->in_flight;
               if (!reply) work->note(reply.error());
               if (alive.expired()) return work->answer(Failure(StoreError::unavailable));
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
  const std::size_t all = appends_on_their_way_ + waiting_appends_.size();
  while (append_calls_ < limits.calls_max && waiting_appends_.size() >= limits.appends_wanted(append_calls_, all)) {
    std::vector<Append> appends;
    while (!waiting_appends_.empty() && appends.size() < limits.appends_max) {
      appends.push_back(std::move(waiting_appends_.front()));
      waiting_appends_.pop_front();
    }
    ++append_calls_;
    appends_on_their_way_ += appends.size();
    send_appends(std::move(appends));
  }
}

void RedisStore::send_appends(std::vector<Append> appends) {
  const StoreLimits& limits = settings_.limits;
  UnixMs now = 0;
  std::vector<SummaryGroup> groups;
  std::vector<std::string> claims;
  std::vector<std::string> taken_before;
  std::vector<std::string> idempotency_keys;
  std::vector<std::string> keys;
  keys.reserve(2 * appends.size());
  std::vector<std::string> arguments(append_arguments);
  arguments.reserve(append_arguments + appends.size());
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const Accepting& work = *appends[i].work;
    const Notification& notification = work.notification();
    now = std::max(now, notification.sent_at);
    keys.push_back(keys_.log(work.acceptance.users[appends[i].user]));
    arguments.push_back(work.record);
    if (work.key_is_taken) taken_before.push_back(text(i + 1));
    if (!work.summary.empty()) {
      std::string group = keys_.summaries(notification.id);
      if (groups.empty() || groups.back().key != group) groups.push_back({std::move(group)});
      groups.back().life = std::max(groups.back().life, life_of(notification, limits));
      if (!work.takes_key()) groups.back().summaries += work.summary;
    }
    if (work.takes_key()) {
      idempotency_keys.push_back(keys_.idempotency(work.acceptance.idempotency_key));
      claims.insert(claims.end(), {text(i + 1), work.acceptance.fingerprint, text(groups.size()), work.summary});
    }
  }
  const bool is_sharded = settings_.signals == redis::ChannelKind::sharded;
  const std::string head[append_arguments] = {text(limits.notifications_per_user_max),
                                              text(limits.bytes_per_user_max),
                                              text(limits.trace_keep.count()),
                                              text(settings_.devices_keep.count()),
                                              make_epoch(random_, epoch_ending_characters),
                                              is_sharded ? "SPUBLISH" : "PUBLISH",
                                              text(now),
                                              text(limits.idempotency_keep.count()),
                                              text(appends.size()),
                                              text(groups.size()),
                                              text(idempotency_keys.size())};
  std::ranges::copy(head, arguments.begin());
  for (SummaryGroup& group : groups) {
    keys.push_back(std::move(group.key));
    arguments.push_back(std::move(group.summaries));
    arguments.push_back(text(group.life));
  }
  std::ranges::move(claims, std::back_inserter(arguments));
  std::ranges::move(taken_before, std::back_inserter(arguments));
  std::ranges::move(idempotency_keys, std::back_inserter(keys));
  if (settings_.is_cluster) {
    const std::string& user = appends.front().work->acceptance.users[appends.front().user];
    keys.insert(keys.end(), {keys_.endings(user), keys_.ended(user), keys_.proofs(user), keys_.devices(user)});
  }
  calls_.run(redis_scripts::append, std::move(keys), std::move(arguments),
             [this, appends = std::move(appends),
              alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) mutable {
               if (alive.expired()) {
                 for (const Append& append : appends) append.work->answer(Failure(StoreError::unavailable));
                 return;
               }
               on_appended(appends, reply);
             });
}

void RedisStore::on_appended(std::vector<Append>& appends, Result<redis::Reply, StoreError>& reply) {
  const bool is_whole = reply && reply->items.size() == appends.size();
  for (std::size_t i = 0; i < appends.size(); ++i) {
    Accepting& work = *appends[i].work;
    --work.in_flight;
    if (is_whole) {
      on_outcome(work, appends[i].user, reply->items[i].text);
    } else {
      work.note(reply ? StoreError::corrupt : reply.error());
    }
  }
  for (const Append& append : appends) {
    if (std::exchange(append.work->goes_the_long_way, false)) {
      claim(append.work);
    } else {
      append_more(append.work);
    }
  }
  --append_calls_;  // only now: what was accepted by those who heard of this goes together
  appends_on_their_way_ -= appends.size();
  send_appends();
}

void RedisStore::on_outcome(Accepting& work, std::size_t user, std::string_view text) {
  const std::optional<AppendOutcome> outcome = decode_outcome(text);
  if (!outcome) return work.note(StoreError::corrupt);
  switch (outcome->kind) {
    case AppendOutcome::Kind::appended:
      ++work.appended;
      [[fallthrough]];
    case AppendOutcome::Kind::was_there:
      work.positions[user] = Position{outcome->text, outcome->number};
      return;
    case AppendOutcome::Kind::key_is_known:
      return work.answer(Accepted{outcome->text, outcome->number, true, {}});
    case AppendOutcome::Kind::key_conflict:
      return work.answer(Failure(StoreError::key_conflict));
    case AppendOutcome::Kind::key_is_open:
      work.goes_the_long_way = true;
      work.next = 0;
      return;
    case AppendOutcome::Kind::error:
      return work.note(calls_.refusal(outcome->text));
  }
}

void RedisStore::finish(const std::shared_ptr<Accepting>& work) {
  if (!work->done) return;
  if (work->error) return work->answer(Failure(*work->error));
  const std::vector<std::string>& users = work->acceptance.users;
  Accepted accepted{work->notification().id, users.size(), !users.empty() && work->appended == 0, {}};
  for (std::size_t i = 0; i < users.size(); ++i)
    accepted.placements.push_back({users[i], std::move(*work->positions[i])});
  if (work->key_is_taken)
    calls_.run(redis_scripts::complete, {keys_.idempotency(work->acceptance.idempotency_key)}, {}, [](const auto&) {});
  work->answer(std::move(accepted));
}

}  // namespace carillon::inbox
