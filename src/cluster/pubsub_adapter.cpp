#include "cluster/pubsub_adapter.hpp"

#include <memory>
#include <utility>

#include "cluster/answer_limit.hpp"
#include "cluster/glob.hpp"
#include "cluster/operation_codec.hpp"

namespace carillon::cluster {
namespace {

using OperationKind = socketio::Operation::Kind;

constexpr std::size_t uid_length = 6;
constexpr std::int64_t type_client_count = 8;
constexpr std::int64_t type_client_ack = 9;

Interests::Rules rules_of(const PubSubOptions& options) {
  Interests::Rules rules{.key = options.key, .has_channel = {}};
  if (options.pattern) rules.has_channel = [](std::string_view) { return false; };
  return rules;
}

std::vector<RemoteSocket> to_sockets(const std::vector<Value>& items, NodePort& port, const std::string& name_space) {
  std::vector<RemoteSocket> sockets;
  for (const Value& item : items)
    if (auto facts = to_facts(item)) sockets.emplace_back(port.broadcasts(), name_space, std::move(*facts));
  return sockets;
}

}  // namespace

PubSubAdapter::PubSubAdapter(redis::Link& link, NodePort& port, Random& random, PubSubOptions options)
    : link_(link),
      port_(port),
      random_(random),
      options_(std::move(options)),
      uid_(random_id(random, uid_length)),
      interests_(link, statistics_.rooms, rules_of(options_)),
      requests_(link, statistics_, options_.limits),
      complaints_(statistics_) {
  for (const std::string& name_space : options_.namespaces) {
    interests_.add_namespace(name_space);
    begin_namespace(name_space);
  }
}

// --- namespaces and rooms ---

std::string PubSubAdapter::request_channel(std::string_view name_space) const {
  return base_channel(options_.key + "-request", name_space);
}

std::string PubSubAdapter::response_channel(std::string_view name_space, std::string_view uid) const {
  const std::string key = options_.key + "-response";
  return uid.empty() ? base_channel(key, name_space) : room_channel(key, name_space, uid);
}

void PubSubAdapter::begin_namespace(std::string_view name_space) {
  const std::string base = base_channel(options_.key, name_space);
  if (options_.pattern) {
    link_.subscribe(escape_glob(base) + "*", redis::ChannelKind::pattern);
  } else {
    interests_.pin(base);
  }
  const auto serve = [&](std::string channel, Role role) {
    interests_.pin(channel);
    services_.emplace(std::move(channel), Service{role, std::string(name_space)});
  };
  serve(request_channel(name_space), Role::requests);
  serve(response_channel(name_space), Role::responses);
  serve(response_channel(name_space, uid_), Role::responses);
}

void PubSubAdapter::end_namespace(std::string_view name_space) {
  const std::string base = base_channel(options_.key, name_space);
  if (options_.pattern) {
    link_.unsubscribe(escape_glob(base) + "*", redis::ChannelKind::pattern);
  } else {
    interests_.unpin(base);
  }
  for (const std::string& channel :
       {request_channel(name_space), response_channel(name_space), response_channel(name_space, uid_)}) {
    interests_.unpin(channel);
    services_.erase(channel);
  }
}

void PubSubAdapter::open_namespace(unsigned shard, std::string_view name_space) {
  if (interests_.open_namespace(shard, name_space)) begin_namespace(name_space);
}

void PubSubAdapter::close_namespace(unsigned shard, std::string_view name_space) {
  if (interests_.close_namespace(shard, name_space)) end_namespace(name_space);
}

void PubSubAdapter::open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done) {
  interests_.open_room(shard, name_space, room, std::move(done));
}

void PubSubAdapter::await_room(std::string_view name_space, std::string_view room, Task done) {
  interests_.await_room(name_space, room, std::move(done));
}

void PubSubAdapter::close_room(unsigned shard, std::string_view name_space, std::string_view room) {
  interests_.close_room(shard, name_space, room);
}

// --- what this node has to say ---

void PubSubAdapter::publish(const socketio::Broadcast& message) {
  if (message.flags.local) return;
  auto body = encode_broadcast(uid_, message);
  if (!body) return statistics_.unpublishable.add();
  statistics_.published.add();
  link_.publish(channel_of(options_.key, message), std::move(*body));
}

