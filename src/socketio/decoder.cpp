#include "socketio/decoder.hpp"

#include <utility>

#include "base/json.hpp"

namespace carillon::socketio {
namespace {

using Step = Result<void, PacketError>;

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

Step read_event(std::string_view data, const std::vector<Binary>& attachments, IncomingPacket& packet) {
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

Result<bool, PacketError> read(const Packet& head, const std::vector<Binary>& attachments, IncomingPacket& packet) {
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
  if (!step) return Failure(step.error());
  return true;
}

}  // namespace

// A binary packet whose attachments are still coming.
struct Decoder::Pending {
  std::string text;
  std::size_t expected;
  std::vector<Binary> attachments;
};

Decoder::Decoder(std::size_t attachments_max) : attachments_max_(attachments_max) {}

Decoder::~Decoder() = default;

void Decoder::reset() { pending_.reset(); }

Result<bool, PacketError> Decoder::decode(bool binary, std::string_view message, IncomingPacket& packet) {
  return binary ? on_binary(message, packet) : on_text(message, packet);
}

Result<bool, PacketError> Decoder::on_text(std::string_view message, IncomingPacket& packet) {
  if (pending_) return Failure(PacketError::unexpected_binary);
  const auto head = decode_packet(message);
  if (!head) return Failure(head.error());
  if (head->attachments == 0) return read(*head, {}, packet);
  if (head->attachments > attachments_max_) return Failure(PacketError::too_many_attachments);
  if (!check_json(head->data)) return Failure(PacketError::bad_json);
  pending_ = std::make_unique<Pending>(Pending{std::string(message), head->attachments, {}});
  return false;
}

Result<bool, PacketError> Decoder::on_binary(std::string_view message, IncomingPacket& packet) {
  if (!pending_) return Failure(PacketError::unexpected_binary);
  pending_->attachments.push_back({std::string(message)});
  if (pending_->attachments.size() < pending_->expected) return false;
  const auto complete = std::move(pending_);
  packet.text = std::move(complete->text);
  const auto head = decode_packet(packet.text);
  if (!head) return Failure(head.error());
  return read(*head, complete->attachments, packet);
}

}  // namespace carillon::socketio
