// What other servers say; what this one says is in cluster_message.cpp.
#include <charconv>
#include <memory>
#include <utility>

#include "base/base64.hpp"
#include "cluster/answer_limit.hpp"
#include "cluster/cluster_message.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

using OperationKind = socketio::Operation::Kind;
using Step = Result<void, Malformed>;

constexpr std::int64_t type_event = 2;
constexpr std::int64_t type_binary_event = 5;
// What answers are sent to and what is sent back in them: published servers have 16 characters.
constexpr std::size_t uid_bytes_max = 128;
constexpr std::size_t id_bytes_max = 256;

std::optional<std::string> text_of(const EncodedValue& value) {
  const auto decoded = to_value(value);
  if (!decoded || decoded->as_string() == nullptr) return std::nullopt;
  return *decoded->as_string();
}

std::optional<std::int64_t> number_of(const EncodedValue& value) {
  const auto decoded = to_value(value);
  if (!decoded || !decoded->is_number()) return std::nullopt;
  return decoded->as_int64(-1);
}

bool is_null(const EncodedValue& value) {
  const auto decoded = to_value(value);
  return decoded && decoded->is_null();
}

std::optional<std::int64_t> decimal(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// JSON begins with a brace: neither MessagePack nor base64 of what a message can be does.
Step set_data(std::string_view text, IncomingMessage& out) {
  if (text.starts_with('{')) {
    const auto data = check_json_value(text);
    if (!data) return Failure(data.error());
    out.data = *data;
    return {};
  }
  auto bytes = from_base64(text);
  if (!bytes) return Failure(Malformed::not_msgpack);
  out.storage = std::move(*bytes);
  const auto data = check_msgpack_value(out.storage);
  if (!data) return Failure(data.error());
  out.data = *data;
  return {};
}

Step check_head(const IncomingMessage& message) {
  if (message.uid.empty() || message.uid.size() > uid_bytes_max) return Failure(Malformed::bad_request);
  if (message.type < static_cast<std::int64_t>(MessageType::initial_heartbeat) ||
      message.type > static_cast<std::int64_t>(MessageType::adapter_close))
    return Failure(Malformed::unknown_request);
  return {};
}

Result<std::string, Malformed> read_id(const EncodedValue& value) {
  auto id = text_of(value);
  if (!id || id->empty() || id->size() > id_bytes_max) return Failure(Malformed::bad_request);
  return std::move(*id);
}

// Without options nobody is meant: everyone is { rooms: [] }.
Step read_options(const EncodedValue& value, socketio::Selection& selection) {
  const auto options = to_value(value);
  if (!options) return Failure(options.error());
  if (options->as_object() == nullptr || options->find("rooms") == nullptr) return Failure(Malformed::bad_request);
  return read_selection(&*options, selection);
}

Step read_event(const EncodedValue& value, socketio::Operation& operation) {
  const auto data = to_value(value);
  if (!data) return Failure(data.error());
  if (!read_event_data(&*data, operation.event, operation.args)) return Failure(Malformed::bad_packet);
  return {};
}

struct Members {
  EncodedValue packet;
  EncodedValue options;
  EncodedValue id;
  EncodedValue rooms;
  EncodedValue close;
  EncodedValue sockets;
  EncodedValue clients;
  EncodedValue left_out;
};

Members members_of(const EncodedValue& data) {
  Members members;
  for (MemberReader reader(data); reader.next();) {
    if (reader.name() == "packet") members.packet = reader.value();
    if (reader.name() == "opts") members.options = reader.value();
    if (reader.name() == "requestId") members.id = reader.value();
    if (reader.name() == "rooms") members.rooms = reader.value();
    if (reader.name() == "close") members.close = reader.value();
    if (reader.name() == "sockets") members.sockets = reader.value();
    if (reader.name() == "clientCount") members.clients = reader.value();
    if (reader.name() == left_out_member) members.left_out = reader.value();
  }
  return members;
}

Step read_broadcast(const Members& members, MessageRequest& request) {
  request.operation.kind = OperationKind::emit_with_ack;
  const auto type = number_of(find_member(members.packet, "type"));
  const EncodedValue event = find_member(members.packet, "data");
  if (!type || (*type != type_event && *type != type_binary_event) || !is_event_data(event))
    return Failure(Malformed::bad_packet);
  if (request.id.empty()) {
    request.event = event;
    return {};
  }
  return read_event(event, request.operation);
}

Step read_rooms_of(const Members& members, socketio::Operation& operation) {
  const auto value = to_value(members.rooms);
  if (!value) return Failure(value.error());
  auto rooms = read_rooms(&*value);
  if (!rooms) return Failure(Malformed::bad_request);
  operation.target_rooms = std::move(*rooms);
  return {};
}

Step read_close(const Members& members, socketio::Operation& operation) {
  const auto value = to_value(members.close);
  operation.close = value && value->as_bool() != nullptr && *value->as_bool();
  return {};
}

Step read_details(MessageType type, const Members& members, MessageRequest& request) {
  socketio::Operation& operation = request.operation;
  switch (type) {
    case MessageType::broadcast:
      return read_broadcast(members, request);
    case MessageType::join:
      operation.kind = OperationKind::join;
      return read_rooms_of(members, operation);
    case MessageType::leave:
      operation.kind = OperationKind::leave;
      return read_rooms_of(members, operation);
    case MessageType::disconnect:
      operation.kind = OperationKind::disconnect;
      return read_close(members, operation);
    case MessageType::fetch:
      operation.kind = OperationKind::fetch;
      if (request.id.empty()) return Failure(Malformed::bad_request);
      return {};
    case MessageType::server_side_emit:
      operation.kind = OperationKind::server_side_emit;
      operation.wants_answers = !request.id.empty();
      return read_event(members.packet, operation);
    case MessageType::initial_heartbeat:
    case MessageType::heartbeat:
    case MessageType::fetch_answer:
    case MessageType::server_side_emit_answer:
    case MessageType::client_count:
    case MessageType::client_ack:
    case MessageType::adapter_close:
      break;
  }
  return Failure(Malformed::unknown_request);
}

}  // namespace

