#include "app/identity.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "base/utf8.hpp"

namespace carillon::app {
namespace {

constexpr std::size_t user_id_bytes_max = 256;

// C0 and DEL, and C1, which UTF-8 writes as 0xc2 0x80 to 0xc2 0x9f.
bool has_control_character(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && static_cast<unsigned char>(utf8[i + 1]) < 0xa0) return true;
  }
  return false;
}

std::optional<std::string> digits(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.storage())) return std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value.storage())) return std::to_string(*number);
  return std::nullopt;
}

// Socket.IO v2 clients have no auth in "/": what they say comes in the query of their connection.
Value auth_of(const Handshake& handshake) {
  if (handshake.query("EIO") == "4") return handshake.auth();
  auto user = handshake.query("userId");
  return user ? Object{{"userId", std::move(*user)}} : Object{};
}

}  // namespace

Result<std::optional<std::string>, std::string> user_id(const Value& auth) {
  const Value* given = auth.find("userId");
  if (given == nullptr) return std::nullopt;
  if (auto number = digits(*given)) return number;
  const std::string* text = given->as_string();
  const bool valid = text != nullptr && !text->empty() && text->size() <= user_id_bytes_max && is_utf8(*text) &&
                     !has_control_character(*text);
  if (valid) return *text;
  return Failure<std::string>("auth.userId should be a text of 1 to 256 bytes without control characters");
}

void identify_users(Server& server) {
  server.use([](Socket& socket, Next next) {
    auto user = user_id(auth_of(socket.handshake()));
    if (!user) return next(ConnectError{std::move(user.error()), {}});
    if (!*user) return next();
    socket.set_identity(**user);
    socket.join("user:" + **user, [next = std::move(next)] { next(); });
  });
}

}  // namespace carillon::app
