#include "cluster/message_adapter.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "cluster/answer_limit.hpp"
#include "cluster/operation_codec.hpp"
#include "cluster/pubsub_codec.hpp"

namespace carillon::cluster {
namespace {

using OperationKind = socketio::Operation::Kind;

// 16 hexadecimal digits.
std::string random_hex(Random& random) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  std::string text;
  for (const unsigned byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15U]);
  }
  return text;
}

std::vector<RemoteSocket> to_sockets(const std::vector<Value>& items, NodePort& port, const std::string& name_space) {
  std::vector<RemoteSocket> sockets;
  for (const Value& item : items)
    if (auto facts = to_facts(item)) sockets.emplace_back(port.broadcasts(), name_space, std::move(*facts));
  return sockets;
}

std::vector<std::string> rooms_of(const std::vector<Value>& sockets) {
  std::set<std::string> rooms;
  for (const Value& socket : sockets)
    for (std::string& room : read_rooms(socket.find("rooms")).value_or(std::vector<std::string>()))
      rooms.insert(std::move(room));
  return {rooms.begin(), rooms.end()};
}

}  // namespace

MessageAdapter::MessageAdapter(redis::Link& link, NodePort& port, Random& random, MessageAdapterOptions options,
                               redis::ChannelKind kind, std::function<bool(std::string_view)> has_channel)
    : link_(link),
      port_(port),
      random_(random),
      options_(std::move(options)),
      kind_(kind),
      uid_(random_hex(random)),
      interests_(link, statistics_.rooms, {.key = options_.key, .kind = kind, .has_channel = std::move(has_channel)}),
      requests_(link, statistics_, options_.limits),
      complaints_(statistics_) {
  for (const std::string& name_space : options_.namespaces)
    if (interests_.add_namespace(name_space)) begin_namespace(name_space);
}

// --- namespaces and rooms ---

std::string MessageAdapter::channel(std::string_view name_space) const {
  return base_channel(options_.key, name_space);
}

std::string MessageAdapter::channel(std::string_view name_space, std::string_view room_or_uid) const {
  return room_channel(options_.key, name_space, room_or_uid);
}

void MessageAdapter::begin_namespace(std::string_view name_space) {
  interests_.pin(channel(name_space));
  interests_.pin(channel(name_space, uid_));
}

void MessageAdapter::end_namespace(std::string_view name_space) {
  interests_.unpin(channel(name_space));
  interests_.unpin(channel(name_space, uid_));
}

void MessageAdapter::open_namespace(unsigned shard, std::string_view name_space) {
  if (interests_.open_namespace(shard, name_space)) begin_namespace(name_space);
}

void MessageAdapter::close_namespace(unsigned shard, std::string_view name_space) {
  if (interests_.close_namespace(shard, name_space)) end_namespace(name_space);
}

void MessageAdapter::open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done) {
  interests_.open_room(shard, name_space, room, std::move(done));
}

void MessageAdapter::await_room(std::string_view name_space, std::string_view room, Task done) {
  interests_.await_room(name_space, room, std::move(done));
}

void MessageAdapter::close_room(unsigned shard, std::string_view name_space, std::string_view room) {
  interests_.close_room(shard, name_space, room);
}

// --- what this node has to say ---

void MessageAdapter::publish(const socketio::Broadcast& message) {
  if (message.flags.local) return;
  const auto outgoing = broadcast_message(message);
  if (!outgoing) return statistics_.unpublishable.add();
  statistics_.published.add();
  send_broadcast(message, *outgoing);
}

void MessageAdapter::operate(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now) {
  switch (operation->kind) {
    case OperationKind::server_count:
      return requests_.count_servers(channel(operation->whom().name_space), kind_, std::move(done));
    case OperationKind::emit_with_ack:
    case OperationKind::fetch:
    case OperationKind::all_rooms:
      return ask(std::move(operation), std::move(done), now);
    case OperationKind::server_side_emit:
      if (operation->wants_answers) return ask(std::move(operation), std::move(done), now);
      break;
    case OperationKind::join:
    case OperationKind::leave:
    case OperationKind::disconnect:
      break;
  }
  if (const auto message = request_message(*operation, {})) {
    statistics_.published.add();
    send_request(*message);
  } else {
    statistics_.unpublishable.add();
  }
  done({});
}

