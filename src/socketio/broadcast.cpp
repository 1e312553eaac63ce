#include "socketio/broadcast.hpp"

#include <algorithm>
#include <atomic>

#include <carillon/cluster_answers.hpp>

#include "socketio/decoder.hpp"
#include "socketio/recovery_offset.hpp"

namespace carillon {

namespace socketio {

// One counter for all servers of the process. Sockets number their own below.
std::uint64_t next_broadcast_ack_id() {
  static std::atomic<std::uint64_t> count{0};
  constexpr std::uint64_t ids = ack_id_max - broadcast_ack_id_min + 1;
  return broadcast_ack_id_min + count.fetch_add(1, std::memory_order_relaxed) % ids;
}

namespace {

std::string offset_of(const PacketFormat& format, const Broadcast& message) {
  if (!format.offsets) return {};
  if (!format.stream_offsets) return std::string(offset_placeholder);
  return message.entry.exists() ? to_string(message.entry) : std::string(stream_offset_placeholder);
}

void set_frames(const PacketFormat& format, Broadcast& message, engineio::FramesPtr frames, std::string_view offset) {
  message.frames = std::move(frames);
  if (format.offsets) message.offset_at = offset_place(format, *message.frames, offset.size());
  if (!message.flags.compress) message.frames = engineio::Frames::without_compression(*message.frames);
}

BroadcastPtr build(const PacketFormat& format, Selection selection, std::string_view event, const Args& args,
                   std::optional<std::uint64_t> ack_id) {
  auto message = std::make_shared<Broadcast>();
  static_cast<Selection&>(*message) = std::move(selection);
  if (!ack_id) {
    set_event(format, *message, event, args);
    return message;
  }
  message->frames = encode_event(format, message->name_space, event, args, ack_id);
  if (!message->flags.compress) message->frames = engineio::Frames::without_compression(*message->frames);
  message->ack_id = ack_id;
  message->event = event;
  message->args = args;
  return message;
}

}  // namespace

void set_event(const PacketFormat& format, Broadcast& message, std::string_view event, const Args& args) {
  const std::string offset = offset_of(format, message);
  set_frames(format, message, encode_event(format, message.name_space, event, args, offset), offset);
  message.awaits_entry = format.stream_offsets;
  message.event = event;
  message.args = args;
}

BroadcastPtr make_broadcast(const PacketFormat& format, std::string_view name_space, std::vector<std::string> rooms,
                            std::vector<std::string> except, BroadcastFlags flags, std::string_view event,
                            const Args& args, std::optional<std::uint64_t> ack_id) {
  check_event(event, args);
  return build(format, {std::string(name_space), std::move(rooms), std::move(except), flags}, event, args, ack_id);
}

BroadcastPtr make_foreign_broadcast(const PacketFormat& format, Selection selection, const std::string& event,
                                    const Args& args, std::optional<std::uint64_t> ack_id) {
  if (is_reserved_event(event)) return nullptr;
  return build(format, std::move(selection), event, args, ack_id);
}

Result<void, MsgpackError> encode_broadcast_data(const PacketFormat& format, Broadcast& message,
                                                 std::string_view data) {
  const std::string offset = offset_of(format, message);
  auto frames = encode_event_data(format, message.name_space, data, offset);
  if (!frames) return Failure(frames.error());
  set_frames(format, message, std::move(*frames), offset);
  return {};
}

bool encode_broadcast_json(const PacketFormat& format, Broadcast& message, std::string_view data) {
  const std::string offset = offset_of(format, message);
  auto frames = encode_event_json(format, message.name_space, data, offset);
  if (!frames) return false;
  set_frames(format, message, std::move(*frames), offset);
  return true;
}

engineio::FramesPtr frames_with(const Broadcast& message, const StreamOffset& offset) {
  if (message.offset_at == 0) return message.frames;
  return engineio::Frames::with_bytes(*message.frames, message.offset_at, to_string(offset));
}

// A foreign broadcast has only its packet; that is read again, because hardly anybody asks.
BroadcastEvent event_of(const PacketFormat& format, const Broadcast& message) {
  if (!message.event.empty()) return {message.event, message.args};
  const engineio::Frames& frames = *message.frames;
  Decoder decoder(format.parser, frames.parts().size());
  IncomingPacket packet;
  for (const auto& part : frames.parts()) {
    const std::string_view payload = frames.payload(part);
    const auto complete = decoder.decode(part.binary, part.binary ? payload : payload.substr(1), packet);
    if (!complete) return {};
  }
  if (!packet.event) return {};
  if (message.offset_at == 0) return {std::string(*packet.event), packet.args};
  Array values = packet.args.values();
  values.pop_back();
  return {std::string(*packet.event), Args(std::move(values))};
}

}  // namespace socketio

namespace {

void add_once(std::vector<std::string>& rooms, std::string_view room) {
  if (std::find(rooms.begin(), rooms.end(), room) == rooms.end()) rooms.emplace_back(room);
}

}  // namespace

BroadcastOperator BroadcastOperator::to(std::string_view room) const {
  BroadcastOperator result = *this;
  add_once(result.rooms_, room);
  return result;
}

BroadcastOperator BroadcastOperator::to(const std::vector<std::string>& rooms) const {
  BroadcastOperator result = *this;
  for (const std::string& room : rooms) add_once(result.rooms_, room);
  return result;
}

BroadcastOperator BroadcastOperator::except(std::string_view room) const {
  BroadcastOperator result = *this;
  add_once(result.except_, room);
  return result;
}

BroadcastOperator BroadcastOperator::except(const std::vector<std::string>& rooms) const {
  BroadcastOperator result = *this;
  for (const std::string& room : rooms) add_once(result.except_, room);
  return result;
}

BroadcastOperator BroadcastOperator::local() const {
  BroadcastOperator result = *this;
  result.flags_.local = true;
  return result;
}

BroadcastOperator BroadcastOperator::volatile_() const {
  BroadcastOperator result = *this;
  result.flags_.is_volatile = true;
  return result;
}

BroadcastOperator BroadcastOperator::compress(bool on) const {
  BroadcastOperator result = *this;
  result.flags_.compress = on;
  return result;
}

BroadcastOperator BroadcastOperator::timeout(std::chrono::milliseconds timeout) const {
  BroadcastOperator result = *this;
  result.flags_.timeout = timeout;
  return result;
}

void BroadcastOperator::emit_with_ack(std::string_view event, const Args& args, BroadcastAckHandler handler) const {
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = socketio::Operation::Kind::emit_with_ack;
  operation->message = socketio::make_broadcast(port_->packet_format(), namespace_, rooms_, except_, flags_, event,
                                                args, socketio::next_broadcast_ack_id());
  port_->operate(std::move(operation), [handler = std::move(handler)](const socketio::OperationResult& result) {
    if (!handler) return;
    if (result.missing_servers == 0) return handler(result.acks);
    BroadcastAcks acks = result.acks;
    acks.missing_servers = result.missing_servers;
    handler(acks);
  });
}

namespace {

std::shared_ptr<socketio::Operation> make_operation(socketio::Operation::Kind kind, socketio::Selection selection) {
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = kind;
  operation->selection = std::move(selection);
  return operation;
}

socketio::OperationDone count_to(SocketsHandler done) {
  return [done = std::move(done)](const socketio::OperationResult& result) {
    if (done) done(result.count);
  };
}

}  // namespace

void BroadcastOperator::fetch_sockets(FetchHandler handler) const {
  using enum socketio::Operation::Kind;
  port_->operate(make_operation(fetch, {namespace_, rooms_, except_, flags_}),
                 [handler = std::move(handler)](const socketio::OperationResult& result) {
                   handler({result.sockets, result.missing_servers});
                 });
}

void BroadcastOperator::sockets_join(const std::vector<std::string>& rooms, SocketsHandler done) const {
  using enum socketio::Operation::Kind;
  auto operation = make_operation(join, {namespace_, rooms_, except_, flags_});
  operation->target_rooms = rooms;
  port_->operate(std::move(operation), count_to(std::move(done)));
}

void BroadcastOperator::sockets_leave(const std::vector<std::string>& rooms, SocketsHandler done) const {
  using enum socketio::Operation::Kind;
  auto operation = make_operation(leave, {namespace_, rooms_, except_, flags_});
  operation->target_rooms = rooms;
  port_->operate(std::move(operation), count_to(std::move(done)));
}

void BroadcastOperator::disconnect_sockets(bool close, SocketsHandler done) const {
  using enum socketio::Operation::Kind;
  auto operation = make_operation(disconnect, {namespace_, rooms_, except_, flags_});
  operation->close = close;
  port_->operate(std::move(operation), count_to(std::move(done)));
}

void BroadcastOperator::send(std::string_view event, const Args& args) const {
  port_->broadcast(socketio::make_broadcast(port_->packet_format(), namespace_, rooms_, except_, flags_, event, args));
}

}  // namespace carillon
