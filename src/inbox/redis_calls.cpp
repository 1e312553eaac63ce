#include "inbox/redis_calls.hpp"

#include <iterator>
#include <utility>

#include "redis/reply_error.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t held_max = 10'000;

StoreError meaning_of(redis::ErrorReply error, std::string_view text) {
  switch (error) {
    case redis::ErrorReply::no_auth:
    case redis::ErrorReply::wrong_password:
    case redis::ErrorReply::no_password:
    case redis::ErrorReply::loading:
    case redis::ErrorReply::master_down:
    case redis::ErrorReply::cluster:
    case redis::ErrorReply::busy:
    case redis::ErrorReply::too_many_clients:
      return StoreError::unavailable;
    case redis::ErrorReply::read_only:
      return StoreError::read_only;
    case redis::ErrorReply::out_of_memory:
      return StoreError::full;
    case redis::ErrorReply::no_permission:
    case redis::ErrorReply::no_such_key:
      return StoreError::failed;
    case redis::ErrorReply::other:
      break;
  }
  if (text.starts_with("MISCONF")) return StoreError::read_only;  // it cannot save what it is given
  if (text.starts_with("NOREPLICAS")) return StoreError::unavailable;
  if (text.starts_with("WRONGTYPE")) return StoreError::corrupt;
  return StoreError::failed;
}

}  // namespace

StoreError store_error_of(const redis::CommandError& error) {
  switch (error.kind) {
    case redis::CommandError::Kind::unavailable:
    case redis::CommandError::Kind::lost:
      return StoreError::unavailable;
    case redis::CommandError::Kind::refused:
      break;
  }
  std::string_view text = error.text;
  // Redis before 7 wraps the error of a command in a script into words of its own: "ERR Error running script ...: -OOM ...",
  // "@user_script: 12: -OOM ..." for the script itself.
  if (text.starts_with("ERR Error running script") || text.starts_with("@user_script"))
    if (const std::size_t inner = text.find(": -"); inner != std::string_view::npos) text.remove_prefix(inner + 3);
  return meaning_of(redis::classify_error(text), text);
}

struct RedisCalls::Run {
  const RedisScript& script;
  std::vector<std::string> keys;
  std::vector<std::string> arguments;
  Done done;
};

RedisCalls::~RedisCalls() {
  for (const RunPtr& run : held_) run->done(Failure(StoreError::unavailable));
}

void RedisCalls::run(const RedisScript& script, std::vector<std::string> keys, std::vector<std::string> arguments,
                     Done done) {
  if (held_.size() >= held_max) return done(Failure(StoreError::unavailable));
  auto run = std::make_shared<Run>(Run{script, std::move(keys), std::move(arguments), std::move(done)});
  if (!holding_) return send(run, false);
  held_.push_back(std::move(run));
}

void RedisCalls::send(const RunPtr& run, bool with_text) {
  std::vector<std::string> words{with_text ? "EVAL" : "EVALSHA",
                                 std::string(with_text ? run->script.text : run->script.sha1),
                                 std::to_string(run->keys.size())};
  words.insert(words.end(), run->keys.begin(), run->keys.end());
  words.insert(words.end(), run->arguments.begin(), run->arguments.end());
  if (!with_text) ++unanswered_;
  link_.command(std::move(words), run->keys.front(),
                [this, run, with_text, alive = std::weak_ptr(alive_)](Result<redis::Reply, redis::CommandError> reply) {
                  if (!alive.expired()) return on_answer(run, with_text, std::move(reply));
                  reply ? run->done(std::move(*reply)) : run->done(Failure(store_error_of(reply.error())));
                });
}

void RedisCalls::on_answer(const RunPtr& run, bool with_text, Result<redis::Reply, redis::CommandError> reply) {
  if (!with_text) --unanswered_;
  const bool is_unknown = !with_text && !reply && reply.error().text.starts_with("NOSCRIPT");
  if (is_unknown) {
    holding_ = true;
    send(run, true);
  }
  release();  // before somebody hears of the answer, and asks for more
  if (is_unknown) return;
  if (reply) return run->done(std::move(*reply));
  if (reply.error().kind == redis::CommandError::Kind::refused) complaint_ = reply.error().text;
  run->done(Failure(store_error_of(reply.error())));
}

void RedisCalls::release() {
  if (!holding_ || unanswered_ > 0) return;
  holding_ = false;
  for (const RunPtr& run : std::exchange(held_, {})) send(run, false);
}

void RedisCalls::command(std::vector<std::string> words, const std::string& key, Done done) {
  link_.command(std::move(words), key,
                [this, done = std::move(done),
                 alive = std::weak_ptr(alive_)](Result<redis::Reply, redis::CommandError> reply) mutable {
                  if (reply) return done(std::move(*reply));
                  if (reply.error().kind == redis::CommandError::Kind::refused && !alive.expired())
                    complaint_ = reply.error().text;
                  done(Failure(store_error_of(reply.error())));
                });
}

StoreError RedisCalls::refusal(std::string text) {
  complaint_ = std::move(text);
  return store_error_of({redis::CommandError::Kind::refused, complaint_});
}

RedisAnswer::RedisAnswer(redis::Reply& reply) : reply_(reply), good_(reply.type == redis::Reply::Type::array) {}

redis::Reply* RedisAnswer::take(redis::Reply::Type type) {
  if (at_end() || reply_.items[next_].type != type) {
    good_ = false;
    return nullptr;
  }
  return &reply_.items[next_++];
}

std::int64_t RedisAnswer::signed_number() {
  const redis::Reply* item = take(redis::Reply::Type::integer);
  return item == nullptr ? 0 : item->number;
}

std::uint64_t RedisAnswer::number() {
  const std::int64_t value = signed_number();
  if (value < 0) good_ = false;
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

std::string RedisAnswer::text() {
  redis::Reply* item = take(redis::Reply::Type::text);
  return item == nullptr ? std::string() : std::move(item->text);
}

}  // namespace carillon::inbox
