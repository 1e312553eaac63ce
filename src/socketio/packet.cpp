#include "socketio/packet.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "base/utf8.hpp"
#include "socketio/json_packet.hpp"
#include "socketio/msgpack_packet.hpp"

namespace carillon::socketio {
namespace {

bool is_json(const PacketFormat& format) { return format.parser == PacketParser::json; }

}  // namespace

std::string_view to_string(PacketError error) {
  switch (error) {
    case PacketError::empty:
      return "empty packet";
    case PacketError::unknown_type:
      return "unknown packet type";
    case PacketError::bad_attachment_count:
      return "bad attachment count";
    case PacketError::bad_id:
      return "bad acknowledgement id";
    case PacketError::bad_json:
      return "invalid payload";
    case PacketError::too_many_attachments:
      return "too many attachments";
    case PacketError::too_large:
      return "packet too large";
    case PacketError::unexpected_binary:
      return "unexpected binary message";
    case PacketError::unexpected_text:
      return "unexpected text message";
    case PacketError::bad_placeholder:
      return "bad placeholder";
    case PacketError::out_of_place:
      return "packet for a namespace that was not joined, or that was joined before";
  }
  return "malformed packet";
}

bool is_reserved_event(std::string_view name) {
  static constexpr std::array<std::string_view, 6> reserved = {"connect",       "connect_error", "disconnect",
                                                               "disconnecting", "newListener",   "removeListener"};
  return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

void check_event(std::string_view event, const Args& args) {
  if (is_reserved_event(event))
    throw std::invalid_argument("'" + std::string(event) + "' is a reserved event name: choose another one");
  check_text(event);
  check_text(args);
}

void check_text(const Args& args) { check_text(args.text()); }

void check_text(std::string_view text) {
  if (!is_utf8(text)) throw std::invalid_argument("text for clients must be UTF-8: send other bytes as Binary");
}

// --- encoders ---

engineio::FramesPtr encode_event(const PacketFormat& format, std::string_view name_space, std::string_view event,
                                 const Args& args, std::optional<std::uint64_t> id) {
  return is_json(format) ? json::encode_event(name_space, event, args, id)
                         : msgpack::encode_event(name_space, event, args, id);
}

engineio::FramesPtr encode_event(const PacketFormat& format, std::string_view name_space, std::string_view event,
                                 const Args& args, std::string_view offset) {
  return is_json(format) ? json::encode_event(name_space, event, args, std::nullopt, offset)
                         : msgpack::encode_event(name_space, event, args, std::nullopt, offset);
}

engineio::FramesPtr encode_ack(const PacketFormat& format, std::string_view name_space, std::uint64_t id,
                               const Args& args) {
  return is_json(format) ? json::encode_ack(name_space, id, args) : msgpack::encode_ack(name_space, id, args);
}

engineio::FramesPtr encode_control(const PacketFormat& format, PacketType type, std::string_view name_space,
                                   const Value* data) {
  return is_json(format) ? json::encode_control(type, name_space, data)
                         : msgpack::encode_control(type, name_space, data);
}

Result<engineio::FramesPtr, MsgpackError> encode_event_data(const PacketFormat& format, std::string_view name_space,
                                                            std::string_view data, std::string_view offset) {
  if (!is_json(format)) return msgpack::encode_event_data(name_space, data, offset);
  std::string text;
  text.reserve(data.size() + data.size() / 4 + 16);
  std::vector<Binary> attachments;
  if (const auto done = append_json_of_msgpack(data, text, attachments); !done) return Failure(done.error());
  return json::encode_event_data(name_space, text, attachments, offset);
}

std::optional<engineio::FramesPtr> encode_event_json(const PacketFormat& format, std::string_view name_space,
                                                     std::string_view data, std::string_view offset) {
  if (is_json(format)) return json::encode_event_data(name_space, data, {}, offset);
  const auto value = parse_json(data);
  if (!value) return std::nullopt;
  std::string bytes;
  append_msgpack(bytes, *value);
  auto frames = msgpack::encode_event_data(name_space, bytes, offset);
  if (!frames) return std::nullopt;
  return std::move(*frames);
}

std::size_t offset_place(const PacketFormat& format, const engineio::Frames& frames, std::size_t characters) {
  const auto& first = frames.parts().front();
  const std::size_t behind = is_json(format) ? 2 : 0;  // the last quotation mark and the last bracket
  return first.offset + first.size - characters - behind;
}

}  // namespace carillon::socketio
