#include "cluster/remote_socket_codec.hpp"

#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace carillon::cluster {
namespace {

// "Sun Nov 22 2026 01:32:03 GMT+0000 (Coordinated Universal Time)"
std::string date_text(std::int64_t unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", &parts);
  return {text.data(), size};
}

// As Node.js has them: names in lower case, one of each.
Value headers_of(const HandshakeRequest& request) {
  Object headers;
  for (const auto& [name, value] : request.headers) {
    std::string lower = name;
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    headers.set(std::move(lower), value);
  }
  return headers;
}

Value query_of(const HandshakeRequest& request) {
  Object query;
  for (auto& [name, value] : request.query()) query.append(std::move(name), std::move(value));
  return query;
}

// Without its query, in which there may be a token.
std::string path_of(const std::string& url) { return url.substr(0, url.find('?')); }

std::string text_at(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? std::string() : *text;
}

bool flag_at(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  const bool* flag = member == nullptr ? nullptr : member->as_bool();
  return flag != nullptr && *flag;
}

Handshake to_handshake(const Value& value) {
  auto request = std::make_shared<HandshakeRequest>();
  request->address = text_at(value, "address");
  request->url = text_at(value, "url");
  request->secure = flag_at(value, "secure");
  if (const Value* issued = value.find("issued")) request->issued_unix_ms = issued->as_int64();
  if (const Value* headers = value.find("headers"); headers != nullptr && headers->as_object() != nullptr)
    for (const auto& [name, header] : *headers->as_object())
      if (const std::string* text = header.as_string()) request->headers.emplace_back(name, *text);
  const Value* auth = value.find("auth");
  return {auth == nullptr ? Value(Object()) : *auth, std::move(request)};
}

}  // namespace

Value to_value(const RemoteSocket& socket, Handshakes handshakes) {
  const Handshake& shake = socket.handshake();
  const bool whole = handshakes == Handshakes::whole;
  Array rooms;
  for (const std::string& room : socket.rooms()) rooms.emplace_back(room);
  Object handshake{{"headers", whole ? headers_of(shake.request()) : Value(Object())},
                   {"time", date_text(shake.issued_unix_ms())},
                   {"address", shake.address()},
                   {"xdomain", shake.cross_domain()},
                   {"secure", shake.secure()},
                   {"issued", shake.issued_unix_ms()},
                   {"url", whole ? shake.url() : path_of(shake.url())},
                   {"query", whole ? query_of(shake.request()) : Value(Object())},
                   {"auth", whole ? shake.auth() : Value(Object())}};
  return Object{
      {"id", socket.id()}, {"handshake", std::move(handshake)}, {"rooms", std::move(rooms)}, {"data", socket.data()}};
}

std::optional<RemoteSocket::Facts> to_facts(const Value& socket) {
  std::string id = text_at(socket, "id");
  if (id.empty()) return std::nullopt;
  const Value* handshake = socket.find("handshake");
  std::vector<std::string> names;
  if (const Value* rooms = socket.find("rooms"); rooms != nullptr && rooms->as_array() != nullptr)
    for (const Value& room : *rooms->as_array())
      if (const std::string* text = room.as_string()) names.push_back(*text);
  const Value* data = socket.find("data");
  return RemoteSocket::Facts{std::move(id), to_handshake(handshake == nullptr ? Value(Object()) : *handshake),
                             std::move(names), data == nullptr ? Value(Object()) : *data};
}

}  // namespace carillon::cluster
