#include "socketio/server_core.hpp"

#include "socketio/client.hpp"

namespace carillon::socketio {
namespace {

Client& client_of(engineio::Session& session) { return static_cast<Client&>(*session.attachment); }

}  // namespace

ServerCore::ServerCore(const Options& options, const NamespaceTable& namespaces, Surroundings surroundings)
    : options_(options), surroundings_(surroundings), shard_link_(std::make_shared<ShardLink>(surroundings.shard)) {
  for (const auto& [name, handlers] : namespaces)
    namespaces_.emplace(name, std::make_unique<NamespaceCore>(*this, name, handlers));
}

ServerCore::~ServerCore() { shard_link_->close(); }

void ServerCore::on_open(engineio::Session& session) { session.attachment = std::make_unique<Client>(*this, session); }

void ServerCore::on_message(engineio::Session& session, bool binary, std::string_view data) {
  client_of(session).on_message(binary, data);
}

void ServerCore::on_close(engineio::Session& session, engineio::CloseReason reason) {
  if (session.attachment) client_of(session).on_close(reason);
}

NamespaceCore* ServerCore::find_namespace(std::string_view name) {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

void ServerCore::operate(const Operation& operation, OperationPartDone done) {
  NamespaceCore* name_space = find_namespace(operation.whom().name_space);
  if (name_space == nullptr) return done({});
  switch (operation.kind) {
    case Operation::Kind::emit_with_ack:
      return name_space->deliver_with_ack(*operation.message, std::move(done));
  }
}

void ServerCore::deliver(const Broadcast& message) {
  if (NamespaceCore* name_space = find_namespace(message.name_space)) name_space->deliver(message);
}

}  // namespace carillon::socketio
