// carillon doctor: looks at Redis with the eyes of a node, and says what is wrong or risky.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <set>
#include <stdexcept>

#include <carillon/adapter_options.hpp>

#include "app/commands.hpp"
#include "app/diagnosis.hpp"
#include "app/inbox_rights.hpp"
#include "app/serve_config.hpp"
#include "base/json.hpp"
#include "cluster/glob.hpp"
#include "redis/url.hpp"
#include "runtime/redis_probe.hpp"

namespace carillon::app {
namespace {

using runtime::RedisProbe;
using Words = std::vector<std::string>;

constexpr std::chrono::seconds connect_time{5};
constexpr std::chrono::seconds answer_time{5};
constexpr std::chrono::seconds subscribe_time{2};
constexpr std::chrono::milliseconds nodes_time{700};
constexpr int pings = 20;

std::optional<redis::Reply> ask(RedisProbe& probe, Words words) {
  auto reply = probe.ask(std::move(words), {}, answer_time);
  if (!reply || reply->type == redis::Reply::Type::error) return std::nullopt;
  return std::move(*reply);
}

// "redis_version:7.0.15" in the lines of INFO.
std::string info_field(const std::string& info, const std::string& name) {
  const std::size_t at = ("\n" + info).find("\n" + name + ":");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 1;
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

std::string info_of_cluster(RedisProbe& probe) {
  const auto reply = ask(probe, {"CLUSTER", "INFO"});
  return reply ? reply->text : std::string();
}

void look_at_server(RedisProbe& probe, RedisFacts& facts) {
  const auto text_of = [&](const std::string& section) {
    const auto reply = ask(probe, {"INFO", section});
    return reply ? reply->text : std::string();
  };
  const std::string server = text_of("server");
  const std::string memory = text_of("memory");
  facts.version = info_field(server, "redis_version");
  facts.role = info_field(text_of("replication"), "role");
  facts.keeps_file = info_field(text_of("persistence"), "aof_enabled") != "0";
  facts.cluster_enabled = info_field(text_of("cluster"), "cluster_enabled") == "1";
  if (facts.cluster_enabled) facts.cluster_state = info_field(info_of_cluster(probe), "cluster_state");
  facts.eviction_policy = info_field(memory, "maxmemory_policy");
  const std::string limit = info_field(memory, "maxmemory");
  std::from_chars(limit.data(), limit.data() + limit.size(), facts.memory_bytes_max);
}

void measure(RedisProbe& probe, RedisFacts& facts) {
  std::vector<double> times;
  for (int i = 0; i < pings; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (!ask(probe, {"PING"})) continue;
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  facts.latency_ms = times[times.size() / 2];
  facts.latency_max_ms = times.back();
}

// What the adapter does is done once, on names of its own kind that nobody else has: with streams ...
void try_streams(RedisProbe& probe, const Config& config, RedisFacts& facts) {
  const auto attempt = [&](std::string what, Words words, std::string at) {
    if (const auto reply = probe.ask(std::move(words), std::move(at), answer_time); !reply)
      facts.refused.emplace_back(std::move(what), reply.error());
  };
  const std::string stream = config.cluster.stream_name + "-doctor-" + probe.random_name();
  attempt(fmt::format("write to the streams {}*", config.cluster.stream_name), {"XADD", stream, "*", "doctor", "1"},
          stream);
  attempt(fmt::format("read the streams {}*", config.cluster.stream_name), {"XRANGE", stream, "-", "+"}, stream);
  attempt(fmt::format("read the streams {}* (XREAD)", config.cluster.stream_name),
          {"XREAD", "COUNT", "1", "STREAMS", stream, "0"}, stream);
  attempt(fmt::format("look at the streams {}* (XINFO STREAM)", config.cluster.stream_name),
          {"XINFO", "STREAM", stream}, stream);
  (void)probe.ask({"DEL", stream}, stream, answer_time);  // nodes need no such right: without it the key stays
  if (!config.recovery.enabled) return;
  const std::string sessions = AdapterOptions().session_key_prefix;
  const std::string session = sessions + "doctor-" + probe.random_name();
  attempt(fmt::format("keep sessions in {}* (EVAL, GET, SET)", sessions),
          {"EVAL", "redis.call('SET',KEYS[1],'1','PX','1000') return redis.call('GET',KEYS[1])", "1", session},
          session);
  attempt(fmt::format("delete keys {}*", sessions), {"DEL", session}, session);
}

// ... and with channels.
void try_rights(RedisProbe& probe, const Config& config, RedisFacts& facts) {
  const std::string& key = config.cluster.prefix;
  const std::string name = key + "#/#" + probe.random_name() + "#";
  const auto attempt = [&](std::string what, Words words, std::string at = {}) {
    if (const auto reply = probe.ask(std::move(words), std::move(at), answer_time); !reply)
      facts.refused.emplace_back(std::move(what), reply.error());
  };
  attempt("count subscribers (PUBSUB)", {"PUBSUB", "NUMSUB", name});
  attempt(fmt::format("publish to {}#...", key), {"PUBLISH", name, ""});
  if (config.cluster.adapter == "pubsub")
    attempt(fmt::format("publish to {}-request#...", key), {"PUBLISH", key + "-request#/#?#", ""});
  if (config.cluster.adapter == "sharded") {
    attempt("count subscribers of sharded channels (PUBSUB SHARDNUMSUB)", {"PUBSUB", "SHARDNUMSUB", name}, name);
    attempt(fmt::format("publish to {}#... (SPUBLISH)", key), {"SPUBLISH", name, ""}, name);
  }
  if (config.cluster.adapter == "streams") try_streams(probe, config, facts);
  const auto attempt_subscription = [&](std::string_view verb, redis::ChannelKind kind, const std::string& channel) {
    if (!probe.subscribe(kind, channel, subscribe_time))
      facts.refused.emplace_back(fmt::format("subscribe to {} ({})", channel, verb), "the log above says why");
  };
  if (config.cluster.adapter == "sharded") attempt_subscription("SSUBSCRIBE", redis::ChannelKind::sharded, name);
  if (config.cluster.adapter == "pubsub" && config.cluster.pattern_subscription)
    attempt_subscription("PSUBSCRIBE", redis::ChannelKind::pattern, cluster::escape_glob(key + "#/#") + "*");
}

std::size_t count(RedisProbe& probe, const std::string& question, const std::string& channel) {
  std::int64_t sum = 0;
  for (const redis::Reply& reply : probe.ask_everywhere({"PUBSUB", question, channel}, answer_time))
    if (reply.items.size() >= 2) sum += std::max<std::int64_t>(reply.items[1].number, 0);
  return static_cast<std::size_t>(sum);
}

std::set<std::string> channels(RedisProbe& probe, const std::string& question, const std::string& pattern) {
  std::set<std::string> names;  // each once, on however many nodes of a Redis Cluster
  for (const redis::Reply& reply : probe.ask_everywhere({"PUBSUB", question, pattern}, answer_time))
    for (const redis::Reply& item : reply.items) names.insert(item.text);
  return names;
}

void look_at_peers(RedisProbe& probe, const Config& config, RedisFacts& facts) {
  const std::string& key = config.cluster.prefix;
  const std::string base = key + "#/#";
  facts.pubsub_servers = count(probe, "NUMSUB", key + "-request#/#");
  facts.sharded_servers = count(probe, "SHARDNUMSUB", base);
  // Carillon nodes with the pub/sub adapter listen to the base channel, too; Node.js servers have a pattern instead.
  const std::size_t plain = count(probe, "NUMSUB", base);
  const auto own = static_cast<std::size_t>(std::count_if(
      facts.nodes.begin(), facts.nodes.end(), [](const RedisFacts::Node& node) { return node.adapter == "pubsub"; }));
  facts.streams_servers = plain > own ? plain - own : 0;
  for (const std::string& channel : channels(probe, "SHARDCHANNELS", key + "#*"))
    if (std::count(channel.begin(), channel.end(), '#') > 2) ++facts.sharded_rooms;
  for (const std::string& channel : channels(probe, "CHANNELS", key + "#/*#"))
    if (std::count(channel.begin(), channel.end(), '#') == 2)
      facts.namespaces.push_back(channel.substr(key.size() + 1, channel.size() - key.size() - 2));
}

void look_at_nodes(RedisProbe& probe, const Config& config, RedisFacts& facts) {
  const std::string questions = config.cluster.prefix + "-carillon#";
  const std::string uid = probe.random_name();
  const std::string question = to_json(Object{{"ask", uid}, {"from", uid}});
  for (const std::string& answer : probe.call(questions + uid + "#", questions, question, nodes_time)) {
    const auto value = parse_json(answer);
    const Value* node = value ? value->find("node") : nullptr;
    if (node == nullptr) continue;
    const auto text = [&](const char* name) {
      const Value* member = node->find(name);
      const std::string* found = member == nullptr ? nullptr : member->as_string();
      return found == nullptr ? std::string() : *found;
    };
    facts.nodes.push_back({text("name"), text("adapter"), text("mode")});
  }
}

int print(const std::vector<Finding>& findings) {
  int errors = 0;
  int warnings = 0;
  for (const Finding& finding : findings) {
    std::string_view mark = "ok     ";
    if (finding.level == Finding::Level::warning) mark = "warning";
    if (finding.level == Finding::Level::error) mark = "ERROR  ";
    errors += finding.level == Finding::Level::error ? 1 : 0;
    warnings += finding.level == Finding::Level::warning ? 1 : 0;
    fmt::print("{}  {}\n", mark, finding.text);
  }
  fmt::print("{} errors, {} warnings\n", errors, warnings);
  return errors > 0 ? 1 : 0;
}

}  // namespace

int doctor(const ServeArguments& arguments) {
  const auto config = read_config(arguments);
  if (!config) {
    complain("doctor", config.error().front());
    return 2;
  }
  if (config->redis.url.empty()) {
    complain("doctor", "which Redis? Give --redis URL, or --config FILE with redis.url");
    return 2;
  }
  RedisProbe probe(config->redis.url, config->cluster.prefix + "-canary#");
  if (!probe.wait_ready(connect_time)) {
    fmt::print(
        "ERROR    Redis at {} has not answered as it should within {} s; the reason is above. Is it running, and are "
        "address, user, password and TLS right? The user needs +publish, +subscribe and the channels {}*.\n",
        redis::endpoint(*redis::parse_url(config->redis.url)), connect_time.count(), config->cluster.prefix);
    return 1;
  }
  RedisFacts facts;
  look_at_server(probe, facts);
  measure(probe, facts);
  look_at_nodes(probe, *config, facts);
  look_at_peers(probe, *config, facts);
  try_rights(probe, *config, facts);
  try_inbox_rights(probe, *config, facts);
  return print(diagnose(*config, facts));
}

}  // namespace carillon::app