Step decode_message(std::string_view payload, IncomingMessage& out) {
  const auto body = payload.starts_with('{') ? check_json_value(payload) : check_msgpack_value(payload);
  if (!body) return Failure(body.error());
  std::optional<std::int64_t> type;
  std::optional<std::string> uid;
  std::optional<std::string> name_space;
  out.data = {};
  for (MemberReader reader(*body); reader.next();) {
    if (reader.name() == "type") type = number_of(reader.value());
    if (reader.name() == "data") out.data = reader.value();
    if (reader.name() == "uid") uid = text_of(reader.value());
    if (reader.name() == "nsp") name_space = text_of(reader.value());
  }
  if (!type || !uid || !name_space) return Failure(Malformed::bad_request);
  out.type = *type;
  out.uid = std::move(*uid);
  out.name_space = std::move(*name_space);
  return check_head(out);
}

Step decode_entry(redis::StreamFieldsView fields, IncomingMessage& out) {
  std::optional<std::int64_t> type;
  std::optional<std::string_view> uid;
  std::optional<std::string_view> name_space;
  std::string_view data;
  for (const auto& [name, value] : fields) {
    if (name == "type") type = decimal(value);
    if (name == "uid") uid = value;
    if (name == "nsp") name_space = value;
    if (name == "data") data = value;
  }
  if (!type || !uid || !name_space) return Failure(Malformed::bad_request);
  out.type = *type;
  out.uid = *uid;
  out.name_space = *name_space;
  out.data = {};
  if (const Step step = check_head(out); !step || data.empty()) return step;
  return set_data(data, out);
}

Result<MessageRequest, Malformed> read_request(const IncomingMessage& message) {
  const Members members = members_of(message.data);
  MessageRequest request;
  if (members.id.exists() && !is_null(members.id)) {
    auto id = read_id(members.id);
    if (!id) return Failure(id.error());
    request.id = std::move(*id);
  }
  const auto type = static_cast<MessageType>(message.type);
  socketio::Selection& selection = request.operation.selection;
  if (type != MessageType::server_side_emit)
    if (const Step step = read_options(members.options, selection); !step) return Failure(step.error());
  selection.name_space = message.name_space;
  if (const Step step = read_details(type, members, request); !step) return Failure(step.error());
  return request;
}

Result<socketio::BroadcastPtr, Malformed> to_broadcast(const socketio::PacketFormat& format,
                                                       socketio::Selection selection, const EncodedValue& event,
                                                       const socketio::StreamOffset& entry) {
  auto message = std::make_shared<socketio::Broadcast>();
  static_cast<socketio::Selection&>(*message) = std::move(selection);
  message->entry = entry;
  if (event.form == EncodedValue::Form::msgpack) {
    if (const auto done = socketio::encode_broadcast_data(format, *message, event.bytes); !done)
      return Failure(done.error() == MsgpackError::too_deep ? Malformed::nested_too_deep : Malformed::not_msgpack);
  } else if (!socketio::encode_broadcast_json(format, *message, event.bytes)) {
    return Failure(Malformed::nested_too_deep);
  }
  return message;
}

Result<MessageAnswer, Malformed> read_answer(const IncomingMessage& message) {
  const Members members = members_of(message.data);
  auto id = read_id(members.id);
  if (!id) return Failure(id.error());
  MessageAnswer answer{.id = std::move(*id), .sockets = {}, .packet = {}};
  if (members.packet.exists()) {
    auto packet = to_value(members.packet);
    if (!packet) return Failure(packet.error());
    answer.packet = std::move(*packet);
  }
  switch (static_cast<MessageType>(message.type)) {
    case MessageType::fetch_answer: {
      auto sockets = to_value(members.sockets);
      if (!sockets) return Failure(sockets.error());
      auto* items = std::get_if<Array>(&sockets->storage());
      if (items == nullptr) return Failure(Malformed::bad_request);
      answer.sockets = std::move(*items);
      answer.is_whole = number_of(members.left_out).value_or(0) <= 0;
      return answer;
    }
    case MessageType::client_count: {
      const auto clients = number_of(members.clients);
      if (!clients || *clients < 0) return Failure(Malformed::bad_request);
      answer.clients = static_cast<std::size_t>(*clients);
      return answer;
    }
    default:
      return answer;
  }
}

std::optional<TakenSession> read_taken(const IncomingMessage& message) {
  const auto taken = to_value(find_member(message.data, "taken"));
  if (!taken) return std::nullopt;
  const Value* pid = taken->find("pid");
  const Value* owner = taken->find("owner");
  if (pid == nullptr || pid->as_string() == nullptr || owner == nullptr || owner->as_string() == nullptr)
    return std::nullopt;
  return TakenSession{*pid->as_string(), *owner->as_string()};
}

}  // namespace carillon::cluster
