// carillon::Namespace: what the application registers and broadcasts to.
#include <carillon/namespace.hpp>

#include "socketio/namespace_handlers.hpp"

namespace carillon {

Namespace::Namespace(socketio::BroadcastPort& port, std::shared_ptr<socketio::NamespaceHandlers> handlers,
                     std::string name)
    : port_(&port), handlers_(std::move(handlers)), name_(std::move(name)) {}

void Namespace::use(Middleware middleware) { handlers_->middlewares.push_back(std::move(middleware)); }

void Namespace::on_connection(ConnectionHandler handler) {
  handlers_->connection_handlers.push_back(std::move(handler));
}

}  // namespace carillon
