#include "socketio/decoder.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "socketio/json_packet.hpp"
#include "socketio/msgpack_packet.hpp"

namespace carillon::socketio {
namespace {

Result<bool, PacketError> complete(const Result<void, PacketError>& read) {
  if (!read) return Failure(read.error());
  return true;
}

}  // namespace

// A binary packet whose attachments are still coming.
struct Decoder::Pending {
  std::string text;
  std::size_t expected;
  std::size_t bytes;
  std::vector<Binary> attachments;
};

Decoder::Decoder(PacketParser parser, std::size_t attachments_max, std::size_t bytes_max)
    : attachments_max_(attachments_max), bytes_max_(bytes_max), parser_(parser) {}

Decoder::~Decoder() = default;

void Decoder::reset() { pending_.reset(); }

std::size_t Decoder::pending_bytes() const { return pending_ ? pending_->bytes : 0; }

Result<bool, PacketError> Decoder::decode(bool binary, std::string_view message, IncomingPacket& packet) {
  switch (parser_) {
    case PacketParser::json:
      return binary ? on_attachment(message, packet) : on_text(message, packet);
    case PacketParser::msgpack:
      return on_msgpack(binary, message, packet);
  }
  return Failure(PacketError::unknown_type);
}

Result<bool, PacketError> Decoder::on_msgpack(bool binary, std::string_view message, IncomingPacket& packet) {
  if (!binary) return Failure(PacketError::unexpected_text);
  return complete(msgpack::decode_packet(message, packet));
}

Result<bool, PacketError> Decoder::on_text(std::string_view message, IncomingPacket& packet) {
  if (pending_) return Failure(PacketError::unexpected_text);
  const auto head = decode_packet(message);
  if (!head) return Failure(head.error());
  if (head->attachments == 0) return complete(json::read_packet(*head, {}, packet));
  if (head->attachments > attachments_max_) return Failure(PacketError::too_many_attachments);
  if (message.size() > bytes_max_) return Failure(PacketError::too_large);
  if (!check_json(head->data)) return Failure(PacketError::bad_json);
  pending_ = std::make_unique<Pending>(Pending{std::string(message), head->attachments, message.size(), {}});
  return false;
}

Result<bool, PacketError> Decoder::on_attachment(std::string_view message, IncomingPacket& packet) {
  if (!pending_) return Failure(PacketError::unexpected_binary);
  if (message.size() > bytes_max_ - pending_->bytes) return Failure(PacketError::too_large);
  pending_->bytes += message.size();
  pending_->attachments.push_back({std::string(message)});
  if (pending_->attachments.size() < pending_->expected) return false;
  const auto pending = std::move(pending_);
  packet.text = std::move(pending->text);
  const auto head = decode_packet(packet.text);
  if (!head) return Failure(head.error());
  return complete(json::read_packet(*head, pending->attachments, packet));
}

}  // namespace carillon::socketio
