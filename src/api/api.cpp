#include "api/api.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "api/emit_request.hpp"
#include "api/error.hpp"
#include "api/without_binary.hpp"
#include "http/text.hpp"

namespace carillon::api {
namespace {

http::Response acks_response(const socketio::OperationResult& result) {
  Array responses;
  for (const Args& args : result.acks.responses) responses.push_back(without_binary(args[0]));
  Object answer{{"responses", std::move(responses)}, {"missing", result.acks.missing}};
  if (result.missing_servers > 0) answer.append("missing_servers", result.missing_servers);
  return json_response(200, to_json(answer));
}

}  // namespace

std::optional<http::Response> refuse_unless_json(const http::Request& request) {
  const auto content_type = request.header("content-type");
  if (!content_type) return std::nullopt;
  const auto media_type = http::trim(content_type->substr(0, content_type->find(';')));
  if (http::same_in_any_case(media_type, "application/json")) return std::nullopt;
  return error_response(415, "the body should be application/json");
}

http::RouterPolicy router_policy(Keys keys) {
  http::RouterPolicy policy;
  policy.guard = [keys = std::move(keys)](const http::Request& request) { return keys.refuse(request); };
  policy.error = [](int status, std::string_view message) { return error_response(status, message); };
  return policy;
}

void emit(socketio::BroadcastPort& port, std::string_view body, const http::Route::Respond& respond) {
  auto request = parse_emit_request(body);
  if (!request) return respond(to_response(request.error()));
  const bool with_ack = request->ack_timeout > Milliseconds::zero();
  BroadcastFlags flags;
  flags.is_volatile = request->is_volatile;
  flags.timeout = request->ack_timeout;
  auto message = socketio::make_broadcast(port.packet_format(), request->name_space, std::move(request->rooms),
                                          std::move(request->except), flags, request->event, request->args,
                                          with_ack ? std::optional(socketio::next_broadcast_ack_id()) : std::nullopt);
  if (!with_ack) {
    port.broadcast(std::move(message));
    return respond(json_response(202, "{}"));
  }
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = socketio::Operation::Kind::emit_with_ack;
  operation->message = std::move(message);
  port.operate(std::move(operation),
               [respond](const socketio::OperationResult& result) { respond(acks_response(result)); });
}

void add_routes(http::Router& router, socketio::BroadcastPort& port) {
  router.add({.method = "POST",
              .path = "/v1/emit",
              .open = false,
              .refuse = refuse_unless_json,
              .answer_later = [&port](const http::Request&, std::string_view body,
                                      const http::Route::Respond& respond) { emit(port, body, respond); }});
}

}  // namespace carillon::api
