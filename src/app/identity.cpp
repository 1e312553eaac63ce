#include "app/identity.hpp"

#include <string_view>
#include <utility>

#include "api/notify_request.hpp"

namespace carillon::app {
namespace {

// Socket.IO v2 clients have no auth in "/": what they say comes in the query of their connection.
Value auth_of(const Handshake& handshake) {
  if (handshake.query("EIO") == "4") return handshake.auth();
  Object auth;
  for (const char* name : {"userId", "deviceId"})
    if (auto text = handshake.query(name)) auth.append(name, std::move(*text));
  if (handshake.query("ack") == "true") auth.append("ack", true);
  return auth;
}

Result<std::optional<std::string>, std::string> id_in(const Value& auth, std::string_view name) {
  const Value* given = auth.find(name);
  if (given == nullptr) return std::nullopt;
  if (auto id = api::user_id_of(*given)) return id;
  return Failure("auth." + std::string(name) + " should be a text of 1 to 256 bytes without control characters");
}

}  // namespace

Result<std::optional<std::string>, std::string> user_id(const Value& auth) { return id_in(auth, "userId"); }

Result<std::optional<std::string>, std::string> device_id(const Value& auth) { return id_in(auth, "deviceId"); }

NotifiedDevice device_of(const Handshake& handshake) {
  const Value auth = auth_of(handshake);
  const Value* acknowledges = auth.find("ack");
  const auto device = device_id(auth);
  return {.name = device ? device->value_or("") : "",
          .acknowledges = acknowledges != nullptr && *acknowledges == Value(true)};
}

void identify_users(Server& server) {
  server.use([](Socket& socket, Next next) {
    auto user = user_id(auth_of(socket.handshake()));
    if (!user) return next(ConnectError{std::move(user.error()), {}});
    if (auto device = device_id(auth_of(socket.handshake())); !device)
      return next(ConnectError{std::move(device.error()), {}});
    if (!*user) return next();
    socket.set_identity(**user);
    socket.join("user:" + **user, [next = std::move(next)] { next(); });
  });
}

}  // namespace carillon::app
