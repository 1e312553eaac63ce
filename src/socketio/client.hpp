// The Socket.IO side of one Engine.IO session: routes packets to the session's sockets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engineio/session.hpp"
#include "socketio/decoder.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {

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

  // A socket has joined its namespace: the connect timeout no longer applies.
  void connected();
  // A socket is about to leave its namespace, or is refused: the client may join again from now on.
  void forget(SocketCore& socket);
  // Disconnects all sockets of the connection, then closes it.
  void disconnect();

 private:
  class ConnectTimer;

  Result<void, PacketError> on_packet(IncomingPacket& packet);
  Result<void, PacketError> on_connect(IncomingPacket& packet);
  std::shared_ptr<SocketCore> find(std::string_view name_space) const;

  ServerCore& server_;
  engineio::Session& session_;
  std::vector<std::shared_ptr<SocketCore>> sockets_;
  Decoder decoder_;
  std::unique_ptr<ConnectTimer> connect_timer_;
};

}  // namespace carillon::socketio
