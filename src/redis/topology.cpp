#include "redis/topology.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "redis/key_slot.hpp"

namespace carillon::redis {
namespace {

// Each gets connections. Redis itself is made for clusters of about a thousand.
constexpr std::size_t nodes_max = 1'000;

std::optional<std::uint16_t> number(const Reply& reply, std::int64_t most) {
  if (reply.type != Reply::Type::integer || reply.number < 0 || reply.number > most) return std::nullopt;
  return static_cast<std::uint16_t>(reply.number);
}

std::optional<Address> read_address(const Reply& reply, const Address& asked) {
  if (reply.type != Reply::Type::array || reply.items.size() < 2) return std::nullopt;
  const auto port = number(reply.items[1], std::numeric_limits<std::uint16_t>::max());
  if (!port || *port == 0) return std::nullopt;
  const std::string& host = reply.items[0].text;
  return Address{.host = host.empty() || host == "?" ? asked.host : host, .port = *port};
}

std::size_t index_of(Topology& topology, Address address) {
  const auto same = [&](const Topology::Node& node) { return node.address == address; };
  const auto found = std::find_if(topology.nodes.begin(), topology.nodes.end(), same);
  const auto index = static_cast<std::size_t>(found - topology.nodes.begin());
  if (found == topology.nodes.end()) topology.nodes.push_back({.address = std::move(address)});
  return index;
}

bool read_range(const Reply& reply, const Address& asked, Topology& topology) {
  if (reply.type != Reply::Type::array || reply.items.size() < 3) return false;
  const auto first = number(reply.items[0], slot_count - 1);
  const auto last = number(reply.items[1], slot_count - 1);
  if (!first || !last || *first > *last) return false;
  for (std::size_t i = 2; i < reply.items.size(); ++i) {
    auto address = read_address(reply.items[i], asked);
    if (!address) return false;
    const std::size_t index = index_of(topology, std::move(*address));
    if (i > 2) continue;
    topology.nodes[index].master = true;
    topology.ranges.push_back({*first, *last, index});
  }
  return topology.nodes.size() <= nodes_max;
}

}  // namespace

Result<Topology, std::string> read_topology(const Reply& reply, const Address& asked) {
  if (reply.type != Reply::Type::array) return Failure<std::string>("its answer to CLUSTER SLOTS makes no sense");
  Topology topology;
  for (const Reply& range : reply.items)
    if (!read_range(range, asked, topology)) return Failure<std::string>("its answer to CLUSTER SLOTS makes no sense");
  if (topology.ranges.empty()) return Failure<std::string>("no slots are assigned to nodes of this cluster");
  return topology;
}

}  // namespace carillon::redis
