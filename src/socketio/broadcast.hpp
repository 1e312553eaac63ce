// One broadcast on its way to its receivers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <carillon/args.hpp>
#include <carillon/broadcast_operator.hpp>
#include <carillon/remote_socket.hpp>

#include "engineio/frames.hpp"
#include "socketio/packet.hpp"
#include "socketio/stream_offset.hpp"

namespace carillon::socketio {

// Which sockets are meant.
struct Selection {
  std::string name_space = "/";
  std::vector<std::string> rooms;   // none: everyone
  std::vector<std::string> except;  // rooms, too; a socket's id is a room
  BroadcastFlags flags;
};

// Immutable and shared once built: shards get the same object.
struct Broadcast : Selection {
  engineio::FramesPtr frames;           // the packet, encoded for all receivers
  std::optional<std::uint64_t> ack_id;  // the packet's, where an acknowledgement is wanted
  std::size_t offset_at = 0;            // in the frames' bytes: where the recovery offset goes; 0: nowhere

  // Recovery by the stream. A broadcast of this node is held by its receivers until its place in the stream is known.
  bool awaits_entry = false;
  std::uint64_t shard_mask = ~std::uint64_t{0};  // of this node, which deliver it
  StreamOffset entry{};                          // of another node's, where it was found; set before it is encoded

  // For adapters, which encode it again; empty on a broadcast that came from another node.
  std::string event;
  Args args;
};

using BroadcastPtr = std::shared_ptr<const Broadcast>;

// Hears of the answers to a broadcast as they come, instead of their being collected. Called on every shard.
class AckObserver {
 public:
  virtual ~AckObserver() = default;
  virtual void on_sent(std::size_t clients) = 0;  // once per shard: how many of its clients have got it
  virtual void on_answer(const Args& args) = 0;   // of one of them
};

// Something that the matching sockets, or the servers of the cluster, answer, or that is done with them. Immutable and
// shared.
struct Operation {
  enum class Kind : std::uint8_t {
    emit_with_ack,
    fetch,
    join,
    leave,
    disconnect,
    all_rooms,         // of the namespace; the selection counts no further
    server_side_emit,  // to the other servers
    server_count,
  };
  Kind kind = Kind::fetch;
  Selection selection{};                    // unless there is a message, which has its own
  BroadcastPtr message{};                   // emit_with_ack: with an ack_id
  std::shared_ptr<AckObserver> observer{};  // emit_with_ack; null: the answers are collected
  std::vector<std::string> target_rooms{};  // join, leave
  bool close = false;                       // disconnect: the whole connection
  std::string event{};                      // server_side_emit
  Args args{};                              // server_side_emit
  bool wants_answers = false;               // server_side_emit

  const Selection& whom() const { return message ? *message : selection; }
};
using OperationPtr = std::shared_ptr<const Operation>;

// What came of it: of one shard, of one node, or of all.
struct OperationResult {
  BroadcastAcks acks{};
  std::vector<RemoteSocket> sockets{};  // fetch
  std::vector<std::string> rooms{};     // all_rooms: each once per node
  std::vector<Value> answers{};         // server_side_emit
  std::size_t count = 0;                // join, leave, disconnect, fetch: sockets of this node; server_count: servers
  std::size_t missing_servers = 0;      // of the others: not answered in time, ended before, or not told all
};
using OperationDone = std::function<void(const OperationResult&)>;
using OperationPartDone = std::move_only_function<void(OperationResult)>;

// Where a BroadcastOperator hands its work to: the server, or the emitter. Any thread.
class BroadcastPort {
 public:
  virtual ~BroadcastPort() = default;
  // Nobody else may share the message yet: it is given its recovery offset, if there is a place for one.
  virtual void broadcast(BroadcastPtr message) = 0;
  // The format in which the packets of its broadcasts are to be.
  virtual PacketFormat packet_format() const { return {}; }
  // `done` runs once and after this has returned: on the shard that called, or, for other threads, on one of the
  // server's. A server that stops may destroy it instead.
  virtual void operate(OperationPtr operation, OperationDone done) = 0;
};

// An acknowledgement id for one broadcast: the same for all receivers, on all shards. Any thread.
std::uint64_t next_broadcast_ack_id();

// Builds a broadcast with its packet encoded. Throws std::invalid_argument: see check_event().
BroadcastPtr make_broadcast(const PacketFormat& format, std::string_view name_space, std::vector<std::string> rooms,
                            std::vector<std::string> except, BroadcastFlags flags, std::string_view event,
                            const Args& args, std::optional<std::uint64_t> ack_id = std::nullopt);
// The part of it that encodes: fills in frames, offset_at, event and args of a message that has its selection.
void set_event(const PacketFormat& format, Broadcast& message, std::string_view event, const Args& args);
// The same of an event that another server has sent; null if it has a name that no event may have.
BroadcastPtr make_foreign_broadcast(const PacketFormat& format, Selection selection, const std::string& event,
                                    const Args& args, std::optional<std::uint64_t> ack_id = std::nullopt);
// The same from its data as it stands in the message, see encode_event_data(). Fills in `frames`.
Result<void, MsgpackError> encode_broadcast_data(const PacketFormat& format, Broadcast& message, std::string_view data);
// See encode_event_json(). False: nested too deep.
bool encode_broadcast_json(const PacketFormat& format, Broadcast& message, std::string_view data);

// Its packet, with what its receivers get as their offset.
engineio::FramesPtr frames_with(const Broadcast& message, const StreamOffset& offset);

// What a broadcast says, also one that came from another node; `format` is that of its packet.
struct BroadcastEvent {
  std::string name;
  Args args;
};
BroadcastEvent event_of(const PacketFormat& format, const Broadcast& message);

}  // namespace carillon::socketio
