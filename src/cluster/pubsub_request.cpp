#include "cluster/pubsub_request.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "cluster/answer_limit.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

using OperationKind = socketio::Operation::Kind;
using Step = Result<void, Malformed>;

constexpr std::int64_t type_event = 2;
constexpr std::int64_t request_type_max = 7;

std::optional<std::int64_t> number_member(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  return member->as_int64(-1);  // what is no whole number is no type and no count
}

OperationKind kind_of(PubSubRequestType type) {
  switch (type) {
    case PubSubRequestType::sockets:
    case PubSubRequestType::fetch:
      return OperationKind::fetch;
    case PubSubRequestType::all_rooms:
      return OperationKind::all_rooms;
    case PubSubRequestType::join:
      return OperationKind::join;
    case PubSubRequestType::leave:
      return OperationKind::leave;
    case PubSubRequestType::disconnect:
      return OperationKind::disconnect;
    case PubSubRequestType::server_side_emit:
      return OperationKind::server_side_emit;
    case PubSubRequestType::broadcast:
      return OperationKind::emit_with_ack;
  }
  return OperationKind::fetch;
}

// Which sockets, and for join and leave: which rooms.
Step read_order(const Value& body, PubSubRequest& request) {
  socketio::Operation& operation = request.operation;
  if (const Value* close = body.find("close")) operation.close = close->as_bool() != nullptr && *close->as_bool();
  if (const auto sid = text_member(body, "sid")) {  // one socket: servers before version 7
    request.legacy = true;
    operation.selection.rooms = {*sid};
    if (const auto room = text_member(body, "room")) operation.target_rooms = {*room};
    return {};
  }
  // Without options nobody is meant: everyone is { rooms: [] }.
  if (body.find("opts") == nullptr) return Failure(Malformed::bad_request);
  if (const Step step = read_selection(body.find("opts"), operation.selection); !step) return step;
  auto rooms = read_rooms(body.find("rooms"));
  if (!rooms) return Failure(Malformed::bad_request);
  operation.target_rooms = std::move(*rooms);
  return {};
}

Step read_broadcast(const Value& body, PubSubRequest& request) {
  socketio::Operation& operation = request.operation;
  const Value* packet = body.find("packet");
  if (packet == nullptr || !read_event_data(packet->find("data"), operation.event, operation.args))
    return Failure(Malformed::bad_packet);
  return read_selection(body.find("opts"), operation.selection);
}

Step read_details(const Value& body, PubSubRequest& request) {
  switch (request.type) {
    case PubSubRequestType::sockets: {
      auto rooms = read_rooms(body.find("rooms"));
      if (!rooms) return Failure(Malformed::bad_request);
      request.operation.selection.rooms = std::move(*rooms);
      return {};
    }
    case PubSubRequestType::all_rooms:
      return {};
    case PubSubRequestType::join:
    case PubSubRequestType::leave:
    case PubSubRequestType::disconnect:
      return read_order(body, request);
    case PubSubRequestType::fetch:
      return read_selection(body.find("opts"), request.operation.selection);
    case PubSubRequestType::server_side_emit:
      if (!read_event_data(body.find("data"), request.operation.event, request.operation.args))
        return Failure(Malformed::bad_request);
      request.operation.wants_answers = !request.id.empty();
      return {};
    case PubSubRequestType::broadcast:
      return read_broadcast(body, request);
  }
  return Failure(Malformed::unknown_request);
}

}  // namespace

std::string encode_json_or_msgpack(const Value& value) {
  if (!has_binary(value)) return to_json(value);
  std::string bytes;
  append_msgpack(bytes, value);
  return bytes;
}

Result<Value, Malformed> decode_json_or_msgpack(std::string_view body) {
  if (body.starts_with('{')) {
    auto value = parse_json(body);
    if (!value) return Failure(Malformed::not_json);
    return std::move(*value);
  }
  auto value = parse_msgpack(body);
  if (!value)
    return Failure(value.error() == MsgpackError::too_deep ? Malformed::nested_too_deep : Malformed::not_msgpack);
  return std::move(*value);
}

