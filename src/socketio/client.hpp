// The Socket.IO side of one Engine.IO session: routes packets to the session's sockets.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engineio/session.hpp"
#include "socketio/decoder.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {

class NamespaceRequest;
class ServerCore;

// Owned by its session, on the session's shard.
class Client final : public engineio::SessionAttachment {
 public:
  Client(ServerCore& server, engineio::Session& session);
  ~Client() override;

  ServerCore& server() const { return server_; }
  engineio::Session& session() const { return session_; }

  void on_message(bool binary, std::string_view data);
  void on_close(engineio::CloseReason reason);
  void on_ping_sent();
  void on_pong();
  void on_upgraded();

  // Joins "/", for clients that do not ask for it.
  void connect_unasked();

  // What a client of its version is sent when a socket is connected, or is not. `pid`: empty if it cannot be recovered.
  void send_connect(const SocketCore& socket, std::string_view pid);
  void send_connect_error(std::string_view name_space, const ConnectError& error);

  // Sessions of this client can be recovered: it is told how, and asks for it.
  bool recoverable() const { return !is_v2_; }

  // A socket has joined its namespace: the connect timeout no longer applies.
  void connected();
  // A socket is about to leave its namespace, or is refused: the client may join again from now on.
  void forget(SocketCore& socket);
  // A connecting socket is given up for a new one in the same namespace, with an id of its own.
  void replace(SocketCore& socket);
  // Its sockets have gone to another connection: if none is left, this one has no use any more.
  void close_if_unused();
  // The application has been asked whether there is such a namespace; null: there is none, for this reason.
  void on_namespace(NamespaceRequest& request, NamespaceCore* name_space, std::string_view reason);
  // Disconnects all sockets of the connection, then closes it.
  void disconnect();

 private:
  class ConnectTimer;

  bool count_pending();

  std::shared_ptr<SocketCore> add_socket(NamespaceCore& name_space, Value auth);

  Result<void, PacketError> on_packet(IncomingPacket& packet);
  Result<void, PacketError> on_connect(IncomingPacket& packet);
  void refuse(std::string_view name_space, std::string_view reason);
  std::shared_ptr<SocketCore> find(std::string_view name_space) const;
  bool is_asked_for(std::string_view name_space) const;

  ServerCore& server_;
  engineio::Session& session_;
  std::vector<std::shared_ptr<SocketCore>> sockets_;
  std::vector<std::shared_ptr<NamespaceRequest>> requests_;  // of which the application has not decided yet
  Decoder decoder_;
  std::size_t pending_counted_bytes_ = 0;  // in the server's statistics
  bool is_v2_;
  std::unique_ptr<ConnectTimer> connect_timer_;
  std::optional<DisconnectReason> end_reason_;  // where the sockets hear of another one than the session's
};

}  // namespace carillon::socketio
