// For tests: a Redis Cluster on virtual time, and a driver that connects a ClusterClient to it without sockets.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/cluster_client.hpp"
#include "redis/fake_redis.hpp"
#include "redis/key_slot.hpp"

namespace carillon::redis::testing {

// Nodes are named by their addresses, "10.0.0.1:7000".
class FakeCluster {
 public:
  struct Node {
    FakeRedis redis;
    bool reachable = true;  // false: connections are refused
    bool answering = true;  // false: what it answers stays with it
    std::string master;     // of a replica; empty: it is none
    bool asking = false;    // ASKING was the last command
  };

  std::map<std::string, Node> nodes;
  std::vector<std::string> owners = std::vector<std::string>(slot_count);  // by slot; empty: nobody
  std::map<std::uint16_t, std::string> migrating;                          // slots whose keys are there already
  std::string host_shown;   // instead of the hosts, in topology and redirections; empty: those
  std::string slots_error;  // answer to CLUSTER SLOTS
  int looks = 0;            // at the topology

  // Three masters with a third of the slots each.
  FakeCluster() {
    for (int i = 0; i < 3; ++i) add("10.0.0.1:700" + std::to_string(i));
    for (std::size_t slot = 0; slot < slot_count; ++slot)
      owners[slot] = "10.0.0.1:700" + std::to_string(slot * 3 / slot_count);
  }

  void add(const std::string& name, const std::string& master = "") {
    Node& node = nodes[name];
    node.master = master;
    node.redis.override_answer = [this, name](const Words& words) { return answer(name, words); };
  }

  FakeRedis& redis(const std::string& name) { return nodes.at(name).redis; }
  FakeRedis& redis_of(std::string_view key) { return redis(owners[slot_of(key)]); }

  // As CLUSTER SETSLOT at the end of a migration: keys have moved, subscribers of the slot are told.
  void move_slot(std::uint16_t slot, const std::string& to) {
    const std::string from = std::exchange(owners[slot], to);
    migrating.erase(slot);
    if (from.empty() || from == to) return;
    FakeRedis& last = redis(from);
    const auto subscriptions = last.subscriptions;
    for (const auto& [connection, channels] : subscriptions)
      for (const auto& [kind, channel] : channels)
        if (kind == ChannelKind::sharded && slot_of(channel) == slot) last.push_unsubscription(connection, channel);
    std::vector<std::string> streams;
    for (const auto& [name, stream] : last.streams)
      if (slot_of(name) == slot) streams.push_back(name);
    for (const std::string& name : streams) {
      redis(to).streams[name] = last.streams[name];
      last.streams.erase(name);
      last.refuse_reads(name, moved(slot));
    }
  }

  // All its slots are another one's.
  void promote(const std::string& replica) {
    const std::string last = std::exchange(nodes.at(replica).master, "");
    redis(replica).streams = redis(last).streams;
    std::replace(owners.begin(), owners.end(), last, replica);
  }

  // Subscriptions of all nodes, without canaries; names as in RecordingListener, with the node's last digit before.
  Words subscriptions() const {
    Words names;
    for (const auto& [name, node] : nodes)
      for (const auto& [connection, channels] : node.redis.subscriptions)
        for (const auto& [kind, channel] : channels)
          if (!channel.starts_with("socket.io-canary#"))
            names.push_back(name.substr(name.size() - 1) + " " + RecordingListener::name(kind, channel));
    return names;
  }

  // Of all nodes: payloads that were taken, in no order between nodes; without canaries.
  Words published(std::string_view verb) const {
    Words payloads;
    for (const auto& [name, node] : nodes)
      for (const Words& words : node.redis.commands(verb))
        if (!words[1].starts_with("socket.io-canary#")) payloads.push_back(words.back());
    return payloads;
  }

  // What another client publishes.
  std::size_t publish(std::string_view channel, std::string_view payload, ChannelKind kind) {
    if (kind == ChannelKind::sharded) return redis_of(channel).publish(channel, payload, kind);
    std::size_t receivers = 0;
    for (auto& [name, node] : nodes) receivers += node.redis.publish(channel, payload, kind);
    return receivers;
  }

 private:
  std::string moved(std::uint16_t slot) const { return "MOVED " + std::to_string(slot) + " " + shown(owners[slot]); }
  std::string shown(const std::string& name) const {
    return host_shown.empty() ? name : (host_shown == "nil" ? "" : host_shown) + name.substr(name.find(':'));
  }

  static std::string key_of(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "XINFO") return words[2];
    if (verb == "XREAD")
      return words[static_cast<std::size_t>(std::find(words.begin(), words.end(), "STREAMS") - words.begin()) + 1];
    for (const char* known : {"SPUBLISH", "SSUBSCRIBE", "SUNSUBSCRIBE", "XADD", "GET", "SET"})
      if (verb == known) return words[1];
    return "";
  }

  std::string answer(const std::string& name, const Words& words) {
    Node& node = nodes.at(name);
    const std::string& verb = words[0];
    if (verb == "CLUSTER") return slots();
    if (verb == "ASKING") {
      node.asking = true;
      return "+OK\r\n";
    }
    if (verb == "PUBLISH")  // the cluster's bus
      for (auto& [other, one] : nodes)
        if (other != name && one.reachable) one.redis.publish(words[1], words[2]);
    const std::string key = key_of(words);
    const bool asking = std::exchange(node.asking, false);
    if (key.empty()) return "";
    const std::uint16_t slot = slot_of(key);
    const bool is_channel = verb[0] == 'S' && verb != "SET";
    const auto target = migrating.find(slot);
    if (owners[slot].empty()) return "-CLUSTERDOWN Hash slot not served\r\n";
    if (owners[slot] == name) {
      if (target == migrating.end() || is_channel) return "";
      return "-ASK " + std::to_string(slot) + " " + shown(target->second) + "\r\n";
    }
    if (asking && target != migrating.end() && target->second == name) return "";
    return "-" + moved(slot) + "\r\n";
  }

