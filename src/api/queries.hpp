// GET /v1/nodes, /v1/rooms, /v1/sockets: what there is in the cluster at this moment.
//
// Parameters: `namespace` (default "/"); `room`, of /v1/sockets, repeated for a union; `view`: "count" (default: only how
// many), "ids" (names) or "full" (entries); `limit` 1 to 1,000 (default 100) and `after`, the last one of the page before:
// entries are in the order of their names, byte by byte; `local=true`: this node alone.
#pragma once

#include <cstddef>
#include <functional>

#include <carillon/value.hpp>

#include "http/router.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::api {

inline constexpr std::size_t page_entries_max = 1'000;
inline constexpr std::size_t page_entries_default = 100;

// What the API asks of the node beside what all others ask; implemented by the node and by tests.
class ClusterPort {
 public:
  virtual ~ClusterPort() = default;
  // The Carillon nodes, this one first; `done` runs once on the caller's shard, after the call.
  using NodesDone = std::function<void(Array nodes, std::size_t missing)>;
  virtual void list_nodes(NodesDone done) = 0;
};

// Each question goes to all servers, which send everything that matches: it costs them what it weighs.
void add_query_routes(http::Router& router, socketio::BroadcastPort& port, ClusterPort& cluster);

}  // namespace carillon::api
