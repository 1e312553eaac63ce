// RedisStore: tracing. Who was to get a notification lies beside the logs; what became of it, in each of them.
#include <algorithm>
#include <optional>
#include <utility>

#include "inbox/redis_record.hpp"
#include "inbox/redis_store.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t questions_at_once_max = 64;

Result<std::optional<RecipientTrace>, StoreError> recipient_in(Result<redis::Reply, StoreError>& reply,
                                                               const Notification& notification, UnixMs now) {
  if (!reply) return Failure(reply.error());
  RedisAnswer answer(*reply);
  if (answer.good() && answer.at_end()) return std::nullopt;  // it never came there, or its log was lost
  RecipientTrace trace;
  trace.position.epoch = answer.text();
  trace.position.number = answer.number();
  const std::uint64_t kind = answer.number();
  if (kind > static_cast<std::uint64_t>(Ending::dropped)) return Failure(StoreError::corrupt);
  trace.ending = static_cast<Ending>(kind);
  trace.ended_at = answer.signed_number();
  trace.read_at = answer.signed_number();
  if (trace.ending == Ending::none && notification.expires_at <= now) {
    trace.ending = Ending::expired;
    trace.ended_at = notification.expires_at;
  }
  while (answer.good() && !answer.at_end()) {
    Receipt receipt;
    receipt.device = answer.text();
    receipt.node = answer.text();
    receipt.socket = answer.text();
    receipt.at = answer.signed_number();
    receipt.acknowledged = answer.number() == 1;
    const auto same_device = [&](const Receipt& other) { return other.device == receipt.device; };
    if (std::ranges::none_of(trace.receipts, same_device)) trace.receipts.push_back(std::move(receipt));
  }
  if (!answer.good()) return Failure(StoreError::corrupt);
  return trace;
}

}  // namespace

struct RedisStore::Inspecting {
  InspectRequest request;
  Done<std::optional<Trace>> done;
  AcceptedSummary summary{};
  std::vector<std::optional<RecipientTrace>> found{};  // from request.skip on
  std::size_t next = 0;                                // of `found`
  std::size_t in_flight = 0;
  std::optional<StoreError> error{};
};

void RedisStore::inspect(InspectRequest request, Done<std::optional<Trace>> done) {
  std::string key = keys_.summaries(request.id);
  std::string id = request.id;
  const auto work = std::make_shared<Inspecting>(Inspecting{std::move(request), std::move(done)});
  calls_.run(redis_scripts::find, {std::move(key)}, {std::move(id)},
             [this, work, alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) {
               if (!reply) return work->done(Failure(reply.error()));
               if (alive.expired()) return work->done(Failure(StoreError::unavailable));
               if (reply->type == redis::Reply::Type::nil) return work->done(std::nullopt);
               auto summary = decode_summary(reply->text);
               if (!summary) return work->done(Failure(StoreError::corrupt));
               const UnixMs forgotten_at = summary->notification.expires_at + settings_.limits.trace_keep.count();
               if (forgotten_at <= work->request.now) return work->done(std::nullopt);
               work->summary = std::move(*summary);
               const std::size_t skip = std::min(work->request.skip, work->summary.users.size());
               work->found.resize(std::min(work->summary.users.size() - skip, work->request.recipients_max));
               inspect_more(work);
             });
}

void RedisStore::inspect_more(const std::shared_ptr<Inspecting>& work) {
  while (!work->error && work->next < work->found.size() && work->in_flight < questions_at_once_max) {
    ++work->in_flight;
    const std::size_t index = work->next++;
    const std::string& user = work->summary.users[work->request.skip + index];
    calls_.run(redis_scripts::trace, {keys_.log(user), keys_.devices(user), keys_.endings(user), keys_.proofs(user)},
               {work->request.id},
               [this, work, index, alive = std::weak_ptr(alive_)](Result<redis::Reply, StoreError> reply) {
                 --work->in_flight;
                 auto recipient = recipient_in(reply, work->summary.notification, work->request.now);
                 if (!recipient) {
                   work->error = recipient.error();
                 } else if (*recipient) {
                   (*recipient)->user = work->summary.users[work->request.skip + index];
                   work->found[index] = std::move(*recipient);
                 }
                 if (alive.expired()) return;
                 inspect_more(work);
               });
  }
  if (work->in_flight > 0 || !work->done || (!work->error && work->next < work->found.size())) return;
  auto done = std::exchange(work->done, {});
  if (work->error) return done(Failure(*work->error));
  Trace trace{std::make_shared<Notification>(work->summary.notification), work->summary.users.size(), {}};
  for (auto& recipient : work->found)
    if (recipient) trace.recipients.push_back(std::move(*recipient));
  done(std::move(trace));
}

}  // namespace carillon::inbox
