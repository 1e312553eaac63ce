#include "api/api.hpp"

#include <optional>
#include <utility>

#include "api/emit_request.hpp"
#include "api/error.hpp"

namespace carillon::api {
namespace {

std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.starts_with(' ')) content_type.remove_prefix(1);
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

std::optional<http::Response> refuse_unless_json(const http::Request& request) {
  const auto content_type = request.header("content-type");
  if (!content_type || http::has_token(media_type(*content_type), "application/json")) return std::nullopt;
  return error_response(415, "the body should be application/json");
}

http::Response emit(socketio::BroadcastPort& port, std::string_view body) {
  auto request = parse_emit_request(body);
  if (!request) return to_response(request.error());
  BroadcastFlags flags;
  flags.is_volatile = request->is_volatile;
  port.broadcast(socketio::make_broadcast(request->name_space, std::move(request->rooms), std::move(request->except),
                                          flags, request->event, request->args));
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
