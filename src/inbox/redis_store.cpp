// RedisStore: devices, pages, marks. Accepting is in redis_accept.cpp, tracing in redis_inspect.cpp.
#include "inbox/redis_store.hpp"

#include <concepts>
#include <utility>

#include "inbox/ranges.hpp"
#include "inbox/redis_record.hpp"

namespace carillon::inbox {
namespace {

std::string text(std::integral auto number) { return std::to_string(number); }

Result<UserSummary, StoreError> summary_in(Result<redis::Reply, StoreError>& reply) {
  if (!reply) return Failure(reply.error());
  RedisAnswer answer(*reply);
  UserSummary summary;
  summary.epoch = answer.text();
  summary.head = answer.number();
  summary.unread = answer.number();
  if (!answer.good()) return Failure(StoreError::corrupt);
  return summary;
}

Result<DeviceState, StoreError> device_in(Result<redis::Reply, StoreError>& reply) {
  if (!reply) return Failure(reply.error());
  RedisAnswer answer(*reply);
  DeviceState state;
  state.epoch = answer.text();
  state.head = answer.number();
  state.dropped_to = answer.number();
  state.cursor = answer.number();
  state.known = answer.number() == 1;
  while (answer.good() && !answer.at_end()) {
    const std::uint64_t after = answer.number();
    add_range(state.cursor, state.above, {after, answer.number()});
  }
  if (!answer.good()) return Failure(StoreError::corrupt);
  return state;
}

Result<Page, StoreError> page_in(Result<redis::Reply, StoreError>& reply) {
  if (!reply) return Failure(reply.error());
  RedisAnswer answer(*reply);
  Page page;
  page.epoch = answer.text();
  page.continues = answer.number() == 1;
  page.upto = answer.number();
  page.head = answer.number();
  page.dropped_to = answer.number();
  while (answer.good() && !answer.at_end()) {
    const std::uint64_t number = answer.number();
    NotificationPtr notification = decode_record(answer.text());
    const bool read = answer.number() == 1;
    if (!notification) return Failure(StoreError::corrupt);
    page.entries.push_back({number, std::move(notification), read});
  }
  if (!answer.good()) return Failure(StoreError::corrupt);
  return page;
}

}  // namespace

RedisStore::RedisStore(redis::Link& link, Random& random, RedisStoreSettings settings)
    : random_(random), settings_(std::move(settings)), keys_(settings_.prefix), calls_(link) {}

RedisStore::~RedisStore() = default;

void RedisStore::probe(Done<void> done) {
  const std::string key = keys_.probe();
  calls_.command({"SET", key, "1", "PX", "1000"}, key,
                 [done = std::move(done)](const Result<redis::Reply, StoreError>& reply) mutable {
                   reply ? done({}) : done(Failure(reply.error()));
                 });
}

void RedisStore::open(std::string user, std::string device, Done<DeviceState> done) {
  calls_.run(redis_scripts::open, {keys_.log(user), keys_.devices(user), keys_.proofs(user)}, {std::move(device)},
             [done = std::move(done)](auto reply) mutable { done(device_in(reply)); });
}

void RedisStore::read(ReadRequest request, Done<Page> done) {
  calls_.run(
      redis_scripts::read, {keys_.log(request.user), keys_.devices(request.user)},
      {request.epoch, text(request.after), text(request.entries_max), text(request.bytes_max), text(request.now)},
      [done = std::move(done)](auto reply) mutable { done(page_in(reply)); });
}

void RedisStore::prove(Proof proof, Done<void> done) {
  calls_.run(redis_scripts::prove, {keys_.log(proof.user), keys_.devices(proof.user), keys_.proofs(proof.user)},
             {proof.epoch, text(proof.range.after), text(proof.range.upto), proof.device, proof.node, proof.socket,
              text(proof.at), proof.acknowledged ? "1" : "0", text(settings_.limits.devices_per_user_max),
              text(settings_.limits.trace_keep.count()), text(proof.begins), text(settings_.devices_keep.count())},
             [done = std::move(done)](const Result<redis::Reply, StoreError>& reply) mutable {
               reply ? done({}) : done(Failure(reply.error()));
             });
}

void RedisStore::mark_read(ReadMarks marks, Done<UserSummary> done) {
  std::vector<std::string> arguments{marks.epoch, text(marks.upto), text(marks.at)};
  for (const std::uint64_t number : marks.numbers) arguments.push_back(text(number));
  calls_.run(redis_scripts::mark, {keys_.log(marks.user), keys_.devices(marks.user)}, std::move(arguments),
             [done = std::move(done)](auto reply) mutable { done(summary_in(reply)); });
}

void RedisStore::summarize(std::string user, UnixMs now, Done<UserSummary> done) {
  calls_.run(redis_scripts::summarize, {keys_.log(user), keys_.devices(user)}, {text(now)},
             [done = std::move(done)](auto reply) mutable { done(summary_in(reply)); });
}

void RedisStore::sweep(UnixMs, std::size_t, Done<bool> done) { done(false); }

}  // namespace carillon::inbox
