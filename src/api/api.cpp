#include "api/api.hpp"

#include <optional>
#include <utility>

#include "api/emit_request.hpp"
#include "api/error.hpp"
#include "http/text.hpp"

namespace carillon::api {
namespace {

std::optional<http::Response> refuse_unless_json(const http::Request& request) {
  const auto content_type = request.header("content-type");
  if (!content_type) return std::nullopt;
  const auto media_type = http::trim(content_type->substr(0, content_type->find(';')));
  if (http::same_in_any_case(media_type, "application/json")) return std::nullopt;
  return error_response(415, "the body should be application/json");
}

http::Response emit(socketio::BroadcastPort& port, std::string_view body) {
  auto request = parse_emit_request(body);
  if (!request) return to_response(request.error());
  BroadcastFlags flags;
  flags.is_volatile = request->is_volatile;
  port.broadcast(socketio::make_broadcast(port.packet_format(), request->name_space, std::move(request->rooms),
                                          std::move(request->except), flags, request->event, request->args));
  return json_response(202, "{}");
}

}  // namespace

http::RouterPolicy router_policy(Keys keys) {
  http::RouterPolicy policy;
  policy.guard = [keys = std::move(keys)](const http::Request& request) { return keys.refuse(request); };
  policy.error = [](int status, std::string_view message) { return error_response(status, message); };
  return policy;
}

void add_routes(http::Router& router, socketio::BroadcastPort& port) {
  router.add({.method = "POST",
              .path = "/v1/emit",
              .open = false,
              .refuse = refuse_unless_json,
              .answer = [&port](const http::Request&, std::string_view body) { return emit(port, body); }});
}

}  // namespace carillon::api
