// What this node says; what others say is in cluster_message_decode.cpp.
#include "cluster/cluster_message.hpp"

#include <utility>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

using OperationKind = socketio::Operation::Kind;

constexpr std::int64_t type_event = 2;

bool may_hold_binary(MessageType type) {
  switch (type) {
    case MessageType::broadcast:
    case MessageType::fetch_answer:
    case MessageType::server_side_emit:
    case MessageType::server_side_emit_answer:
    case MessageType::client_ack:
      return true;
    case MessageType::initial_heartbeat:
    case MessageType::heartbeat:
    case MessageType::join:
    case MessageType::leave:
    case MessageType::disconnect:
    case MessageType::fetch:
    case MessageType::client_count:
    case MessageType::adapter_close:
      return false;
  }
  return false;
}

bool is_binary(const OutgoingMessage& message) {
  return message.json.empty() && may_hold_binary(message.type) && has_binary(message.data);
}

std::string data_text(const OutgoingMessage& message) {
  return message.json.empty() ? to_json(message.data) : message.json;
}

void append_data_msgpack(std::string& out, const OutgoingMessage& message) {
  if (message.json.empty()) return append_msgpack(out, message.data);
  // What was made here from arguments that are JSON is JSON; at worst it is too deep to be read.
  append_msgpack(out, parse_json(message.json).value_or(Value(Object())));
}

// The arguments of most broadcasts are JSON text already.
std::string broadcast_text(const socketio::Broadcast& message) {
  std::string text = R"({"packet":{"type":2,"data":[)";
  text.reserve(text.size() + message.event.size() + message.args.text().size() + 128);
  append_json_string(text, message.event);
  if (!message.args.empty()) text.append(",").append(message.args.text());
  text.append(R"(]},"opts":)").append(to_json(selection_value(message))).append("}");
  return text;
}

std::optional<Object> with_packet(const std::string& event, const Args& args) {
  auto data = event_data(event, args);
  if (!data) return std::nullopt;
  return Object{{"packet", Object{{"type", type_event}, {"data", std::move(*data)}}}};
}

std::optional<Object> ack_broadcast(const socketio::Broadcast& message, std::string_view id, Milliseconds ack_timeout) {
  auto data = with_packet(message.event, message.args);
  if (!data) return std::nullopt;
  socketio::Selection timed = static_cast<const socketio::Selection&>(message);
  if (timed.flags.timeout.count() == 0) timed.flags.timeout = ack_timeout;
  data->append("requestId", id);
  data->append("opts", selection_value(timed));
  return data;
}

std::optional<Object> server_event(const socketio::Operation& operation, std::string_view id) {
  auto packet = event_data(operation.event, operation.args);
  if (!packet) return std::nullopt;
  Object data;
  if (!id.empty()) data.append("requestId", id);
  data.append("packet", std::move(*packet));
  return data;
}

OutgoingMessage make(MessageType type, const socketio::Operation& operation, Object data) {
  return {.type = type, .name_space = operation.whom().name_space, .data = std::move(data)};
}

}  // namespace

std::optional<OutgoingMessage> broadcast_message(const socketio::Broadcast& message) {
  OutgoingMessage out{.type = MessageType::broadcast, .name_space = message.name_space};
  if (message.args.attachments().empty()) {
    out.json = broadcast_text(message);
    return out;
  }
  auto data = with_packet(message.event, message.args);
  if (!data) return std::nullopt;
  data->append("opts", selection_value(message));
  out.data = std::move(*data);
  return out;
}

std::optional<OutgoingMessage> request_message(const socketio::Operation& operation, std::string_view id,
                                               Milliseconds ack_timeout) {
  const auto options = [&] { return std::pair(std::string("opts"), selection_value(operation.whom())); };
  switch (operation.kind) {
    case OperationKind::emit_with_ack: {
      auto data = ack_broadcast(*operation.message, id, ack_timeout);
      if (!data) return std::nullopt;
      return make(MessageType::broadcast, operation, std::move(*data));
    }
    case OperationKind::fetch:
      return make(MessageType::fetch, operation, {options(), {"requestId", id}});
    case OperationKind::all_rooms:  // there is no such question: all sockets know all rooms
      return make(MessageType::fetch, operation, {{"opts", selection_value({})}, {"requestId", id}});
    case OperationKind::join:
    case OperationKind::leave:
      return make(operation.kind == OperationKind::join ? MessageType::join : MessageType::leave, operation,
                  {options(), {"rooms", rooms_value(operation.target_rooms)}});
    case OperationKind::disconnect:
      return make(MessageType::disconnect, operation, {options(), {"close", operation.close}});
    case OperationKind::server_side_emit: {
      auto data = server_event(operation, id);
      if (!data) return std::nullopt;
      return make(MessageType::server_side_emit, operation, std::move(*data));
    }
    case OperationKind::server_count:
      return std::nullopt;  // Redis is asked
  }
  return std::nullopt;
}

OutgoingMessage answer_message(MessageType type, std::string_view name_space, std::string_view id, Object members) {
  Object data{{"requestId", id}};
  for (auto& [key, value] : members) data.append(std::move(key), std::move(value));
  return {.type = type, .name_space = std::string(name_space), .data = std::move(data)};
}

OutgoingMessage taken_message(std::string_view name_space, const TakenSession& session) {
  return {.type = MessageType::heartbeat,
          .name_space = std::string(name_space),
          .data = Object{{"taken", Object{{"pid", session.pid}, {"owner", session.owner}}}}};
}

std::string encode_message(std::string_view uid, const OutgoingMessage& message) {
  if (is_binary(message)) return encode_message_msgpack(uid, message);
  std::string text = R"({"type":)" + std::to_string(static_cast<int>(message.type)) + R"(,"data":)";
  text.append(data_text(message)).append(R"(,"uid":)");
  append_json_string(text, uid);
  text.append(R"(,"nsp":)");
  append_json_string(text, message.name_space);
  text.push_back('}');
  return text;
}

std::string encode_message_msgpack(std::string_view uid, const OutgoingMessage& message) {
  std::string out;
  append_msgpack_map(out, 4);
  append_msgpack_text(out, "type");
  append_msgpack_integer(out, static_cast<std::int64_t>(message.type));
  append_msgpack_text(out, "data");
  append_data_msgpack(out, message);
  append_msgpack_text(out, "uid");
  append_msgpack_text(out, uid);
  append_msgpack_text(out, "nsp");
  append_msgpack_text(out, message.name_space);
  return out;
}

redis::StreamFields encode_entry(std::string_view uid, const OutgoingMessage& message) {
  std::string data;
  if (is_binary(message)) {
    std::string bytes;
    append_msgpack(bytes, message.data);
    data = base64(bytes);
  } else {
    data = data_text(message);
  }
  return {{"uid", std::string(uid)},
          {"nsp", message.name_space},
          {"type", std::to_string(static_cast<int>(message.type))},
          {"data", std::move(data)}};
}

}  // namespace carillon::cluster
