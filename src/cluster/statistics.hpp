// Numbers of the cluster adapter, for /metrics.
#pragma once

#include <array>
#include <cstddef>

#include "base/counter.hpp"

namespace carillon::cluster {

// Why a message from Redis was ignored although it should not have been there.
enum class Malformed : unsigned char {
  not_msgpack,      // or cut off, or with bytes behind it
  not_a_broadcast,  // msgpack, but not [uid, packet, opts] of the expected kinds
  bad_packet,       // a packet that is no event, or an event without a name that an event may have
  nested_too_deep,
  not_json,         // although it begins with a brace
  bad_request,      // a request or an answer without the members of its type
  unknown_request,  // of a type that this version does not know
};
inline constexpr std::size_t malformed_kinds = 7;

// Written by the backplane's shard, read by any thread.
struct Statistics {
  Counter published;      // handed to the link
  Counter unpublishable;  // nested too deep to be encoded; this node's own clients got it
  Counter received;       // messages on our channels
  Counter delivered;      // handed to shards
  Counter own;            // our own messages, come back
  Counter unwanted;       // for rooms that nobody holds here, or for another namespace
  std::array<Counter, malformed_kinds> malformed;
  Counter requests;             // to the other servers
  Counter incomplete_requests;  // that some server did not answer
  Counter answered_requests;    // of other servers
  Counter answers_cut;          // to other servers: not all of it fitted
  Counter acks_dropped;         // of clients of other servers, beyond what one broadcast may gather
  Counter sessions_written;     // of clients that may come back: see SessionStore
  Counter sessions_refused;     // not written: too large, or too many wait for Redis
  Counter early;                // broadcasts that their own clients got without their place in the stream
  Counter strayed_answers;      // to no request of ours, or to one that is over, or twice
  Gauge rooms;                  // rooms held here, over all namespaces
};

}  // namespace carillon::cluster
