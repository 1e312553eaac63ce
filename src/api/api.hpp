// The HTTP API, as routes of the listener's router.
#pragma once

#include <optional>

#include "api/keys.hpp"
#include "http/router.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::api {

// What the API asks of a router: keys guard every path that is not open, errors are JSON.
http::RouterPolicy router_policy(Keys keys);

// A guard of routes with a body: 415 for a content type other than JSON.
std::optional<http::Response> refuse_unless_json(const http::Request& request);

// POST /v1/emit.
void emit(socketio::BroadcastPort& port, std::string_view body, const http::Route::Respond& respond);

// POST /v1/emit. `port` outlives the router.
void add_routes(http::Router& router, socketio::BroadcastPort& port);

}  // namespace carillon::api
