#include "socketio/json_packet.hpp"

#include <algorithm>
#include <charconv>

#include "base/json.hpp"

namespace carillon::socketio {
namespace {

using Step = Result<void, PacketError>;

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

namespace {

// The elements of a data array with its attachments put in.
Result<Array, PacketError> with_attachments(std::string_view data, const std::vector<Binary>& attachments) {
  auto value = parse_json(data, attachments);
  if (!value) return Failure(PacketError::bad_placeholder);
  return std::move(std::get<Array>(value->storage()));
}

// The event's name with its JSON escapes resolved.
std::string_view event_name(const EventData& event, std::string& storage) {
  if (!event.escaped) return event.name;
  const auto value = parse_json("\"" + std::string(event.name) + "\"");
  if (value && value->as_string() != nullptr) storage = *value->as_string();
  return storage;
}

Step read_connect(std::string_view data, IncomingPacket& packet) {
  packet.auth = Object{};
  if (data.empty()) return {};
  auto parsed = parse_json(data);
  if (!parsed || parsed->as_object() == nullptr) return Failure(PacketError::bad_json);
  packet.auth = std::move(*parsed);
  return {};
}

Step read_ack(std::string_view data, const std::vector<Binary>& attachments, IncomingPacket& packet) {
  if (data.empty() && attachments.empty()) return {};
  const auto elements = split_ack(data);
  if (!elements) return Failure(elements.error());
  packet.args = Args::borrow(*elements);
  if (attachments.empty()) return {};
  auto values = with_attachments(data, attachments);
  if (!values) return Failure(values.error());
  packet.args = Args(std::move(*values));
  return {};
}

}  // namespace

namespace json {

Result<void, PacketError> read_event(std::string_view data, const std::vector<Binary>& attachments,
                                     IncomingPacket& packet) {
  if (data.empty() && attachments.empty()) return {};  // "42": tolerated, as by the reference
  const auto event = split_event(data);
  if (!event) return Failure(event.error());
  packet.event = event_name(*event, packet.name);
  if (is_reserved_event(*packet.event)) return Failure(PacketError::bad_json);
  packet.args = Args::borrow(event->elements);
  if (attachments.empty()) return {};
  auto values = with_attachments(data, attachments);
  if (!values) return Failure(values.error());
  values->erase(values->begin());
  packet.args = Args(std::move(*values));
  return {};
}

Result<void, PacketError> read_packet(const Packet& head, const std::vector<Binary>& attachments,
                                      IncomingPacket& packet) {
  packet.name_space = head.name_space;
  packet.id = head.id;
  Step step;
  switch (head.type) {
    case PacketType::connect:
      packet.type = PacketType::connect;
      step = read_connect(head.data, packet);
      break;
    case PacketType::disconnect:
      packet.type = PacketType::disconnect;
      if (!head.data.empty()) step = Failure(PacketError::bad_json);
      break;
    case PacketType::event:
    case PacketType::binary_event:
      packet.type = PacketType::event;
      step = read_event(head.data, attachments, packet);
      break;
    case PacketType::ack:
    case PacketType::binary_ack:
      packet.type = PacketType::ack;
      step = read_ack(head.data, attachments, packet);
      break;
    case PacketType::connect_error:  // servers send them
      step = Failure(PacketError::unknown_type);
      break;
  }
  return step;
}

engineio::FramesPtr encode_event(std::string_view name_space, std::string_view event, const Args& args,
                                 std::optional<std::uint64_t> id, std::string_view offset) {
  return finish(event_text(name_space, event, args, id, offset), {}, args.attachments());
}

engineio::FramesPtr encode_ack(std::string_view name_space, std::uint64_t id, const Args& args) {
  const auto& attachments = args.attachments();
  std::string text =
      head(attachments.empty() ? PacketType::ack : PacketType::binary_ack, attachments.size(), name_space, id);
  text.append("[").append(args.text()).append("]");
  return finish(text, {}, attachments);
}

engineio::FramesPtr encode_control(PacketType type, std::string_view name_space, const Value* data) {
  return finish(head(type, 0, name_space, std::nullopt), data != nullptr ? to_json(*data) : std::string(), {});
}

engineio::FramesPtr encode_event_data(std::string_view name_space, std::string_view data,
                                      const std::vector<Binary>& attachments, std::string_view offset) {
  const PacketType type = attachments.empty() ? PacketType::event : PacketType::binary_event;
  std::string text = head(type, attachments.size(), name_space, std::nullopt);
  if (offset.empty()) return finish(text, data, attachments);
  text.append(data.substr(0, data.size() - 1));  // without its last bracket
  append_offset(text, offset);
  text.push_back(']');
  return finish(text, {}, attachments);
}

}  // namespace json

}  // namespace carillon::socketio
