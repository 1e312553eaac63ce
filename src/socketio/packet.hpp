// Socket.IO v5 packets.
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
#include "engineio/frames.hpp"

namespace carillon::socketio {

enum class PacketType : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

// Acknowledgement ids that this server gives: sockets theirs up to broadcast_ack_id_min, broadcasts from there to
// ack_id_max. There are clients that read them as 32-bit numbers.
inline constexpr std::uint64_t broadcast_ack_id_min = std::uint64_t{1} << 30;
inline constexpr std::uint64_t ack_id_max = (std::uint64_t{1} << 31) - 1;

// The head of a packet from a client; `data` is unchecked JSON, possibly empty. Everything is borrowed from the text.
struct Packet {
  PacketType type = PacketType::connect;
  std::size_t attachments = 0;
  std::string_view name_space = "/";
  std::optional<std::uint64_t> id;
  std::string_view data;
};

enum class PacketError {
  empty,
  unknown_type,
  bad_attachment_count,
  bad_id,
  bad_json,  // not JSON, too deep, or not of the shape that the type asks for
  too_many_attachments,
  unexpected_binary,  // an attachment without a packet, or text before the last attachment
  bad_placeholder,
  out_of_place,  // for a namespace that the client has not joined (yet), or a second CONNECT
};
std::string_view to_string(PacketError error);

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

// Names that the protocol's implementations keep for themselves: no event may be called so.
bool is_reserved_event(std::string_view name);

// What an application wants to send: std::invalid_argument for a reserved name and for what is no UTF-8, which would
// end the connections of those who get it. Clients' own events have passed check_json().
void check_event(std::string_view event, const Args& args);
void check_text(const Args& args);
void check_text(std::string_view text);

// How a server writes its packets.
struct PacketFormat {
  bool offsets = false;  // events without acknowledgement end with one more argument, the recovery offset
};

// Encoders. `name_space` is "/" or "/name"; the result is ready for any transport.
engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::optional<std::uint64_t> id = std::nullopt);
// With one more argument, a text that needs no escapes (see recovery_offset.hpp).
engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::string_view offset);
engineio::FramesPtr encode_ack(std::string_view name_space, std::uint64_t id, const Args& args);
// `pid`: what the client may be recovered by; empty: nothing.
engineio::FramesPtr encode_connect(std::string_view name_space, std::string_view sid, std::string_view pid = {});
engineio::FramesPtr encode_connect_error(std::string_view name_space, std::string_view message, const Value& data);
engineio::FramesPtr encode_disconnect(std::string_view name_space);

// As encode_event, from a whole data array in JSON ("[\"name\",1]") and its attachments: for adapters, which get events
// from other servers in another encoding.
engineio::FramesPtr encode_event_data(std::string_view name_space, std::string_view data_json,
                                      const std::vector<Binary>& attachments, std::string_view offset = {});

// Where in the encoded bytes an offset of `characters` begins that was given to an encoder.
std::size_t offset_place(const engineio::Frames& frames, std::size_t characters);

}  // namespace carillon::socketio
