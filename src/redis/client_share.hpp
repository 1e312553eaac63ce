// What the clients of one link have in common: one has them for itself, or the nodes of a Redis Cluster together.
#pragma once

#include "redis/options.hpp"
#include "redis/pace.hpp"
#include "redis/publish_queue.hpp"
#include "redis/statistics.hpp"

namespace carillon::redis {

// Owned by the backplane's shard.
struct ClientShare {
  explicit ClientShare(const ClientOptions& options)
      : pace(options.subscriptions_per_second_max), queue_budget(options.queue_bytes_max) {}

  Statistics statistics;
  Pace pace;
  ByteBudget queue_budget;
};

}  // namespace carillon::redis