std::string MessageAdapter::new_id() {
  std::string id = random_hex(random_);
  while (requests_.is_asking(id)) id = random_hex(random_);
  return id;
}

void MessageAdapter::ask(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now) {
  std::string id = new_id();
  auto message = request_message(*operation, id, options_.limits.acks);
  if (!message) {
    statistics_.unpublishable.add();
    return done({});
  }
  std::string asked = channel(operation->whom().name_space);
  requests_.ask({.id = std::move(id),
                 .channel = std::move(asked),
                 .kind = kind_,
                 .operation = std::move(operation),
                 .send =
                     [this, message = std::move(*message)] {
                       statistics_.published.add();
                       send_request(message);
                     },
                 .done = std::move(done)},
                now);
}

// --- what the others say ---

void MessageAdapter::on_subscribed(redis::ChannelKind kind, std::string_view channel) {
  if (kind == kind_) interests_.on_subscribed(channel);
}

void MessageAdapter::on_ready(bool ready) { interests_.on_ready(ready); }

void MessageAdapter::on_message(redis::ChannelKind kind, std::string_view channel, std::string_view payload) {
  statistics_.received.add();
  if (kind != kind_ || !interests_.wants(channel)) return statistics_.unwanted.add();
  IncomingMessage message;
  if (const auto decoded = decode_message(payload, message); !decoded) return reject(decoded.error(), channel);
  receive(message, channel);
}

// The type alone says what a message is: an answer may come by any way, and so may a broadcast, for example if a room is
// named like somebody's uid.
void MessageAdapter::receive(const IncomingMessage& message, std::string_view place) {
  if (message.uid == uid_) return statistics_.own.add();
  if (!interests_.serves(message.name_space)) return statistics_.unwanted.add();
  switch (static_cast<MessageType>(message.type)) {
    case MessageType::heartbeat:
      return on_heartbeat(message);
    case MessageType::initial_heartbeat:
    case MessageType::adapter_close:
      return statistics_.unwanted.add();  // membership is what Redis says of subscribers
    case MessageType::broadcast:
    case MessageType::join:
    case MessageType::leave:
    case MessageType::disconnect:
    case MessageType::fetch:
    case MessageType::server_side_emit:
      return on_request(message, place);
    case MessageType::fetch_answer:
    case MessageType::server_side_emit_answer:
    case MessageType::client_count:
    case MessageType::client_ack:
      return on_answer(message, place);
  }
}

void MessageAdapter::on_request(const IncomingMessage& message, std::string_view place) {
  auto request = read_request(message);
  if (!request) return reject(request.error(), place);
  if (request->event.exists()) return deliver(std::move(*request), message.entry, place);
  statistics_.answered_requests.add();
  Asker asker{message.uid, message.name_space, std::move(request->id)};
  switch (request->operation.kind) {
    case OperationKind::emit_with_ack:
      return perform_broadcast(*request, std::move(asker), place);
    case OperationKind::server_side_emit:
      return perform_server_event(std::move(*request), asker);
    case OperationKind::fetch:
    case OperationKind::join:
    case OperationKind::leave:
    case OperationKind::disconnect:
    case OperationKind::all_rooms:
    case OperationKind::server_count:
      return perform(std::move(*request), std::move(asker));
  }
}

void MessageAdapter::deliver(MessageRequest request, const socketio::StreamOffset& entry, std::string_view place) {
  socketio::Selection& selection = request.operation.selection;
  const std::uint64_t shards = interests_.shards_for(selection.name_space, selection.rooms);
  if (shards == 0) return statistics_.unwanted.add();
  auto message = to_broadcast(port_.packet_format(), std::move(selection), request.event, entry);
  if (!message) return reject(message.error(), place);
  statistics_.delivered.add();
  port_.deliver(std::move(*message), shards);
}

