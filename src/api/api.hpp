// The HTTP API, as routes of the listener's router.
#pragma once

#include "api/keys.hpp"
#include "http/router.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::api {

// What the API asks of a router: keys guard every path that is not open, errors are JSON.
http::RouterPolicy router_policy(Keys keys);

// POST /v1/emit. `port` outlives the router.
void add_routes(http::Router& router, socketio::BroadcastPort& port);

}  // namespace carillon::api
