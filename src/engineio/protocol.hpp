// What differs between the versions of Engine.IO, all of it: sessions ask here and know no version themselves.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engineio/frames.hpp"
#include "engineio/packet.hpp"

namespace carillon::engineio {

// The body of an answer to a poll.
struct Payload {
  std::string bytes;
  bool binary = false;  // application/octet-stream, not text
};

// Immutable, shared by all sessions. `base64`: the transport's first request had the parameter `b64`.
class Protocol {
 public:
  virtual ~Protocol() = default;

  virtual int version() const = 0;
  // The client sends the pings and the server answers them, or the other way round.
  virtual bool client_pings() const = 0;
  // A new WebSocket gets its first message a moment after the answer to its handshake: programs of that time, the official
  // test suite among them, listen for messages only once they have seen that answer.
  virtual bool greets_late() const = 0;
  // A POST may be application/octet-stream.
  virtual bool octet_posts() const = 0;

  // --- from clients; packets refer to the message and to `binaries` ---
  virtual Result<Packet, PacketError> decode_text(std::string_view message, Binaries& binaries) const = 0;
  virtual Result<Packet, PacketError> decode_binary(std::string_view message) const = 0;
  virtual Result<std::vector<Packet>, PacketError> decode_payload(std::string_view body, bool octets,
                                                                  Binaries& binaries) const = 0;

  // --- to clients ---
  virtual Payload encode_payload(std::span<const FramesPtr> packets, bool base64) const = 0;
  virtual BinaryForm websocket_form(bool base64) const = 0;
};

const Protocol& protocol_v3();
const Protocol& protocol_v4();

}  // namespace carillon::engineio
