#include "socketio/packet.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace carillon::socketio {
namespace {

constexpr std::uint64_t id_max = (std::uint64_t{1} << 53) - 1;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the digits at the front of `text`; none if there are none or the number is above `max`.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > max) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// "45" [ count "-" ] [ namespace "," ] [ id ]: the part of a text packet before its JSON, with Engine.IO's type digit.
std::string head(PacketType type, std::size_t attachments, std::string_view name_space,
                 std::optional<std::uint64_t> id) {
  std::string text = "4";
  text.push_back(static_cast<char>('0' + static_cast<int>(type)));
  if (attachments > 0) text.append(std::to_string(attachments)).push_back('-');
  if (name_space != "/") text.append(name_space).push_back(',');
  if (id) text += std::to_string(*id);
  return text;
}

void append_offset(std::string& text, std::string_view offset) {
  if (!offset.empty()) text.append(",\"").append(offset).append("\"");
}

std::string event_text(std::string_view name_space, std::string_view event, const Args& args,
                       std::optional<std::uint64_t> id, std::string_view offset) {
  const auto& attachments = args.attachments();
  std::string text =
      head(attachments.empty() ? PacketType::event : PacketType::binary_event, attachments.size(), name_space, id);
  text.reserve(text.size() + event.size() + args.text().size() + offset.size() + 12);
  text.push_back('[');
  append_json_string(text, event);
  if (!args.text().empty()) text.append(",").append(args.text());
  append_offset(text, offset);
  text.push_back(']');
  return text;
}

engineio::FramesPtr finish(std::string_view head, std::string_view json, const std::vector<Binary>& attachments) {
  auto frames = std::make_shared<engineio::Frames>();
  frames->append_text(head, json);
  for (const Binary& attachment : attachments) frames->append_binary(attachment.bytes);
  return frames;
}

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
    case PacketError::unexpected_binary:
      return "unexpected binary or text message";
    case PacketError::bad_placeholder:
      return "bad placeholder";
    case PacketError::out_of_place:
      return "packet for a namespace that was not joined, or that was joined before";
  }
  return "malformed packet";
}

Result<Packet, PacketError> decode_packet(std::string_view text) {
  if (text.empty()) return Failure(PacketError::empty);
  if (text[0] < '0' || text[0] > '6') return Failure(PacketError::unknown_type);
  Packet packet;
  packet.type = static_cast<PacketType>(text[0] - '0');
  text.remove_prefix(1);
  if (packet.type == PacketType::binary_event || packet.type == PacketType::binary_ack) {
    const auto count = take_number(text, 1'000'000);
    if (!count || *count == 0 || !text.starts_with('-')) return Failure(PacketError::bad_attachment_count);
    packet.attachments = *count;
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) {
    const std::size_t end = std::min(text.find(','), text.size());
    packet.name_space = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() && is_digit(text[0])) {
    packet.id = take_number(text, id_max);
    if (!packet.id) return Failure(PacketError::bad_id);
  }
  packet.data = text;
  return packet;
}

Result<EventData, PacketError> split_event(std::string_view data) {
  data = trim(data);
  if (!data.starts_with('[') || !check_json(data)) return Failure(PacketError::bad_json);
  data.remove_prefix(1);
  data.remove_suffix(1);
  data = trim(data);
  if (data.empty()) return Failure(PacketError::bad_json);
  EventData event;
  std::size_t end = 0;
  if (data[0] == '"') {
    end = skip_json_string(data);
    event.name = data.substr(1, end - 2);
    event.escaped = event.name.find('\\') != std::string_view::npos;
  } else if (data[0] == '-' || is_digit(data[0])) {
    end = std::min(data.find_first_of(", \n\r\t"), data.size());
    event.name = data.substr(0, end);
  } else {
    return Failure(PacketError::bad_json);
  }
  std::string_view rest = trim(data.substr(end));
  if (rest.starts_with(',')) rest.remove_prefix(1);
  event.elements = trim(rest);
  return event;
}

Result<std::string_view, PacketError> split_ack(std::string_view data) {
  data = trim(data);
  if (!data.starts_with('[') || !check_json(data)) return Failure(PacketError::bad_json);
  return trim(data.substr(1, data.size() - 2));
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

engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::optional<std::uint64_t> id) {
  return finish(event_text(name_space, event, args, id, {}), {}, args.attachments());
}

engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::string_view offset) {
  return finish(event_text(name_space, event, args, std::nullopt, offset), {}, args.attachments());
}

engineio::FramesPtr encode_ack(std::string_view name_space, std::uint64_t id, const Args& args) {
  const auto& attachments = args.attachments();
  std::string text =
      head(attachments.empty() ? PacketType::ack : PacketType::binary_ack, attachments.size(), name_space, id);
  text.append("[").append(args.text()).append("]");
  return finish(text, {}, attachments);
}

engineio::FramesPtr encode_connect(std::string_view name_space, std::string_view sid, std::string_view pid) {
  Object body{{"sid", sid}};
  if (!pid.empty()) body.append("pid", pid);
  return finish(head(PacketType::connect, 0, name_space, std::nullopt), to_json(std::move(body)), {});
}

engineio::FramesPtr encode_connect_error(std::string_view name_space, std::string_view message, const Value& data) {
  Object body{{"message", message}};
  if (!data.is_null()) body.append("data", data);
  return finish(head(PacketType::connect_error, 0, name_space, std::nullopt), to_json(std::move(body)), {});
}

engineio::FramesPtr encode_disconnect(std::string_view name_space) {
  return finish(head(PacketType::disconnect, 0, name_space, std::nullopt), {}, {});
}

engineio::FramesPtr encode_event_data(std::string_view name_space, std::string_view data_json,
                                      const std::vector<Binary>& attachments, std::string_view offset) {
  const PacketType type = attachments.empty() ? PacketType::event : PacketType::binary_event;
  std::string text = head(type, attachments.size(), name_space, std::nullopt);
  if (offset.empty()) return finish(text, data_json, attachments);
  text.append(data_json.substr(0, data_json.size() - 1));  // without its last bracket
  append_offset(text, offset);
  text.push_back(']');
  return finish(text, {}, attachments);
}

std::size_t offset_place(const engineio::Frames& frames, std::size_t characters) {
  const auto& text = frames.parts().front();
  return text.offset + text.size - characters - 2;  // before the last quotation mark and the last bracket
}

}  // namespace carillon::socketio
