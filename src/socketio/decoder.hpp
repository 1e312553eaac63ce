// A client's messages to whole packets, for either parser. Callable without a session.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "socketio/incoming_packet.hpp"

namespace carillon::socketio {

// Owned by one client.
class Decoder {
 public:
  // `attachments_max`: of one packet, as JSON; `bytes_max`: of it with all of them.
  Decoder(PacketParser parser, std::size_t attachments_max,
          std::size_t bytes_max = std::numeric_limits<std::size_t>::max());
  ~Decoder();

  // True: `packet`, which is new, has been filled in. False: some of its attachments are still to come.
  Result<bool, PacketError> decode(bool binary, std::string_view message, IncomingPacket& packet);

  // Of a packet whose attachments have not all come.
  std::size_t pending_bytes() const;

  // Forgets a packet whose attachments have not come.
  void reset();

 private:
  struct Pending;

  Result<bool, PacketError> on_msgpack(bool binary, std::string_view message, IncomingPacket& packet);
  Result<bool, PacketError> on_text(std::string_view message, IncomingPacket& packet);
  Result<bool, PacketError> on_attachment(std::string_view message, IncomingPacket& packet);

  std::unique_ptr<Pending> pending_;
  std::size_t attachments_max_;
  std::size_t bytes_max_;
  PacketParser parser_;
};

}  // namespace carillon::socketio