void MessageAdapter::perform(MessageRequest request, Asker asker) {
  const bool is_question = request.operation.kind == OperationKind::fetch;
  port_.perform(std::make_shared<const socketio::Operation>(std::move(request.operation)),
                [this, is_question, asker = std::move(asker)](const socketio::OperationResult& result) {
                  if (!is_question) return;
                  Array sockets;
                  for (const RemoteSocket& socket : result.sockets)
                    sockets.push_back(to_value(socket, options_.handshakes));
                  Object members = limited_answer("sockets", std::move(sockets), options_.limits.answer_bytes_max);
                  if (members.find(left_out_member) != nullptr) complaints_.cut_answer(asker.name_space);
                  respond(asker, MessageType::fetch_answer, std::move(members));
                });
}

void MessageAdapter::perform_broadcast(const MessageRequest& request, Asker asker, std::string_view place) {
  const auto whom = std::make_shared<const Asker>(std::move(asker));
  const auto clients = [this, whom](std::size_t count) {
    respond(*whom, MessageType::client_count, {{"clientCount", count}});
  };
  const auto answer = [this, whom](const Args& args) {
    Object members;
    if (!args.empty()) members.append("packet", args[0]);
    respond(*whom, MessageType::client_ack, std::move(members));
  };
  if (port_.perform_with_acks(request.operation, {.clients = clients, .answer = answer})) return;
  reject(Malformed::bad_packet, place);
  clients(0);
}

void MessageAdapter::perform_server_event(MessageRequest request, const Asker& asker) {
  socketio::Operation& operation = request.operation;
  NodePort::ServerAnswer answer;
  if (operation.wants_answers) {
    answer = [this, asker](Value value) {
      respond(asker, MessageType::server_side_emit_answer, {{"packet", std::move(value)}});
    };
  }
  port_.on_server_event(asker.name_space, std::move(operation.event), std::move(operation.args), std::move(answer));
}

void MessageAdapter::respond(const Asker& asker, MessageType type, Object members) {
  link_.publish(channel(asker.name_space, asker.uid),
                encode(answer_message(type, asker.name_space, asker.id, std::move(members))), kind_);
}

void MessageAdapter::on_answer(const IncomingMessage& message, std::string_view place) {
  const auto answer = read_answer(message);
  if (!answer) return reject(answer.error(), place);
  const socketio::Operation* asked = requests_.operation_of(answer->id);
  if (asked == nullptr) return statistics_.strayed_answers.add();
  const auto type = static_cast<MessageType>(message.type);
  socketio::OperationResult part;
  switch (asked->kind) {
    case OperationKind::emit_with_ack:
      if (type == MessageType::client_count) return requests_.add_clients(answer->id, message.uid, answer->clients);
      if (type == MessageType::client_ack)
        return requests_.add_ack(answer->id, answer->packet ? Args(Array{*answer->packet}) : Args());
      return reject(Malformed::bad_request, place);
    case OperationKind::fetch:
      if (type != MessageType::fetch_answer) return reject(Malformed::bad_request, place);
      part.sockets = to_sockets(answer->sockets, port_, message.name_space);
      break;
    case OperationKind::all_rooms:
      if (type != MessageType::fetch_answer) return reject(Malformed::bad_request, place);
      part.rooms = rooms_of(answer->sockets);
      break;
    case OperationKind::server_side_emit:
      if (type != MessageType::server_side_emit_answer) return reject(Malformed::bad_request, place);
      part.answers.push_back(answer->packet.value_or(nullptr));
      break;
    case OperationKind::join:
    case OperationKind::leave:
    case OperationKind::disconnect:
    case OperationKind::server_count:
      return;  // nobody asks for an answer
  }
  part.missing_servers = answer->is_whole ? 0 : 1;
  requests_.answer(answer->id, message.uid, std::move(part));
}

}  // namespace carillon::cluster
