#include "socketio/v2.hpp"

#include <cmath>
#include <utility>

#include "http/request.hpp"

namespace carillon::socketio::v2 {
namespace {

// What JavaScript takes for false.
bool is_nothing(const Value& value) {
  if (value.is_null()) return true;
  if (const bool* truth = value.as_bool()) return !*truth;
  if (const std::string* text = value.as_string()) return text->empty();
  return value.is_number() && (value.as_double() == 0 || std::isnan(value.as_double()));
}

}  // namespace

bool is_spoken_by(const engineio::Session& session) { return session.protocol().version() == 3; }

void adapt(IncomingPacket& packet) {
  const std::size_t mark = packet.name_space.find('?');
  const bool has_query = mark != std::string_view::npos;
  const std::string_view query = has_query ? packet.name_space.substr(mark + 1) : std::string_view();
  packet.name_space = packet.name_space.substr(0, mark);
  if (packet.type != PacketType::connect) return;
  Object auth;
  for (auto& [name, value] : http::query_parameters(query)) auth.append(std::move(name), std::move(value));
  packet.auth = std::move(auth);
}

std::string socket_id(std::string_view name_space, std::string_view session_id) {
  if (name_space == "/") return std::string(session_id);
  return std::string(name_space).append("#").append(session_id);
}

Value error_data(const ConnectError& error) { return is_nothing(error.data) ? Value(error.message) : error.data; }

}  // namespace carillon::socketio::v2
