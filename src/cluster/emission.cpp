#include "cluster/emission.hpp"

#include <string_view>
#include <utility>

#include "cluster/cluster_message.hpp"
#include "cluster/pubsub_codec.hpp"
#include "cluster/pubsub_request.hpp"
#include "cluster/sharded_adapter.hpp"
#include "cluster/stream_name.hpp"

namespace carillon::cluster {
namespace {

using Kind = AdapterOptions::Kind;

Emission sharded_emission(std::string channel, const OutgoingMessage& message) {
  return {.place = std::move(channel),
          .kind = redis::ChannelKind::sharded,
          .payload = encode_message(emitter_uid, message)};
}

Emission streams_emission(const EmitterFormat& format, const OutgoingMessage& message) {
  return {.place = stream_name(format.stream_name, format.stream_count, message.name_space),
          .entry = encode_entry(emitter_uid, message)};
}

std::optional<Emission> pubsub_emission(const EmitterFormat& format, const socketio::Broadcast& message) {
  auto body = encode_broadcast(emitter_uid, message);
  if (!body) return std::nullopt;
  return Emission{.place = channel_of(format.key, message), .payload = std::move(*body)};
}

// As published: only server-side events say that they are an emitter's.
std::optional<Emission> pubsub_emission(const EmitterFormat& format, const socketio::Operation& operation) {
  const bool is_event = operation.kind == socketio::Operation::Kind::server_side_emit;
  auto body = encode_request(is_event ? emitter_uid : std::string_view(), {}, operation);
  if (!body) return std::nullopt;
  return Emission{.place = base_channel(format.key + "-request", operation.whom().name_space),
                  .payload = std::move(*body)};
}

}  // namespace

std::optional<Emission> emission_of(const EmitterFormat& format, const socketio::Broadcast& message) {
  if (format.kind == Kind::pubsub) return pubsub_emission(format, message);
  const auto outgoing = broadcast_message(message);
  if (!outgoing) return std::nullopt;
  if (format.kind == Kind::streams) return streams_emission(format, *outgoing);
  return sharded_emission(sharded_channel(format.key, format.mode, message), *outgoing);
}

std::optional<Emission> emission_of(const EmitterFormat& format, const socketio::Operation& operation) {
  if (format.kind == Kind::pubsub) return pubsub_emission(format, operation);
  const auto outgoing = request_message(operation, {});
  if (!outgoing) return std::nullopt;
  if (format.kind == Kind::streams) return streams_emission(format, *outgoing);
  return sharded_emission(base_channel(format.key, outgoing->name_space), *outgoing);
}

}  // namespace carillon::cluster
