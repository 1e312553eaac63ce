// carillon::Server: the public face of Node.
#include <carillon/server.hpp>

#include "runtime/node.hpp"

namespace carillon {

std::string_view to_string(AdapterOptions::Kind kind) {
  switch (kind) {
    case AdapterOptions::Kind::pubsub:
      return "pubsub";
    case AdapterOptions::Kind::sharded:
      return "sharded";
    case AdapterOptions::Kind::streams:
      return "streams";
  }
  return "";
}

std::string_view to_string(ShardedMode mode) {
  switch (mode) {
    case ShardedMode::static_:
      return "static";
    case ShardedMode::dynamic:
      return "dynamic";
    case ShardedMode::dynamic_private:
      return "dynamic-private";
  }
  return "";
}

AdapterOptions redis_adapter(std::string_view redis_url) {
  AdapterOptions options;
  options.redis_url = redis_url;
  return options;
}

AdapterOptions redis_sharded_adapter(std::string_view redis_url, ShardedMode mode) {
  AdapterOptions options = redis_adapter(redis_url);
  options.kind = AdapterOptions::Kind::sharded;
  options.mode = mode;
  return options;
}

AdapterOptions redis_streams_adapter(std::string_view redis_url) {
  AdapterOptions options = redis_adapter(redis_url);
  options.kind = AdapterOptions::Kind::streams;
  return options;
}

Server::Server(ServerOptions options) : node_(std::make_unique<runtime::Node>(std::move(options))) {}
Server::~Server() = default;

void Server::adapter(AdapterOptions options) { node_->set_adapter(std::move(options)); }
Namespace& Server::of(std::string_view name) { return node_->of(name); }
Namespace& Server::of(std::regex pattern) {
  return of(NamespacePredicate(
      [pattern = std::move(pattern)](const std::string& name, const Value&, const NamespaceAllow& allow) {
        allow(std::regex_search(name, pattern));
      }));
}
Namespace& Server::of(NamespacePredicate predicate) { return node_->of(std::move(predicate)); }
void Server::on_new_namespace(std::function<void(Namespace&)> handler) { node_->on_new_namespace(std::move(handler)); }
BroadcastOperator Server::everyone_in(std::string_view name_space) const {
  return BroadcastOperator(*node_,
                           name_space.starts_with('/') ? std::string(name_space) : "/" + std::string(name_space));
}
const Namespace& Server::root() const { return node_->of("/"); }

void Server::start() { node_->start(); }
void Server::run(const std::function<void()>& listening) { node_->run(listening); }
void Server::stop() { node_->stop(); }
bool Server::reload_certificates() { return node_->reload_certificates(); }
std::string Server::address() const { return node_->client_address(); }
bool Server::ready() const { return node_->ready(); }

}  // namespace carillon
