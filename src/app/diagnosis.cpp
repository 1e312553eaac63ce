#include "app/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cluster/stream_name.hpp"

namespace carillon::app {
namespace {

using Level = Finding::Level;

constexpr double slow_ms = 5;  // a request to all servers takes several of these
constexpr double very_slow_ms = 50;

int major_version(const std::string& version) {
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

void check_version(const Config& config, const RedisFacts& facts, std::vector<Finding>& out) {
  if (facts.version.empty()) {
    out.push_back(
        {Level::warning,
         "The user may not call INFO (+info): Redis' version, role, files and eviction policy cannot be read."});
    return;
  }
  const int major = major_version(facts.version);
  if (config.cluster.adapter == "sharded" && major < 7) {
    out.push_back(
        {Level::error, fmt::format("Redis is version {}: the sharded adapter needs 7.0 or later. Update it, or "
                                   "set cluster.adapter to \"pubsub\".",
                                   facts.version)});
  } else if (major < 6) {
    out.push_back({Level::error, fmt::format("Redis is version {}: 6.2 or later is needed.", facts.version)});
  } else {
    out.push_back({Level::good, fmt::format("Redis {} answers.", facts.version)});
  }
  if (facts.role != "master" && !facts.cluster_enabled)
    out.push_back(
        {Level::error,
         fmt::format("This Redis is a {}, not a master: what is published there reaches no other node. Give the "
                     "master's address, or those of the sentinels (redis+sentinel://...).",
                     facts.role)});
  if (facts.cluster_enabled && !config.redis.url.starts_with("redis+cluster") &&
      !config.redis.url.starts_with("rediss+cluster"))
    out.push_back(
        {Level::warning,
         "This is a node of a Redis Cluster, and the URL names it alone: when it goes, so does the connection. "
         "Give redis+cluster://HOST:PORT,HOST:PORT."});
  if (facts.cluster_enabled && facts.cluster_state == "fail")
    out.push_back(
        {Level::error,
         "The Redis Cluster says of itself that it has failed (cluster_state): a master is away and no replica "
         "has taken its place, or slots are assigned to nobody. See redis-cli --cluster check HOST:PORT."});
}

void check_rights(const RedisFacts& facts, std::vector<Finding>& out) {
  for (const auto& [what, why] : facts.refused)
    out.push_back({Level::error, fmt::format("The user may not {}: \"{}\". Extend its ACL.", what, why)});
  if (facts.refused.empty())
    out.push_back({Level::good, "The user may do all that this adapter and notifications need."});
}

void check_eviction(const Config& config, const RedisFacts& facts, std::vector<Finding>& out) {
  if (facts.eviction_policy == "noeviction" || facts.eviction_policy.empty()) return;
  const bool streams = config.cluster.adapter == "streams";
  const bool volatile_only = facts.eviction_policy.starts_with("volatile-");
  out.push_back(
      {Level::warning,
       fmt::format("maxmemory-policy is {}: when memory is full{} Redis throws away {}. Set it to noeviction.",
                   facts.eviction_policy, facts.memory_bytes_max == 0 ? " (no limit is set now)" : "",
                   !streams        ? "notifications that were accepted"
                   : volatile_only ? "notifications that were accepted, and sessions of clients that want to come back"
                                   : "notifications that were accepted, and the stream with all messages")});
}

void check_file(const RedisFacts& facts, std::vector<Finding>& out) {
  if (facts.keeps_file) return;
  out.push_back(
      {Level::warning,
       "appendonly is off: when Redis restarts, notifications that were accepted are lost (POST /v1/notifications; "
       "POST /v1/emit needs no file). Set it to yes, and appendfsync to always where none may be lost."});
}

void check_latency(const RedisFacts& facts, std::vector<Finding>& out) {
  const std::string numbers =
      fmt::format("A PING takes {:.2f} ms, {:.2f} ms at worst.", facts.latency_ms, facts.latency_max_ms);
  if (facts.latency_ms < slow_ms && facts.latency_max_ms < very_slow_ms) return out.push_back({Level::good, numbers});
  out.push_back(
      {Level::warning, numbers + " Every message between nodes takes half of that or more: is Redis far away, busy, "
                                 "or are slow commands run on it (SLOWLOG GET)?"});
}

// Adapters that share a prefix do not understand each other, and some fall over the other's messages.
void check_collisions(const Config& config, const RedisFacts& facts, std::vector<Finding>& out) {
  struct Kind {
    std::string_view adapter;
    std::size_t servers;
  };
  const Kind kinds[] = {
      {"pubsub", facts.pubsub_servers}, {"sharded", facts.sharded_servers}, {"streams", facts.streams_servers}};
  for (const auto& [adapter, servers] : kinds) {
    if (adapter == config.cluster.adapter) {
      out.push_back({Level::good, fmt::format("{} servers with the {} adapter are here under the prefix \"{}\".",
                                              servers, adapter, config.cluster.prefix)});
    } else if (servers > 0) {
      const bool crashes = (adapter == "pubsub" && config.cluster.adapter == "streams") ||
                           (adapter == "streams" && config.cluster.adapter == "pubsub");
      out.push_back(
          {crashes ? Level::error : Level::warning,
           fmt::format("{} servers with the {} adapter use the prefix \"{}\", too: they and the {} adapter do not hear "
                       "each other{}. Give all the same adapter, or another cluster.prefix.",
                       servers, adapter, config.cluster.prefix, config.cluster.adapter,
                       crashes ? ", and Node.js servers with the pub/sub adapter end with an exception at the streams "
                                 "adapter's requests"
                               : "")});
    }
  }
}

void check_modes(const Config& config, const RedisFacts& facts, std::vector<Finding>& out) {
  if (config.cluster.adapter != "sharded") return;
  for (const RedisFacts::Node& node : facts.nodes)
    if (node.adapter == "sharded" && node.mode != config.cluster.mode)
      out.push_back({Level::error,
                     fmt::format("The node {} has cluster.mode {}, this configuration {}: one that is static misses "
                                 "what others publish to a single room. Give all the same.",
                                 node.name, node.mode, config.cluster.mode)});
  const bool dynamic = config.cluster.mode != "static";
  if (dynamic && facts.sharded_servers > facts.nodes.size() && facts.sharded_rooms == 0)
    out.push_back(
        {Level::warning,
         "Other servers are there, and nobody is subscribed to a room: if clients are in rooms, those servers have the "
         "subscription mode \"static\" and will miss what is published to a single room."});
}

void check_streams(const Config& config, const RedisFacts& facts, std::vector<Finding>& out) {
  if (config.cluster.adapter != "streams" || config.cluster.stream_count < 2) return;
  for (const std::string& name_space : facts.namespaces) {
    const std::string stream =
        cluster::stream_name(config.cluster.stream_name, config.cluster.stream_count, name_space);
    if (stream.find("--", config.cluster.stream_name.size()) == std::string::npos) continue;
    out.push_back(
        {Level::warning,
         fmt::format(
             "The messages of the namespace {} go to the stream {}, which no Node.js server reads (a bug of the "
             "published adapter): they lose them. Carillon nodes read it. Set stream_count to 1 everywhere, or "
             "rename the namespace.",
             name_space, stream)});
  }
}

}  // namespace

std::vector<Finding> diagnose(const Config& config, const RedisFacts& facts) {
  std::vector<Finding> findings;
  check_version(config, facts, findings);
  check_rights(facts, findings);
  check_collisions(config, facts, findings);
  check_modes(config, facts, findings);
  check_streams(config, facts, findings);
  check_eviction(config, facts, findings);
  check_file(facts, findings);
  check_latency(facts, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.level > b.level; });
  return findings;
}

}  // namespace carillon::app
