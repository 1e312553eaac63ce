// The classic Redis adapter's messages: whatever comes is refused or becomes a packet that clients can read; what one node
// sends, another delivers as the first would.
//
//   input = bytes; also taken for the parts of a broadcast that is sent
//
// Covers: src/cluster/pubsub_codec.cpp
#include <string>
#include <vector>

#include "cluster/pubsub_codec.hpp"
#include "packets.hpp"
#include "values.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::cluster;
using carillon::socketio::Broadcast;
using carillon::socketio::BroadcastPtr;
using carillon::socketio::PacketFormat;

// As a client reads it. A namespace with a comma in its name is nobody's where packets are JSON.
void check_packet(const PacketFormat& format, const Broadcast& message) {
  check(!message.frames->parts().empty(), "there is a packet");
  const bool json = format.parser == PacketParser::json;
  if (json && (message.name_space.contains(',') || !message.name_space.starts_with('/'))) return;
  Whole whole;
  decode_whole(format, *message.frames, whole);
  check(whole.packet.type == socketio::PacketType::event && whole.packet.event.has_value(), "which is an event");
  check(whole.packet.name_space == message.name_space, "for its namespace");
}

void receive(std::string_view body) {
  const auto uid = decode_uid(body);
  IncomingBroadcast incoming;
  incoming.rooms = {"left over"};
  const auto decoded = decode_broadcast(body, incoming);
  if (!decoded) return;
  (void)uid;
  check(incoming.rooms.size() + incoming.except.size() <= body.size(), "rooms are no more than bytes");
  for (const unsigned kind : {0U, 1U, 2U, 3U}) {
    const PacketFormat format{.parser = (kind & 1U) != 0 ? PacketParser::msgpack : PacketParser::json,
                              .offsets = (kind & 2U) != 0};
    IncomingBroadcast copy = incoming;
    const std::string name_space(copy.name_space);
    const auto message = to_broadcast(format, std::move(copy));
    if (!message) continue;
    check((*message)->name_space == name_space && (*message)->rooms == incoming.rooms,
          "rooms are those of the message");
    if (is_utf8_slowly(name_space)) check_packet(format, **message);
  }
}

void send(Input& input) {
  const BroadcastPtr sent = make_broadcast(input);
  const auto body = encode_broadcast("abcdef", *sent);
  check(body.has_value(), "a broadcast can be sent");
  check(decode_uid(*body) == "abcdef", "by whom it says");
  IncomingBroadcast incoming;
  check(decode_broadcast(*body, incoming).has_value(), "it can be received");
  if (canary() && incoming.except.size() == 2) incoming.except.pop_back();
  const auto received = to_broadcast({}, std::move(incoming));
  check(received && (*received)->name_space == "/n" && (*received)->rooms == sent->rooms &&
            (*received)->except == sent->except && (*received)->flags.is_volatile == sent->flags.is_volatile &&
            (*received)->flags.compress == sent->flags.compress,
        "for the same receivers");
  check((*received)->frames->wire() == sent->frames->wire(), "with the same bytes");
  receive(*body);
  check(channel_of("key", *sent).starts_with("key#/n#") && channel_of("key", *sent).ends_with('#'),
        "on a channel of its key");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input all(data, size);
  receive(all.rest());
  Input input(data, size);
  send(input);
  return 0;
}