void PubSubAdapter::operate(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now) {
  const std::string& name_space = operation->whom().name_space;
  switch (operation->kind) {
    case OperationKind::server_count:
      return requests_.count_servers(request_channel(name_space), redis::ChannelKind::plain, std::move(done));
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
  if (auto body = encode_request(uid_, {}, *operation)) {
    statistics_.published.add();
    link_.publish(request_channel(name_space), std::move(*body));
  } else {
    statistics_.unpublishable.add();
  }
  done({});
}

void PubSubAdapter::ask(socketio::OperationPtr operation, socketio::OperationDone done, TimePoint now) {
  std::string id = random_id(random_, uid_length);
  while (requests_.is_asking(id)) id = random_id(random_, uid_length);
  auto body = encode_request(uid_, id, *operation, options_.limits.acks);
  if (!body) {
    statistics_.unpublishable.add();
    return done({});
  }
  std::string channel = request_channel(operation->whom().name_space);
  auto send = [this, channel, body = std::move(*body)]() mutable {
    statistics_.published.add();
    link_.publish(channel, std::move(body));
  };
  requests_.ask({.id = std::move(id),
                 .channel = std::move(channel),
                 .kind = redis::ChannelKind::plain,
                 .operation = std::move(operation),
                 .send = std::move(send),
                 .done = std::move(done)},
                now);
}

// --- what the others say ---

void PubSubAdapter::on_subscribed(redis::ChannelKind kind, std::string_view channel) {
  if (kind == redis::ChannelKind::plain) interests_.on_subscribed(channel);
}

void PubSubAdapter::on_ready(bool ready) {
  port_.on_gap();  // when the link breaks, and once more when it is whole again
  interests_.on_ready(ready);
}

// The cheap tests first; the event itself is looked at only if somebody here gets it.
void PubSubAdapter::on_message(redis::ChannelKind kind, std::string_view channel, std::string_view payload) {
  statistics_.received.add();
  if (kind == redis::ChannelKind::plain) {
    if (const auto service = services_.find(channel); service != services_.end()) {
      const std::string name_space = service->second.name_space;  // the entry may go meanwhile
      if (service->second.role == Role::requests) return on_request(name_space, channel, payload);
      return on_response(name_space, channel, payload);
    }
  }
  if (!is_wanted(kind, channel)) return statistics_.unwanted.add();
  on_broadcast(channel, payload);
}

// By pattern the rooms of everybody come here, and those that nobody here is in are passed over by their names.
bool PubSubAdapter::is_wanted(redis::ChannelKind kind, std::string_view channel) const {
  if (kind == redis::ChannelKind::plain || interests_.wants(channel)) return interests_.wants(channel);
  const std::size_t head = options_.key.size() + 1;
  return channel.size() > head && interests_.serves(channel.substr(head, channel.size() - head - 1));
}

void PubSubAdapter::on_broadcast(std::string_view channel, std::string_view payload) {
  const auto uid = decode_uid(payload);
  if (!uid) return reject(uid.error(), channel);
  if (*uid == uid_) return statistics_.own.add();
  if (const auto decoded = decode_broadcast(payload, incoming_); !decoded) return reject(decoded.error(), channel);
  if (!interests_.serves(incoming_.name_space)) return statistics_.unwanted.add();
  const std::uint64_t shards = interests_.shards_for(incoming_.name_space, incoming_.rooms);
  if (shards == 0) return statistics_.unwanted.add();
  auto message = to_broadcast(port_.packet_format(), std::move(incoming_));
  if (!message) return reject(message.error(), channel);
  statistics_.delivered.add();
  port_.deliver(std::move(*message), shards);
}

void PubSubAdapter::on_request(const std::string& name_space, std::string_view channel, std::string_view payload) {
  auto request = decode_request(name_space, payload);
  if (!request) return reject(request.error(), channel);
  if (request->uid == uid_ || requests_.is_asking(request->id)) return statistics_.own.add();
  statistics_.answered_requests.add();
  switch (request->type) {
    case PubSubRequestType::server_side_emit:
      return perform_server_event(std::move(*request));
    case PubSubRequestType::broadcast:
      return perform_broadcast(std::move(*request));
    case PubSubRequestType::sockets:
    case PubSubRequestType::all_rooms:
    case PubSubRequestType::join:
    case PubSubRequestType::leave:
    case PubSubRequestType::disconnect:
    case PubSubRequestType::fetch:
      return perform(std::move(*request));
  }
}

void PubSubAdapter::perform(PubSubRequest request) {
  auto operation = std::make_shared<socketio::Operation>(std::move(request.operation));
  request.operation = {};
  request.operation.selection.name_space = operation->selection.name_space;
  port_.perform(std::move(operation), [this, request = std::move(request)](const socketio::OperationResult& result) {
    const bool is_order = request.type == PubSubRequestType::join || request.type == PubSubRequestType::leave ||
                          request.type == PubSubRequestType::disconnect;
    if (request.id.empty() || (is_order && !request.legacy)) return;
    Object members = answer_of(request, result);
    if (members.find(left_out_member) != nullptr) complaints_.cut_answer(request.operation.selection.name_space);
    respond(request, std::move(members));
  });
}

Object PubSubAdapter::answer_of(const PubSubRequest& request, const socketio::OperationResult& result) const {
  Array items;
  switch (request.type) {
    case PubSubRequestType::sockets:
      for (const RemoteSocket& socket : result.sockets) items.emplace_back(socket.id());
      return limited_answer("sockets", std::move(items), options_.limits.answer_bytes_max);
    case PubSubRequestType::fetch:
      for (const RemoteSocket& socket : result.sockets) items.push_back(to_value(socket, options_.handshakes));
      return limited_answer("sockets", std::move(items), options_.limits.answer_bytes_max);
    case PubSubRequestType::all_rooms:
      for (const std::string& room : result.rooms) items.emplace_back(room);
      return limited_answer("rooms", std::move(items), options_.limits.answer_bytes_max);
    case PubSubRequestType::join:
    case PubSubRequestType::leave:
    case PubSubRequestType::disconnect:
    case PubSubRequestType::server_side_emit:
    case PubSubRequestType::broadcast:
      return {};
  }
  return {};
}

void PubSubAdapter::perform_broadcast(PubSubRequest request) {
  if (request.id.empty())
    return reject(Malformed::bad_request, request_channel(request.operation.selection.name_space));
  const socketio::Operation operation = std::move(request.operation);
  request.operation = {};
  request.operation.selection.name_space = operation.selection.name_space;
  const auto asked = std::make_shared<const PubSubRequest>(std::move(request));
  const auto clients = [this, asked](std::size_t count) {
    respond(*asked, {{"type", type_client_count}, {"clientCount", count}});
  };
  const auto answer = [this, asked](const Args& args) {
    respond(*asked, {{"type", type_client_ack}, {"packet", args[0]}});
  };
  if (port_.perform_with_acks(operation, {.clients = clients, .answer = answer})) return;
  reject(Malformed::bad_packet, request_channel(operation.selection.name_space));
  clients(0);
}

// Of all requests this one alone is answered on the shared channel, as everybody does.
void PubSubAdapter::perform_server_event(PubSubRequest request) {
  socketio::Operation operation = std::move(request.operation);
  NodePort::ServerAnswer answer;
  if (operation.wants_answers) {
    answer = [this, id = request.id, name_space = operation.selection.name_space](Value value) {
      const auto type = static_cast<int>(PubSubRequestType::server_side_emit);
      link_.publish(response_channel(name_space), encode_response(id, {{"type", type}, {"data", std::move(value)}}));
    };
  }
  port_.on_server_event(operation.selection.name_space, std::move(operation.event), std::move(operation.args),
                        std::move(answer));
}

// On the channel of who asked, so that nobody else has to read it; old servers (type 0, legacy forms) listen to the shared
// one only.
void PubSubAdapter::respond(const PubSubRequest& request, Object members) {
  const bool is_old = request.legacy || request.type == PubSubRequestType::sockets;
  const std::string& name_space = request.operation.selection.name_space;
  link_.publish(response_channel(name_space, is_old ? std::string_view() : std::string_view(request.uid)),
                encode_response(request.id, std::move(members)));
}

void PubSubAdapter::on_response(const std::string& name_space, std::string_view channel, std::string_view payload) {
  const auto response = decode_response(payload);
  if (!response) return reject(response.error(), channel);
  // Most are for others: on the shared channel all servers hear all answers.
  const socketio::Operation* asked = requests_.operation_of(response->id);
  if (asked == nullptr) return statistics_.strayed_answers.add();
  socketio::OperationResult part;
  switch (asked->kind) {
    case OperationKind::emit_with_ack:
      if (response->type == type_client_count) return requests_.add_clients(response->id, {}, response->clients);
      if (response->type == type_client_ack)
        return requests_.add_ack(response->id, Args(Array{response->packet.value_or(nullptr)}));
      return reject(Malformed::bad_request, channel);
    case OperationKind::fetch:
      if (response->items) part.sockets = to_sockets(*response->items, port_, name_space);
      break;
    case OperationKind::all_rooms: {
      const Value items(response->items.value_or(Array{}));
      part.rooms = read_rooms(&items).value_or(std::vector<std::string>());
      break;
    }
    case OperationKind::server_side_emit:
      part.answers.push_back(response->data.value_or(nullptr));
      break;
    case OperationKind::join:
    case OperationKind::leave:
    case OperationKind::disconnect:
    case OperationKind::server_count:
      return;  // nobody asks for an answer
  }
  part.missing_servers = response->is_whole ? 0 : 1;
  requests_.answer(response->id, {}, std::move(part));
}

void PubSubAdapter::reject(Malformed kind, std::string_view channel) { complaints_.reject(kind, channel); }

}  // namespace carillon::cluster
