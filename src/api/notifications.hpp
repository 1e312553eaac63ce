// The routes of notifications: POST /v1/notifications, GET /v1/notifications/{id}, GET /v1/users/{id}/inbox.
#pragma once

#include <string>

#include "api/notify_request.hpp"
#include "http/router.hpp"
#include "inbox/store.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::api {

// What the API asks of the node's inbox. Implemented by runtime/ and by tests; called on the API's shard, as is `done`.
class NotificationPort {
 public:
  virtual ~NotificationPort() = default;
  // Store::accept(), and then delivery begins.
  virtual void accept(inbox::Acceptance acceptance, inbox::Store::Done<inbox::Accepted> done) = 0;
  virtual inbox::Store& store() = 0;
  virtual std::string new_id(UnixMs now) = 0;
};

// Both ports outlive the router.
void add_notification_routes(http::Router& router, NotificationPort& notifications, socketio::BroadcastPort& sockets,
                             NotifyDefaults defaults);

// A request that is valid: to its users, or to those whose sockets are in its room now.
void accept(NotificationPort& notifications, socketio::BroadcastPort& sockets, NotifyRequest request, UnixMs now,
            inbox::Store::Done<inbox::Accepted> done);

// POST /v1/notifications.
void notify(NotificationPort& notifications, socketio::BroadcastPort& sockets, const NotifyDefaults& defaults,
            std::string_view body, UnixMs now, const http::Route::Respond& respond);

}  // namespace carillon::api
