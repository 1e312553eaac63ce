// The adapter over streams: broadcasts are kept for a while, so that none is lost when a connection to Redis breaks, and
// clients can be recovered by them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cluster/message_adapter.hpp"
#include "cluster/stream_note.hpp"

namespace carillon::cluster {

struct StreamsOptions : MessageAdapterOptions {
  std::string stream_name = "socket.io";
  unsigned stream_count = 1;
  std::size_t stream_length_max = 10'000;  // entries, approximately
  // Of the requests and answers, which go through channels: as the published adapter's useShardedPubSub.
  redis::ChannelKind channels = redis::ChannelKind::plain;
  bool recovery = false;          // by the stream: see docs/decisions/0010-recovery-by-the-stream.md
  Milliseconds hold_max_ms{500};  // recovery: how long this node's clients wait for what is not read back
};

// What all servers have to do goes into the stream of its namespace, and every server reads every stream: broadcasts,
// join, leave, disconnect. What is answered, and server-side events, go through channels, as with the sharded adapter. So do
// not let it share its prefix with the pub/sub adapter: published servers of that kind fall over its messages.
//
// With recovery this node's own broadcasts, too, are delivered when they are read back: publish_in_order() and
// NodePort::release(). While Redis is away or slow, at once.
class StreamsAdapter final : public MessageAdapter {
 public:
  StreamsAdapter(redis::Link& link, NodePort& port, Random& random, const StreamsOptions& options);

  std::string stream_of(std::string_view name_space) const;

  // A client of `node` has come back here: the node is told to let go of the connection that it had.
  void tell_taken(const std::string& node, std::string_view name_space, const TakenSession& session);
  // Another node has told so. Call once, before anything else.
  void set_taken_handler(std::function<void(const TakenSession&)> handler) { on_taken_ = std::move(handler); }

  void publish_in_order(socketio::BroadcastPtr message, TimePoint now) override;
  TimePoint next_deadline() const override;
  void on_time(TimePoint now) override;

  // From the link.
  void on_ready(bool ready) override;
  void on_entry(std::string_view stream, std::string_view id, redis::StreamFieldsView fields) override;
  void on_position(std::string_view stream, std::string_view id) override;
  void on_entries_lost(std::string_view stream) override;

 private:
  // A broadcast of this node that has not been read back.
  struct Waiting {
    std::uint64_t number = 0;  // 0: it is not in the stream, and waits for those before it
    socketio::BroadcastPtr message;
    TimePoint deadline;
  };
  struct Stream {
    std::size_t index = 0;  // see stream_index()
    std::deque<Waiting> waiting{};
    socketio::StreamOffset position{};
    bool is_told = true;                // the shards know the position
    std::optional<StreamNote> early{};  // released without their entries, and no note of it yet
    TimePoint note_at = TimePoint{};    // not before; one note may be of many
    bool is_slow = false;     // what it gives back comes too late: nothing waits for it, until a probe is in time
    std::uint64_t probe = 0;  // a broadcast; 0: the next one
    TimePoint probe_until = never;
  };

  void send_broadcast(const socketio::Broadcast& broadcast, const OutgoingMessage& message) override;
  void send_request(const OutgoingMessage& message) override;
  std::string encode(const OutgoingMessage& message) const override { return encode_message_msgpack(uid(), message); }
  void on_heartbeat(const IncomingMessage& message) override;
  void append(const OutgoingMessage& message);

  std::optional<OutgoingMessage> outgoing_of(const socketio::Broadcast& message);
  void on_own_entry(Stream& stream, redis::StreamFieldsView fields);
  void on_append_failed(const std::string& stream, std::uint64_t number);
  void release_first(Stream& stream, const socketio::StreamOffset& entry);
  void release_through(Stream& stream, std::uint64_t number);
  void release_unordered(Stream& stream);
  void release_all(Stream& stream);
  static void set_slow(Stream& stream, bool slow);
  void write_note(const std::string& name, Stream& stream);

  StreamsOptions options_;
  std::function<void(const TakenSession&)> on_taken_;  // may be empty
  std::map<std::string, Stream, std::less<>> streams_;
  std::uint64_t last_number_ = 0;
  TimePoint tell_at_ = never;  // positions that the shards do not know
  TimePoint now_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the link may answer later
};

}  // namespace carillon::cluster