  std::string slots() {
    ++looks;
    if (!slots_error.empty()) return "-" + slots_error + "\r\n";
    std::string text;
    int ranges = 0;
    const auto entry = [this](const std::string& name) {
      const std::string host = host_shown.empty() ? name.substr(0, name.find(':')) : host_shown;
      const std::string head = host == "nil" ? "$-1\r\n" : FakeRedis::bulk(host);
      return "*3\r\n" + head + ":" + name.substr(name.find(':') + 1) + "\r\n" + FakeRedis::bulk("id-of-" + name);
    };
    for (std::size_t first = 0, last = 0; first < slot_count; first = last + 1) {
      last = first;
      while (last + 1 < slot_count && owners[last + 1] == owners[first]) ++last;
      if (owners[first].empty()) continue;
      std::string members = entry(owners[first]);
      int count = 3;
      for (const auto& [name, node] : nodes) {
        if (node.master != owners[first]) continue;
        members += entry(name);
        ++count;
      }
      text += "*" + std::to_string(count) + "\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n" +
              members;
      ++ranges;
    }
    return "*" + std::to_string(ranges) + "\r\n" + text;
  }
};

class ClusterRig : public ClientDriver {
 public:
  explicit ClusterRig(ClientOptions options = {}, std::uint64_t seed = 1)
      : random(seed), link(with_url(std::move(options)), random, *this) {
    link.set_listener(&listener);
  }

  void wake() override { woken_ = true; }

  // Everything that can happen at this moment.
  void run() {
    while (step()) {
    }
  }
  // Time passes, from deadline to deadline.
  void advance(Milliseconds duration) {
    const TimePoint end = now + duration;
    for (run(); next() <= end; run()) {
      now = std::max(now, next());
      pass();
    }
    now = end;
    pass();
    run();
  }

  // The server dies: its connections break, and it takes no others.
  void kill(const std::string& name) {
    cluster.nodes.at(name).reachable = false;
    drop(name);
  }
  void drop(const std::string& name) {
    for (Client* client : std::vector<Client*>(link.clients().begin(), link.clients().end()))
      for (const Role role : roles) {
        Wire& wire = wires_[{client, role}];
        if (wire.id == 0 || wire.node != name) continue;
        cluster.redis(name).close(std::exchange(wire.id, 0));
        client->on_closed(role, "connection reset", now);
      }
    woken_ = true;
  }
  int connections() const {
    int open = 0;
    for (const auto& [key, wire] : wires_) open += wire.id != 0 ? 1 : 0;
    return open;
  }

  TimePoint now{Milliseconds{1'000'000}};
  SeededRandom random;
  FakeCluster cluster;
  RecordingListener listener;
  ClusterClient link;
  Words dialled;

 private:
  struct Wire {
    std::string node{};
    int id = 0;  // of the connection; 0: none
    bool dialling = false;
  };

  static ClientOptions with_url(ClientOptions options) {
    options.url = *parse_url("redis+cluster://10.0.0.1:7000,10.0.0.1:7001,10.0.0.1:7002");
    return options;
  }

  TimePoint next() const {
    TimePoint next = link.next_deadline();
    for (const auto& [name, node] : cluster.nodes) next = std::min(next, node.redis.next_deadline());
    return next;
  }
  void pass() {
    for (auto& [name, node] : cluster.nodes) node.redis.on_time(now);
    link.on_time(now);
  }

  bool step() {
    if (std::exchange(woken_, false)) {
      link.on_time(now);
      const auto clients = link.clients();
      std::erase_if(wires_, [&](const auto& wire) {
        return std::find(clients.begin(), clients.end(), wire.first.first) == clients.end();
      });
      return true;
    }
    for (Client* client : link.clients())
      for (const Role role : roles)
        if (step(*client, role, wires_[{client, role}])) return woken_ = true;
    return false;
  }

  bool step(Client& client, Role role, Wire& wire) {
    if (client.wants_close(role)) {
      if (std::exchange(wire.dialling, false)) return client.on_connect_failed(role, "cancelled", now), true;
      if (wire.id != 0) cluster.redis(wire.node).close(std::exchange(wire.id, 0));
      return client.on_closed(role, "closed by us", now), true;
    }
    if (client.wants_connection(role)) {
      wire.node = endpoint(client.address(role));
      dialled.push_back(wire.node);
      client.on_dialling(role, now);
      wire.dialling = true;
    }
    const auto found = cluster.nodes.find(wire.node);
    if (wire.dialling) {
      wire.dialling = false;
      if (found == cluster.nodes.end() || !found->second.reachable)
        return client.on_connect_failed(role, "connection refused", now), true;
      wire.id = found->second.redis.accept();
      return client.on_connected(role, now), true;
    }
    if (client.has_output(role)) return found->second.redis.feed(wire.id, client.take_output(role, now)), true;
    if (wire.id == 0 || !found->second.answering || found->second.redis.output[wire.id].empty()) return false;
    const std::string bytes = std::exchange(found->second.redis.output[wire.id], {});
    return client.on_bytes(role, bytes, now), true;
  }

  std::map<std::pair<Client*, Role>, Wire> wires_;
  bool woken_ = true;
};

}  // namespace carillon::redis::testing
