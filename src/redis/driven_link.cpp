#include "redis/driven_link.hpp"

#include <utility>

#include "redis/client.hpp"
#include "redis/cluster_client.hpp"

namespace carillon::redis {

std::unique_ptr<DrivenLink> make_link(ClientOptions options, Random& random, ClientDriver& driver) {
  switch (options.url.kind) {
    case Url::Kind::single:
    case Url::Kind::sentinel:
      break;
    case Url::Kind::cluster:
      return std::make_unique<ClusterClient>(std::move(options), random, driver);
  }
  return std::make_unique<Client>(std::move(options), random, driver);
}

// The answer is the channel and its number.
std::optional<std::size_t> subscriber_count(const Result<Reply, CommandError>& reply) {
  if (!reply || reply->items.size() != 2 || reply->items[1].type != Reply::Type::integer || reply->items[1].number < 0)
    return std::nullopt;
  return static_cast<std::size_t>(reply->items[1].number);
}

std::vector<std::string> subscriber_question(std::string_view channel, ChannelKind kind) {
  return {"PUBSUB", kind == ChannelKind::sharded ? "SHARDNUMSUB" : "NUMSUB", std::string(channel)};
}

}  // namespace carillon::redis