Result<PubSubRequest, Malformed> decode_request(std::string_view name_space, std::string_view body) {
  const auto value = decode_json_or_msgpack(body);
  if (!value) return Failure(value.error());
  const auto type = number_member(*value, "type");
  if (!type) return Failure(Malformed::bad_request);
  if (*type < 0 || *type > request_type_max) return Failure(Malformed::unknown_request);
  PubSubRequest request;
  request.type = static_cast<PubSubRequestType>(*type);
  request.uid = text_member(*value, "uid").value_or("");
  request.id = text_member(*value, "requestId").value_or("");
  request.operation.kind = kind_of(request.type);
  request.operation.selection.name_space = name_space;
  if (const Step step = read_details(*value, request); !step) return Failure(step.error());
  request.operation.selection.name_space = name_space;
  return request;
}

Result<PubSubResponse, Malformed> decode_response(std::string_view body) {
  auto value = decode_json_or_msgpack(body);
  if (!value) return Failure(value.error());
  PubSubResponse response;
  auto id = text_member(*value, "requestId");
  if (!id) return Failure(Malformed::bad_request);
  response.id = std::move(*id);
  response.type = number_member(*value, "type");
  for (const char* key : {"sockets", "rooms"})
    if (const Value* items = value->find(key); items != nullptr && items->as_array() != nullptr)
      response.items = *items->as_array();
  response.is_whole = number_member(*value, left_out_member).value_or(0) <= 0;
  if (const Value* data = value->find("data")) response.data = *data;
  if (const Value* packet = value->find("packet")) response.packet = *packet;
  if (const auto count = number_member(*value, "clientCount"); count && *count > 0)
    response.clients = static_cast<std::size_t>(*count);
  return response;
}

std::optional<std::string> encode_request(std::string_view uid, std::string_view id,
                                          const socketio::Operation& operation, Milliseconds ack_timeout) {
  Object request;
  const auto head = [&](PubSubRequestType type) {
    if (!uid.empty()) request.append("uid", uid);
    if (!id.empty()) request.append("requestId", id);
    request.append("type", static_cast<int>(type));
  };
  const socketio::Selection& selection = operation.whom();
  const auto options = [&] {
    return Object{{"rooms", rooms_value(selection.rooms)}, {"except", rooms_value(selection.except)}};
  };
  switch (operation.kind) {
    case OperationKind::fetch:
      head(PubSubRequestType::fetch);
      request.append("opts", options());
      break;
    case OperationKind::all_rooms:
      head(PubSubRequestType::all_rooms);
      break;
    case OperationKind::join:
    case OperationKind::leave:
      head(operation.kind == OperationKind::join ? PubSubRequestType::join : PubSubRequestType::leave);
      request.append("opts", options());
      request.append("rooms", rooms_value(operation.target_rooms));
      break;
    case OperationKind::disconnect:
      head(PubSubRequestType::disconnect);
      request.append("opts", options());
      request.append("close", operation.close);
      break;
    case OperationKind::server_side_emit: {
      head(PubSubRequestType::server_side_emit);
      auto data = event_data(operation.event, operation.args);
      if (!data) return std::nullopt;
      request.append("data", std::move(*data));
      break;
    }
    case OperationKind::emit_with_ack: {
      head(PubSubRequestType::broadcast);
      auto data = event_data(operation.message->event, operation.message->args);
      if (!data) return std::nullopt;
      request.append("packet", Object{{"type", type_event}, {"data", std::move(*data)}, {"nsp", selection.name_space}});
      socketio::Selection timed = selection;
      if (timed.flags.timeout.count() == 0) timed.flags.timeout = ack_timeout;
      request.append("opts", selection_value(timed));
      std::string bytes;
      append_msgpack(bytes, request);
      return bytes;
    }
    case OperationKind::server_count:
      return std::nullopt;  // Redis is asked
  }
  return encode_json_or_msgpack(request);
}

std::string encode_response(std::string_view id, Object members) {
  Object response{{"requestId", Value(id)}};
  for (auto& [key, value] : members) response.append(std::move(key), std::move(value));
  return encode_json_or_msgpack(response);
}

}  // namespace carillon::cluster
