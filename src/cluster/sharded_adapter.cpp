#include "cluster/sharded_adapter.hpp"

#include <cstddef>

#include "base/utf8.hpp"
#include "cluster/pubsub_codec.hpp"

namespace carillon::cluster {
namespace {

constexpr std::size_t socket_id_units = 20;

}  // namespace

bool has_channel(ShardedMode mode, std::string_view room) {
  switch (mode) {
    case ShardedMode::static_:
      return false;
    case ShardedMode::dynamic:
      return utf16_length(room) != socket_id_units;
    case ShardedMode::dynamic_private:
      return true;
  }
  return false;
}

std::string sharded_channel(std::string_view key, ShardedMode mode, const socketio::Broadcast& message) {
  const bool to_room = message.rooms.size() == 1 && has_channel(mode, message.rooms[0]);
  return to_room ? room_channel(key, message.name_space, message.rooms[0]) : base_channel(key, message.name_space);
}

ShardedAdapter::ShardedAdapter(redis::Link& link, NodePort& port, Random& random, const ShardedOptions& options)
    : MessageAdapter(link, port, random, static_cast<const MessageAdapterOptions&>(options),
                     redis::ChannelKind::sharded,
                     [mode = options.mode](std::string_view room) { return has_channel(mode, room); }),
      mode_(options.mode) {}

void ShardedAdapter::on_ready(bool ready) {
  port().on_gap();  // when the link breaks, and once more when it is whole again
  MessageAdapter::on_ready(ready);
}

void ShardedAdapter::send_broadcast(const socketio::Broadcast& broadcast, const OutgoingMessage& message) {
  link().publish(sharded_channel(key(), mode_, broadcast), encode(message), redis::ChannelKind::sharded);
}

void ShardedAdapter::send_request(const OutgoingMessage& message) {
  link().publish(channel(message.name_space), encode(message), redis::ChannelKind::sharded);
}

}  // namespace carillon::cluster
