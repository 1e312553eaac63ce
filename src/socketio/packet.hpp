// Socket.IO packets, whatever they look like on the wire: json_packet.hpp and msgpack_packet.hpp hold the grammars.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <carillon/args.hpp>
#include <carillon/packet_parser.hpp>

#include "base/msgpack_reader.hpp"
#include "base/result.hpp"
#include "engineio/frames.hpp"

namespace carillon::socketio {

enum class PacketType : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

// Acknowledgement ids that this server gives: sockets theirs up to broadcast_ack_id_min, broadcasts from there to
// ack_id_max. There are clients that read them as 32-bit numbers.
inline constexpr std::uint64_t broadcast_ack_id_min = std::uint64_t{1} << 30;
inline constexpr std::uint64_t ack_id_max = (std::uint64_t{1} << 31) - 1;

enum class PacketError {
  empty,
  unknown_type,
  bad_attachment_count,
  bad_id,
  bad_json,  // not JSON (or MessagePack), too deep, or not of the shape that the type asks for
  too_many_attachments,
  too_large,          // with its attachments
  unexpected_binary,  // an attachment without a packet
  unexpected_text,    // text before the last attachment, or where every packet is binary
  bad_placeholder,
  out_of_place,  // for a namespace that the client has not joined (yet), or a second CONNECT
};
std::string_view to_string(PacketError error);

// Names that the protocol's implementations keep for themselves: no event may be called so.
bool is_reserved_event(std::string_view name);

// What an application wants to send: std::invalid_argument for a reserved name and for what is no UTF-8, which would
// end the connections of those who get it. Clients' own events have passed check_json().
void check_event(std::string_view event, const Args& args);
void check_text(const Args& args);
void check_text(std::string_view text);

// How a server writes its packets, for all of its clients.
struct PacketFormat {
  PacketParser parser = PacketParser::json;
  bool offsets = false;         // events without acknowledgement end with one more argument, the recovery offset
  bool stream_offsets = false;  // which is a StreamOffset
};

// Encoders. `name_space` is "/" or "/name"; the result is ready for any transport.
engineio::FramesPtr encode_event(const PacketFormat& format, std::string_view name_space, std::string_view event,
                                 const Args& args, std::optional<std::uint64_t> id = std::nullopt);
// With one more argument, a text that needs no escapes (see recovery_offset.hpp).
engineio::FramesPtr encode_event(const PacketFormat& format, std::string_view name_space, std::string_view event,
                                 const Args& args, std::string_view offset);
engineio::FramesPtr encode_ack(const PacketFormat& format, std::string_view name_space, std::uint64_t id,
                               const Args& args);
// CONNECT, DISCONNECT and CONNECT_ERROR. No `data`: a packet without any.
engineio::FramesPtr encode_control(const PacketFormat& format, PacketType type, std::string_view name_space,
                                   const Value* data = nullptr);

// As encode_event, from a whole data array in MessagePack: for adapters, which get events from other servers so.
Result<engineio::FramesPtr, MsgpackError> encode_event_data(const PacketFormat& format, std::string_view name_space,
                                                            std::string_view data, std::string_view offset = {});

// The same from checked JSON text without binary and without space around it. None: nested too deep for the format.
std::optional<engineio::FramesPtr> encode_event_json(const PacketFormat& format, std::string_view name_space,
                                                     std::string_view data, std::string_view offset = {});

// Where in the encoded bytes an offset of `characters` begins that was given to an encoder.
std::size_t offset_place(const PacketFormat& format, const engineio::Frames& frames, std::size_t characters);

}  // namespace carillon::socketio
