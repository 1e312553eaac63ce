// The adapter over streams: broadcasts are kept for a while, so that none is lost when a connection to Redis breaks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cluster/message_adapter.hpp"

namespace carillon::cluster {

struct StreamsOptions : MessageAdapterOptions {
  std::string stream_name = "socket.io";
  unsigned stream_count = 1;
  std::size_t stream_length_max = 10'000;  // entries, approximately
  // Of the requests and answers, which go through channels: as the published adapter's useShardedPubSub.
  redis::ChannelKind channels = redis::ChannelKind::plain;
};

// What all servers have to do goes into the stream of its namespace, and every server reads every stream: broadcasts,
// join, leave, disconnect. What is answered, and server-side events, go through channels, as with the sharded adapter. So do
// not let it share its prefix with the pub/sub adapter: published servers of that kind fall over its messages.
class StreamsAdapter final : public MessageAdapter {
 public:
  StreamsAdapter(redis::Link& link, NodePort& port, Random& random, const StreamsOptions& options);

  // From the link.
  void on_entry(std::string_view stream, std::string_view id, redis::StreamFieldsView fields) override;
  void on_entries_lost(std::string_view stream) override;

 private:
  void send_broadcast(const socketio::Broadcast& broadcast, const OutgoingMessage& message) override;
  void send_request(const OutgoingMessage& message) override;
  std::string encode(const OutgoingMessage& message) const override { return encode_message_msgpack(uid(), message); }
  void append(const OutgoingMessage& message);

  std::string stream_name_;
  unsigned stream_count_;
  std::size_t stream_length_max_;
  redis::ChannelKind channels_;
};

}  // namespace carillon::cluster
