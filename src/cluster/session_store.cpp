#include "cluster/session_store.hpp"

#include <utility>

#include "base/log.hpp"
#include "cluster/session_codec.hpp"

namespace carillon::cluster {
namespace {

using Life = socketio::SessionPort::Life;

// KEYS[1]: the record; ARGV: its mark, and where one is written, the new value and how long it lives. The first 8 characters of
// a mark say that there is an owner.
constexpr const char* write_script =
    "local v=redis.call('GET',KEYS[1]) if v and string.sub(v,1,8)==string.sub(ARGV[1],1,8) "
    "and string.sub(v,1,#ARGV[1])~=ARGV[1] then return 0 end "
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) return 1";
constexpr const char* take_script =
    "local v=redis.call('GET',KEYS[1]) if not v or string.sub(v,1,#ARGV[1])~=ARGV[1] then return 0 end "
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) return 1";
constexpr const char* remove_script =
    "local v=redis.call('GET',KEYS[1]) if v and string.sub(v,1,#ARGV[1])==ARGV[1] then "
    "redis.call('DEL',KEYS[1]) return 1 end return 0";

}  // namespace

SessionStore::SessionStore(redis::Link& link, Statistics& statistics, Settings settings, OnTaken on_taken)
    : link_(link), statistics_(statistics), settings_(std::move(settings)), on_taken_(std::move(on_taken)) {}

void SessionStore::run(Command command) {
  if (waiting_.size() >= settings_.waiting_max) {
    statistics_.sessions_refused.add();
    if (command.done) on_reply(command.done, Failure(redis::CommandError{redis::CommandError::Kind::unavailable, {}}));
    return;
  }
  waiting_.push_back(std::move(command));
  send_waiting();
}

// The link may answer at once: a loop instead of calls from within.
void SessionStore::send_waiting() {
  if (std::exchange(is_sending_, true)) return;
  while (in_flight_ < settings_.in_flight_max && !waiting_.empty()) {
    Command command = std::move(waiting_.front());
    waiting_.pop_front();
    ++in_flight_;
    link_.command(std::move(command.words), command.key,
                  [this, done = std::move(command.done), alive = std::weak_ptr(alive_)](auto reply) {
                    if (alive.expired()) return;
                    --in_flight_;
                    on_reply(done, std::move(reply));
                    send_waiting();
                  });
  }
  is_sending_ = false;
}

void SessionStore::on_reply(const Done& done, Result<redis::Reply, redis::CommandError> reply) {
  // A value of another type is somebody else's; what is not allowed, or not possible now, concerns all sessions.
  const bool is_refused = !reply && reply.error().kind == redis::CommandError::Kind::refused &&
                          !reply.error().text.starts_with("WRONGTYPE");
  if (is_refused && !std::exchange(told_, true))
    log_warn("Redis refuses what sessions of clients need (GET, SET and EVAL on \"" + settings_.key_prefix +
             "*\"): " + reply.error().text + ". Clients cannot be recovered until it is allowed.");
  if (done) done(reply);
}

void SessionStore::write(const socketio::SessionRecord& record, Life life) {
  std::string value = encode_session(record);
  if (value.size() > settings_.record_bytes_max) return statistics_.sessions_refused.add();
  statistics_.sessions_written.add();
  const std::string key = key_of(record.pid);
  const Milliseconds lives = life == Life::lost ? settings_.away_max : settings_.away_max + settings_.renew_interval;
  if (life == Life::fresh) return run({{"SET", key, std::move(value), "PX", ttl(lives)}, key, {}});
  run({{"EVAL", write_script, "1", key, mark_of_owner(record.owner), std::move(value), ttl(lives)},
       key,
       [this, pid = record.pid, owner = record.owner](auto& reply) {
         if (reply && reply->type == redis::Reply::Type::integer && reply->number == 0) on_taken_(pid, owner);
       }});
}

void SessionStore::remove(std::string_view pid, std::string_view owner) {
  const std::string key = key_of(pid);
  run({{"EVAL", remove_script, "1", key, mark_of_owner(owner)}, key, {}});
}

void SessionStore::find(std::string pid, std::function<void(std::optional<socketio::SessionRecord>)> done) {
  const std::string key = key_of(pid);
  run({{"GET", key}, key, [pid = std::move(pid), done = std::move(done)](auto& reply) {
         if (!reply || reply->type != redis::Reply::Type::text) return done(std::nullopt);
         done(decode_session(pid, reply->text));
       }});
}

void SessionStore::take(const socketio::SessionRecord& found, const socketio::SessionRecord& successor,
                        std::function<void(bool)> done) {
  const std::string key = key_of(found.pid);
  run({{"EVAL", take_script, "1", key, found.mark, encode_session(successor),
        ttl(settings_.away_max + settings_.renew_interval)},
       key,
       [done = std::move(done)](auto& reply) {
         done(reply && reply->type == redis::Reply::Type::integer && reply->number == 1);
       }});
}

}  // namespace carillon::cluster
