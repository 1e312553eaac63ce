// What the Socket.IO layer of one shard has seen. Written by the shard, read by /metrics.
#pragma once

#include "base/counter.hpp"

namespace carillon::socketio {

struct Stats {
  Gauge sockets;               // connected to a namespace
  Gauge rooms;                 // apart from those of socket ids
  Gauge pending_packet_bytes;  // whose attachments have not all come
  Counter connects;
  Counter connect_errors;
  Counter namespaces_refused;  // beyond namespaces_per_client_max
  Counter joins_refused;       // beyond rooms_per_socket_max
  Counter acks_given_up;       // beyond pending_acks_per_socket_max
  Counter events_received;
  Counter events_refused;  // by middleware of sockets
  Counter acks_received;
  Counter acks_dropped;        // of broadcasts, beyond broadcast_ack_bytes_max
  Counter parse_errors;        // packets that closed their connection
  Counter broadcasts;          // seen by this shard
  Counter deliveries;          // packets of broadcasts handed to sessions
  Counter handler_exceptions;  // that escaped handlers of the application
  Counter recovered;           // clients that came back as the socket that they were
  Counter recoveries_failed;   // clients that asked for it and got a new socket: unknown, too late, or events are gone
};

}  // namespace carillon::socketio
