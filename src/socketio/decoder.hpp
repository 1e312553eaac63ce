// A client's messages to whole packets: puts attachments in their places and checks that each packet has the shape that
// its type asks for. Callable without a session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/args.hpp>

#include "base/result.hpp"
#include "socketio/packet.hpp"

namespace carillon::socketio {

// A packet that is complete. Refers to the message, to the decoder (until its next message) and to itself, so it stays
// where it is.
struct IncomingPacket {
  IncomingPacket() = default;
  IncomingPacket(const IncomingPacket&) = delete;
  IncomingPacket& operator=(const IncomingPacket&) = delete;

  PacketType type = PacketType::connect;  // connect, disconnect, event or ack
  std::string_view name_space = "/";
  std::optional<std::uint64_t> id;
  std::optional<std::string_view> event;  // an event's name; none in an event without data, which means nothing
  Args args;                              // of an event or an acknowledgement
  Value auth;                             // of a CONNECT: an object

  // What the members above refer to, where the message does not have it as it is needed.
  std::string text;
  std::string name;
};

// Owned by one client.
class Decoder {
 public:
  explicit Decoder(std::size_t attachments_max);
  ~Decoder();

  // True: `packet`, which is new, has been filled in. False: some of its attachments are still to come.
  Result<bool, PacketError> decode(bool binary, std::string_view message, IncomingPacket& packet);

  // Forgets a packet whose attachments have not come.
  void reset();

 private:
  struct Pending;

  Result<bool, PacketError> on_text(std::string_view message, IncomingPacket& packet);
  Result<bool, PacketError> on_binary(std::string_view message, IncomingPacket& packet);

  std::unique_ptr<Pending> pending_;
  std::size_t attachments_max_;
};

}  // namespace carillon::socketio
