// Socket.IO v5 packets as JSON: the default parser, and what Socket.IO v2 clients speak, too.
//
//   packet      = type [ count "-" ] [ namespace "," ] [ id ] [ json ]
//   type        = "0" connect / "1" disconnect / "2" event / "3" ack / "4" connect error / "5" binary event / "6" binary ack
//   count       = 1*DIGIT                      ; attachments that follow, types 5 and 6 only
//   namespace   = "/" *( any character but "," )   ; left out for "/"
//   id          = 1*DIGIT                      ; exact up to 2^53-1
//
// Attachments follow as binary messages; in the JSON each is {"_placeholder":true,"num":N}.
// Source: the Socket.IO protocol document, version 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/args.hpp>

#include "base/result.hpp"
#include "socketio/incoming_packet.hpp"

namespace carillon::socketio {

// The head of a packet from a client; `data` is unchecked JSON, possibly empty. Everything is borrowed from the text.
struct Packet {
  PacketType type = PacketType::connect;
  std::size_t attachments = 0;
  std::string_view name_space = "/";
  std::optional<std::uint64_t> id;
  std::string_view data;
};

Result<Packet, PacketError> decode_packet(std::string_view text);

// The name and the rest of an event's data array, in place: ["name",1,2] gives `name` (still escaped: see escaped) and
// "1,2". Checks the JSON. A number as name is legal and left as text.
struct EventData {
  std::string_view name;      // without quotes
  bool escaped = false;       // name contains backslash escapes
  std::string_view elements;  // JSON elements after the name, without brackets
};
Result<EventData, PacketError> split_event(std::string_view data);

// The elements of an acknowledgement's data array without brackets. Checks the JSON.
Result<std::string_view, PacketError> split_ack(std::string_view data);

namespace json {

// Fills in `packet` from the data of an event, or from a whole packet; `attachments` are all there.
Result<void, PacketError> read_event(std::string_view data, const std::vector<Binary>& attachments,
                                     IncomingPacket& packet);
Result<void, PacketError> read_packet(const Packet& head, const std::vector<Binary>& attachments,
                                      IncomingPacket& packet);

// What packet.hpp says of each; `id` and `offset` exclude each other.
engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::optional<std::uint64_t> id = std::nullopt, std::string_view offset = {});
engineio::FramesPtr encode_ack(std::string_view name_space, std::uint64_t id, const Args& args);
engineio::FramesPtr encode_control(PacketType type, std::string_view name_space, const Value* data);
// From a whole data array ("[\"name\",1]") and its attachments.
engineio::FramesPtr encode_event_data(std::string_view name_space, std::string_view data,
                                      const std::vector<Binary>& attachments, std::string_view offset = {});

}  // namespace json

}  // namespace carillon::socketio
