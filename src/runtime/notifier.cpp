// carillon::Notifier: the API's acceptance of notifications, without HTTP.
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <carillon/notifier.hpp>
#include <carillon/server.hpp>

#include "api/notifications.hpp"
#include "api/notify_request.hpp"
#include "base/json.hpp"
#include "runtime/node.hpp"

namespace carillon {
namespace {

NotifiedDevice device_in_auth(const Handshake& handshake) {
  const Value* name = handshake.auth().find("deviceId");
  const Value* acknowledges = handshake.auth().find("ack");
  NotifiedDevice device{.name = {}, .acknowledges = acknowledges != nullptr && *acknowledges == Value(true)};
  if (name != nullptr && name->as_string() != nullptr && api::is_user_id(*name->as_string()))
    device.name = *name->as_string();
  return device;
}

NotifierOptions completed(NotifierOptions options) {
  if (!options.device_of) options.device_of = device_in_auth;
  return options;
}

// As a producer would write it over HTTP: so it is judged by the same rules, and has the same fingerprint.
Result<std::string, NotifyError> body_of(const OutgoingNotification& notification) {
  Object to;
  if (!notification.users.empty() || notification.room.empty()) {
    Array users;
    for (const std::string& user : notification.users) users.push_back(user);
    to.append("users", std::move(users));
  }
  if (!notification.room.empty()) to.append("room", notification.room);
  Object body{{"to", std::move(to)}, {"event", notification.event}, {"data", notification.data}};
  if (notification.ttl_s != 0) body.append("ttl_s", notification.ttl_s);
  if (!notification.idempotency_key.empty()) body.append("idempotency_key", notification.idempotency_key);
  if (!notification.collapse_key.empty()) body.append("collapse_key", notification.collapse_key);
  std::string text;
  std::vector<Binary> attachments;
  append_json(text, Value(std::move(body)), attachments);
  if (!attachments.empty())
    return Failure(NotifyError{NotifyError::Kind::invalid, "data: binary has no place in a notification"});
  return text;
}

NotifyError error_of(inbox::StoreError error) {
  switch (error) {
    case inbox::StoreError::key_conflict:
      return {NotifyError::Kind::conflict, "idempotency_key: it was used for another notification"};
    case inbox::StoreError::unavailable:
    case inbox::StoreError::overloaded:
    case inbox::StoreError::full:
    case inbox::StoreError::read_only:
    case inbox::StoreError::corrupt:
    case inbox::StoreError::failed:
      break;
  }
  return {NotifyError::Kind::unavailable, std::string(to_string(error)) + ": try again with the same key"};
}

}  // namespace

Notifier::Notifier(Server& server, NotifierOptions options)
    : node_(server.node()),
      inbox_(node_.inbox() == nullptr ? node_.set_inbox(completed(options))
                                      : throw std::logic_error("a server has one notifier")),
      ttl_default_s_(options.ttl_default_s) {}

Notifier::~Notifier() = default;

void Notifier::notify(const OutgoingNotification& notification, NotifyHandler done) const {
  if (inbox_.shards().empty()) throw std::logic_error("notify() comes after the start of the server");
  runtime::Shard& first = *node_.shards().front();
  const auto answer = [&node = node_, done = std::move(done)](const std::expected<NotifyReceipt, NotifyError>& result) {
    if (done) node.call_application("notify", "", [&] { done(result); });
  };
  auto body = body_of(notification);
  auto request = body ? api::parse_notify_request(*body, {ttl_default_s_}) : api::NotifyRequest{};
  std::optional<NotifyError> refused;
  if (!body) refused = std::move(body.error());
  if (body && !request) refused = NotifyError{NotifyError::Kind::invalid, std::move(request.error().message)};
  auto task = [&inbox = inbox_, &node = node_, answer, refused = std::move(refused),
               request = std::move(request)]() mutable {
    if (refused) return answer(std::unexpected(std::move(*refused)));
    api::accept(inbox, node, std::move(*request), io::Loop::unix_now(),
                [answer](const Result<inbox::Accepted, inbox::StoreError>& accepted) {
                  if (!accepted) return answer(std::unexpected(error_of(accepted.error())));
                  answer(NotifyReceipt{accepted->id, accepted->recipients, accepted->replayed});
                });
  };
  first.is_current() ? task() : first.post(std::move(task));
}

}  // namespace carillon
