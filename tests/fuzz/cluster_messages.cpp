// What servers of the sharded and the streams adapter say to each other, what they answer over the classic one, and records of
// sessions: whatever comes is refused or understood; what one node says, another understands as it was meant.
//
//   input = bytes; also taken for what is said
//
// Covers: src/cluster/cluster_message.cpp src/cluster/cluster_message_decode.cpp src/cluster/session_codec.cpp src/cluster/stream_note.cpp
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "cluster/answer_limit.hpp"
#include "cluster/cluster_message.hpp"
#include "cluster/pubsub_request.hpp"
#include "cluster/session_codec.hpp"
#include "cluster/stream_note.hpp"
#include "packets.hpp"
#include "values.hpp"

namespace carillon::fuzz {
namespace {

using namespace carillon::cluster;
using Kind = socketio::Operation::Kind;
using FieldViews = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view uid = "0123456789abcdef";

// Both readers are asked, as whoever has the type in hand would.
void understand(const IncomingMessage& message, std::size_t bytes) {
  if (const auto request = read_request(message)) {
    const socketio::Selection& whom = request->operation.selection;
    check(whom.rooms.size() + whom.except.size() <= bytes, "rooms are no more than bytes");
    if (request->event.exists()) (void)to_broadcast({}, whom, request->event);
  }
  if (const auto answer = read_answer(message)) check(!answer->id.empty(), "an answer has an id");
  (void)read_taken(message);
}

void receive(std::string_view bytes) {
  IncomingMessage message;
  if (decode_message(bytes, message)) understand(message, bytes.size());
  const auto response = decode_response(bytes);
  if (response) check(!response->id.empty() || bytes.size() > 0, "a response has an id");
  (void)decode_request("/", bytes);
  const std::string text = base64(bytes);
  for (const std::string_view value : {bytes, std::string_view(text)})
    if (const auto record = decode_session("p", value))
      check(std::ranges::find(record->rooms, record->sid) != record->rooms.end(), "a socket is in its own room");
}

// Lines: names and values.
void receive_entry(Input& input) {
  std::vector<std::string> texts;
  while (!input.done() && texts.size() < 20) texts.emplace_back(input.line());
  FieldViews fields;
  for (std::size_t i = 0; i + 1 < texts.size(); i += 2) fields.emplace_back(texts[i], texts[i + 1]);
  IncomingMessage message;
  if (decode_entry(fields, message)) understand(message, 10'000'000);
  (void)read_note(fields);
  (void)entry_number(fields);
}

// By each of the three ways that a message has.
template <class Check>
void send(const OutgoingMessage& sent, const Check& check_received) {
  const auto arrive = [&](const IncomingMessage& message) {
    check(message.type == static_cast<std::int64_t>(sent.type) && message.uid == uid, "by whom, and what");
    check(message.name_space == sent.name_space, "for the namespace");
    check_received(message);
  };
  for (const std::string& payload : {encode_message(uid, sent), encode_message_msgpack(uid, sent)}) {
    IncomingMessage message;
    check(decode_message(payload, message).has_value(), "a message is understood");
    arrive(message);
  }
  const redis::StreamFields entry = encode_entry(uid, sent);
  const FieldViews fields(entry.begin(), entry.end());
  IncomingMessage message;
  check(decode_entry(fields, message).has_value(), "an entry is understood");
  arrive(message);
}

void ask(Input& input) {
  static constexpr Kind kinds[] = {
      Kind::fetch,     Kind::join,        Kind::leave, Kind::disconnect, Kind::server_side_emit,
      Kind::all_rooms, Kind::server_count};
  socketio::Operation operation;
  operation.kind = kinds[input.below(std::size(kinds))];
  operation.selection.name_space = "/n";
  operation.selection.rooms = make_rooms(input);
  operation.selection.except = make_rooms(input);
  operation.target_rooms = make_rooms(input);
  operation.close = input.flag();
  operation.event = "e" + text_of(input.bytes(input.below(8)));
  operation.args = Args(Array{make_value(input)});
  operation.wants_answers = input.flag();
  const bool is_question = operation.kind == Kind::fetch || operation.kind == Kind::all_rooms;
  const auto message = request_message(operation, is_question ? "id" : "");
  check(message.has_value() || operation.kind == Kind::server_count, "all but a count can be asked");
  if (!message) return;
  if (operation.kind == Kind::all_rooms) operation = {.kind = Kind::fetch};
  send(*message, [&](const IncomingMessage& incoming) {
    auto request = read_request(incoming);
    check(request.has_value() && request->operation.kind == operation.kind, "a request is what it was");
    socketio::Operation& heard = request->operation;
    if (canary() && heard.target_rooms.size() == 2) heard.target_rooms.pop_back();
    if (heard.kind == Kind::join || heard.kind == Kind::leave)
      check(heard.target_rooms == operation.target_rooms, "with its rooms");
    if (heard.kind == Kind::disconnect) check(heard.close == operation.close, "and its end");
    if (heard.kind == Kind::server_side_emit) return check(heard.event == operation.event, "and its event");
    check(heard.selection.rooms == operation.selection.rooms && heard.selection.except == operation.selection.except,
          "for the same sockets");
  });
}

// A broadcast, and one whose receivers are to answer.
void spread(Input& input) {
  const socketio::BroadcastPtr sent = make_broadcast(input);
  const auto message = broadcast_message(*sent);
  check(message.has_value(), "a broadcast can be sent");
  send(*message, [&](const IncomingMessage& incoming) {
    auto request = read_request(incoming);
    check(request && request->event.exists(), "a broadcast is one");
    const bool is_json = request->event.form == EncodedValue::Form::json;
    const auto received = to_broadcast({}, request->operation.selection, request->event);
    check(received && (*received)->rooms == sent->rooms && (*received)->except == sent->except,
          "for the same receivers");
    if (is_json) check((*received)->frames->wire() == sent->frames->wire(), "with the same bytes");
  });
  socketio::Operation operation;
  operation.kind = Kind::emit_with_ack;
  operation.message = sent;
  const auto question = request_message(operation, "id", Milliseconds(7));
  check(question.has_value(), "so can one that is to be answered");
  send(*question, [&](const IncomingMessage& incoming) {
    const auto request = read_request(incoming);
    check(request && request->id == "id" && request->operation.event == sent->event, "which is asked");
    check(request->operation.selection.flags.timeout == Milliseconds(7), "for a time");
  });
}

void answer(Input& input) {
  Array items;
  while (!input.done() && items.size() < 8) items.push_back(make_value(input));
  const std::size_t count = items.size();
  Object members = limited_answer("sockets", std::move(items), input.byte());
  const Value* left_out = members.find(left_out_member);
  const Value sockets = *members.find("sockets");
  check(sockets.as_array()->size() + static_cast<std::size_t>(left_out == nullptr ? 0 : left_out->as_int64(0)) == count,
        "what is left out is counted");
  const bool is_whole = left_out == nullptr;
  send(answer_message(MessageType::fetch_answer, "/n", "id", std::move(members)), [&](const IncomingMessage& incoming) {
    const auto heard = read_answer(incoming);
    check(heard && heard->id == "id" && heard->is_whole == is_whole, "an answer is to its question");
    check(same(Value(heard->sockets), sockets), "and the same");
  });
  send(taken_message("/", {"p", "o"}), [](const IncomingMessage& incoming) {
    const auto taken = read_taken(incoming);
    check(taken && taken->pid == "p" && taken->owner == "o", "the owner of a session is told");
  });
}

void remember(Input& input) {
  socketio::SessionRecord record{.pid = "p" + text_of(input.bytes(input.below(8))),
                                 .owner = std::string(uid),
                                 .name_space = "/n",
                                 .sid = "s" + text_of(input.bytes(input.below(8))),
                                 .identity = text_of(input.bytes(input.below(8))),
                                 .node = "node",
                                 .rooms = make_rooms(input),
                                 .data = make_value(input)};
  const std::string value = encode_session(record);
  const auto found = decode_session(record.pid, value);
  check(found && found->sid == record.sid && found->owner == record.owner && found->identity == record.identity,
        "a session is found as it was");
  check(found->mark == mark_of_owner(record.owner), "and known by its owner");
  check(same(found->data, record.data), "with its data");
  check(!decode_session("x" + record.pid, value), "by nobody else");
  redis::StreamFields note = note_entry("node", {input.byte(), input.byte()});
  add_number(note, input.byte());
  const FieldViews fields(note.begin(), note.end());
  check(read_note(fields).has_value() && entry_number(fields).has_value(), "a note is read");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  const auto part = [&](void (*of)(Input&)) {
    Input input(data, size);
    of(input);
  };
  Input all(data, size);
  receive(all.rest());
  part(receive_entry);
  part(ask);
  part(spread);
  part(answer);
  part(remember);
  return 0;
}
