#include "api/notifications.hpp"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>

#include "api/api.hpp"
#include "api/error.hpp"
#include "base/json.hpp"
#include "base/text_hash.hpp"
#include "inbox/page_reader.hpp"
#include "inbox/wire.hpp"

namespace carillon::api {
namespace {

constexpr std::string_view user_room_prefix = "user:";
constexpr std::size_t trace_recipients_max = 1'000;

// What the failure of the store means to the caller.
http::Response store_error_response(inbox::StoreError error) {
  const auto unavailable = [&](std::string code) {
    auto response =
        to_response({503, std::move(code), std::string(to_string(error)) + ": try again with the same key"});
    response.headers.emplace_back("Retry-After", "1");
    return response;
  };
  switch (error) {
    case inbox::StoreError::unavailable:
      return unavailable("store_unavailable");
    case inbox::StoreError::overloaded:
      return unavailable("store_overloaded");
    case inbox::StoreError::full:
      return unavailable("store_full");
    case inbox::StoreError::read_only:
      return unavailable("store_read_only");
    case inbox::StoreError::corrupt:
      return unavailable("store_corrupt");
    case inbox::StoreError::failed:
      return unavailable("store_failed");
    case inbox::StoreError::key_conflict:
      return to_response({409, "idempotency_conflict", "idempotency_key: it was used for another notification"});
  }
  return unavailable("store_failed");
}

http::Response accepted_response(const inbox::Accepted& accepted) {
  auto response = json_response(
      202, to_json(Object{{"id", accepted.id}, {"recipients", static_cast<std::uint64_t>(accepted.recipients)}}));
  if (accepted.replayed) response.headers.emplace_back("Idempotent-Replayed", "true");
  return response;
}

// The users whose sockets are in the room, each once.
std::vector<std::string> users_of(const std::vector<RemoteSocket>& sockets) {
  std::vector<std::string> users;
  std::unordered_set<std::string, TextHash, std::equal_to<>> seen;
  for (const RemoteSocket& socket : sockets)
    for (const std::string& room : socket.rooms())
      if (room.starts_with(user_room_prefix) && room.size() > user_room_prefix.size() && seen.insert(room).second)
        users.push_back(room.substr(user_room_prefix.size()));
  return users;
}

void accept_for_users(NotificationPort& port, NotifyRequest request, UnixMs now,
                      inbox::Store::Done<inbox::Accepted> done) {
  auto notification = std::make_shared<inbox::Notification>();
  notification->id = port.new_id(now);
  notification->event = std::move(request.event);
  notification->data = std::move(request.data);
  notification->collapse_key = std::move(request.collapse_key);
  notification->sent_at = now;
  notification->expires_at = now + request.ttl_s * 1'000;
  port.accept({std::move(notification), std::move(request.users), std::move(request.idempotency_key),
               std::move(request.fingerprint)},
              std::move(done));
}

http::Response invalid_query(std::string message) { return to_response({400, "invalid_query", std::move(message)}); }

std::optional<std::size_t> parse_count(std::string_view text, std::size_t min, std::size_t max) {
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < min || count > max) return std::nullopt;
  return count;
}

void inspect(NotificationPort& port, const http::Request& request, const http::Route::Respond& respond) {
  inbox::InspectRequest asked{http::path_segment(request.path(), 2), 0, trace_recipients_max, request.received_unix_ms};
  for (const auto& [name, value] : http::query_parameters(request.query())) {
    if (name != "skip") return respond(invalid_query("query: unknown parameter '" + name + "'"));
    const auto skip = parse_count(value, 0, 1'000'000'000);
    if (!skip) return respond(invalid_query("query: 'skip' must be a number"));
    asked.skip = *skip;
  }
  port.store().inspect(
      std::move(asked), [respond](const Result<std::optional<inbox::Trace>, inbox::StoreError>& trace) {
        if (!trace) return respond(store_error_response(trace.error()));
        if (!*trace)
          return respond(error_response(404, "there is no such notification, or it expired more than a day ago"));
        respond(json_response(200, inbox::trace_json(**trace)));
      });
}

void read_inbox(NotificationPort& port, const http::Request& request, const http::Route::Respond& respond) {
  inbox::PageRequest asked{.user = http::path_segment(request.path(), 2), .after = {}, .now = request.received_unix_ms};
  if (!is_user_id(asked.user)) return respond(invalid_query("a user id is 1 to 256 bytes without control characters"));
  for (const auto& [name, value] : http::query_parameters(request.query())) {
    if (name == "after") {
      asked.after = inbox::parse_position(value);
      if (!asked.after) return respond(invalid_query("query: 'after' must be a position"));
    } else if (name == "limit") {
      const auto limit = parse_count(value, 1, inbox::page_entries_max);
      if (!limit)
        return respond(
            invalid_query(fmt::format("query: 'limit' must be a number from 1 to {}", inbox::page_entries_max)));
      asked.entries_max = *limit;
    } else {
      return respond(invalid_query("query: unknown parameter '" + name + "'"));
    }
  }
  inbox::read_page(port.store(), std::move(asked), [respond](const Result<std::string, inbox::StoreError>& page) {
    respond(page ? json_response(200, *page) : store_error_response(page.error()));
  });
}

http::Route route(std::string method, std::string path) {
  http::Route made;
  if (method == "POST") made.refuse = refuse_unless_json;
  made.method = std::move(method);
  made.path = std::move(path);
  return made;
}

}  // namespace

void accept(NotificationPort& notifications, socketio::BroadcastPort& sockets, NotifyRequest request, UnixMs now,
            inbox::Store::Done<inbox::Accepted> done) {
  if (request.room.empty()) return accept_for_users(notifications, std::move(request), now, std::move(done));
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = socketio::Operation::Kind::fetch;
  operation->selection.name_space = std::string("/");
  operation->selection.rooms = {request.room};
  auto shared = std::make_shared<inbox::Store::Done<inbox::Accepted>>(std::move(done));  // that can be copied
  sockets.operate(std::move(operation), [&notifications, request = std::move(request), now,
                                         shared](const socketio::OperationResult& members) mutable {
    request.users = users_of(members.sockets);
    accept_for_users(notifications, std::move(request), now, std::move(*shared));
  });
}

void notify(NotificationPort& notifications, socketio::BroadcastPort& sockets, const NotifyDefaults& defaults,
            std::string_view body, UnixMs now, const http::Route::Respond& respond) {
  auto request = parse_notify_request(body, defaults);
  if (!request) return respond(to_response(request.error()));
  accept(notifications, sockets, std::move(*request), now,
         [respond](const Result<inbox::Accepted, inbox::StoreError>& accepted) {
           respond(accepted ? accepted_response(*accepted) : store_error_response(accepted.error()));
         });
}

void add_notification_routes(http::Router& router, NotificationPort& notifications, socketio::BroadcastPort& sockets,
                             NotifyDefaults defaults) {
  auto post = route("POST", "/v1/notifications");
  post.answer_later = [&notifications, &sockets, defaults](const http::Request& request, std::string_view body,
                                                           const http::Route::Respond& respond) {
    notify(notifications, sockets, defaults, body, request.received_unix_ms, respond);
  };
  router.add(std::move(post));
  auto get = route("GET", "/v1/notifications/{id}");
  get.answer_later = [&notifications](const http::Request& request, std::string_view,
                                      const http::Route::Respond& respond) {
    inspect(notifications, request, respond);
  };
  router.add(std::move(get));
  auto inbox = route("GET", "/v1/users/{id}/inbox");
  inbox.answer_later = [&notifications](const http::Request& request, std::string_view,
                                        const http::Route::Respond& respond) {
    read_inbox(notifications, request, respond);
  };
  router.add(std::move(inbox));
}

}  // namespace carillon::api
