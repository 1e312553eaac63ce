// What can be configured about the connections to Redis.
#pragma once

#include <cstddef>
#include <string>

#include "base/time.hpp"
#include "redis/url.hpp"

namespace carillon::redis {

struct ClientOptions {
  Url url;
  std::string name = "carillon";  // CLIENT SETNAME: what CLIENT LIST shows; blanks become "_"

  // False: publish only. No subscriber connection and no canary; ready once Redis has answered the handshake.
  bool subscribes = true;

  Milliseconds connect_timeout_ms{5'000};
  // Each connection is probed after this much silence, and given up when an answer is overdue by ping_timeout_ms.
  Milliseconds ping_interval_ms{5'000};
  Milliseconds ping_timeout_ms{5'000};
  // The canary gets ping_timeout_ms of silence, and this much in all: what others publish may come before it.
  Milliseconds canary_timeout_ms{60'000};
  // Sentinels: for connecting, for an answer, and of silence. When one does not help the next one is asked.
  Milliseconds sentinel_timeout_ms{1'000};
  // Full jitter: the wait before attempt N is uniform in [0, min(backoff_max_ms, backoff_min_ms * 2^N)].
  Milliseconds backoff_min_ms{100};
  Milliseconds backoff_max_ms{1'500};

  // A client of one node of a Redis Cluster: sharded subscriptions go one by one, since each may belong elsewhere, and it
  // connects a subscriber only when something is subscribed.
  bool cluster_node = false;
  // Neither commands nor subscriptions: for followed streams.
  bool reads_only = false;
  // Redis Cluster: how often a node is asked which node has which slots when nothing seems to have changed (50 % more or
  // less, by chance), and the shortest and longest wait when something has.
  Milliseconds topology_interval_ms{10'000};
  Milliseconds topology_pause_min_ms{100};
  Milliseconds topology_pause_max_ms{1'000};

  // Channels in one SUBSCRIBE command; more are sent when these have been confirmed.
  std::size_t subscribe_batch_max = 1'000;
  // After an outage, for all nodes of the cluster together (Link::set_nodes): how fast channels are subscribed again (new
  // ones do not wait), and how fast messages go out that have waited. 0: as fast as Redis answers.
  std::size_t subscriptions_per_second_max = 100'000;
  std::size_t backlog_messages_per_second_max = 100'000;

  // Without any answer for so long Redis gets no further messages, they wait in the queue: what is on its way when a
  // connection is given up may be lost, and nobody knows.
  Milliseconds unanswered_ms_max{500};

  // Entries of a followed stream in one reply.
  std::size_t stream_read_count_max = 100;
  // Commands without an answer yet; further ones fail at once.
  std::size_t commands_max = 10'000;

  // Messages waiting for Redis: beyond this many bytes the newest is dropped, beyond this age the oldest.
  std::size_t queue_bytes_max = 16 * 1024 * 1024;
  Milliseconds queue_age_max_ms{30'000};

  // A longer reply or message breaks the connection (it is not kept in memory).
  std::size_t reply_bytes_max = 64 * 1024 * 1024;

  // The canary's channel is this and random characters. An ACL that limits channels must allow it.
  std::string canary_prefix = "socket.io-canary#";
};

}  // namespace carillon::redis
