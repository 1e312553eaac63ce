#include "app/client_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "engineio/packet.hpp"
#include "socketio/json_packet.hpp"

namespace carillon::app {
namespace {

using End = ClientSession::End;

Failure<End> lost(std::string why) { return Failure(End{false, std::move(why)}); }
Failure<End> refused(std::string why) { return Failure(End{true, std::move(why)}); }

std::string_view text_of(const Value* value) {
  const std::string* text = value != nullptr ? value->as_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::string event_name(const socketio::EventData& data) {
  if (!data.escaped) return std::string(data.name);
  const auto name = parse_json(fmt::format("\"{}\"", data.name));
  return name ? std::string(text_of(&*name)) : std::string(data.name);
}

// White space between JSON values may hold line ends; inside strings they are escaped.
std::string on_one_line(std::string_view elements) {
  std::string line = fmt::format("[{}]", elements);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return line;
}

}  // namespace

Result<void, End> ClientSession::on_text(std::string_view text) {
  const auto packet = engineio::decode_packet(text);
  if (!packet) return lost("the server sent something that is not Engine.IO");
  switch (packet->type) {
    case engineio::PacketType::open:
      return on_open(packet->data);
    case engineio::PacketType::ping:
      port_.send("3" + std::string(packet->data));
      return {};
    case engineio::PacketType::message:
      return on_message(packet->data);
    case engineio::PacketType::close:
      return lost("the server closed the session");
    case engineio::PacketType::pong:
    case engineio::PacketType::upgrade:
    case engineio::PacketType::noop:
      return {};
  }
  return {};
}

Result<void, End> ClientSession::on_open(std::string_view json) {
  const auto handshake = parse_json(json);
  const Value* interval = handshake ? handshake->find("pingInterval") : nullptr;
  const Value* timeout = handshake ? handshake->find("pingTimeout") : nullptr;
  if (interval == nullptr || timeout == nullptr) return lost("the server's handshake is malformed");
  silence_max_ = Milliseconds(std::clamp<std::int64_t>(interval->as_int64(), 0, 86'400'000) +
                              std::clamp<std::int64_t>(timeout->as_int64(), 0, 86'400'000));
  port_.send("40" + to_json(auth_));
  return {};
}

Result<void, End> ClientSession::on_message(std::string_view text) {
  const auto packet = socketio::decode_packet(text);
  if (!packet) return lost(fmt::format("the server sent a malformed packet: {}", socketio::to_string(packet.error())));
  switch (packet->type) {
    case socketio::PacketType::connect: {
      const auto answer = parse_json(packet->data);
      port_.on_connected(answer ? text_of(answer->find("sid")) : std::string_view());
      return {};
    }
    case socketio::PacketType::connect_error: {
      const auto answer = parse_json(packet->data);
      return refused(std::string(answer ? text_of(answer->find("message")) : "no reason given"));
    }
    case socketio::PacketType::disconnect:
      return refused("the server has ended this session");
    case socketio::PacketType::event:
    case socketio::PacketType::binary_event: {
      const auto data = socketio::split_event(packet->data);
      if (!data) return lost("the server sent a malformed event");
      return on_event({event_name(*data), on_one_line(data->elements), packet->id, packet->attachments});
    }
    case socketio::PacketType::ack:
    case socketio::PacketType::binary_ack:
      return {};
  }
  return {};
}

Result<void, End> ClientSession::on_event(Pending event) {
  if (pending_) return lost("the server sent an event before the attachments of the one before");
  if (event.attachments == 0) {
    report(event);
  } else {
    pending_ = std::move(event);
  }
  return {};
}

Result<void, End> ClientSession::on_binary() {
  if (!pending_) return lost("the server sent an attachment without an event");
  if (--pending_->attachments > 0) return {};
  report(*pending_);
  pending_.reset();
  return {};
}

void ClientSession::report(const Pending& event) {
  port_.on_event(event.event, event.args);
  if (event.id) port_.send(fmt::format("43{}[]", *event.id));
}

}  // namespace carillon::app
