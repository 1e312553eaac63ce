// carillon::Namespace: what the application registers and broadcasts to.
#include <algorithm>
#include <memory>

#include <carillon/namespace.hpp>

#include "socketio/broadcast.hpp"
#include "socketio/namespace_handlers.hpp"
#include "socketio/server_events.hpp"

namespace carillon {

Namespace::Namespace(socketio::BroadcastPort& port, std::shared_ptr<socketio::NamespaceHandlers> handlers,
                     std::string name)
    : port_(&port), handlers_(std::move(handlers)), name_(std::move(name)) {}

void Namespace::use(Middleware middleware) { handlers_->middlewares.push_back(std::move(middleware)); }

void Namespace::on_connection(ConnectionHandler handler) {
  handlers_->connection_handlers.push_back(std::move(handler));
}

// --- the servers of the cluster ---

namespace {

std::shared_ptr<socketio::Operation> make_operation(socketio::Operation::Kind kind, const std::string& name_space) {
  auto operation = std::make_shared<socketio::Operation>();
  operation->kind = kind;
  operation->selection.name_space = name_space;
  return operation;
}

std::shared_ptr<socketio::Operation> make_server_event(const std::string& name_space, std::string_view event,
                                                       const Args& args) {
  socketio::check_server_event(event, args);
  auto operation = make_operation(socketio::Operation::Kind::server_side_emit, name_space);
  operation->event = event;
  operation->args = args;
  return operation;
}

}  // namespace

void Namespace::server_side_emit(std::string_view event, const Args& args) const {
  port_->operate(make_server_event(name_, event, args), [](const socketio::OperationResult&) {});
}

void Namespace::server_side_emit_with_ack(std::string_view event, const Args& args,
                                          ServerAnswersHandler handler) const {
  auto operation = make_server_event(name_, event, args);
  operation->wants_answers = true;
  port_->operate(std::move(operation), [handler = std::move(handler)](const socketio::OperationResult& result) {
    if (handler) handler({result.answers, result.missing_servers});
  });
}

void Namespace::on_server_event(std::string_view event, ServerEventHandler handler) {
  handlers_->server_event_handlers.emplace_back(event, std::move(handler));
}

void Namespace::on_any_server_event(AnyServerEventHandler handler) {
  handlers_->any_server_event_handlers.push_back(std::move(handler));
}

void Namespace::all_rooms(RoomsHandler handler) const {
  port_->operate(make_operation(socketio::Operation::Kind::all_rooms, name_),
                 [handler = std::move(handler)](const socketio::OperationResult& result) {
                   FoundRooms found{result.rooms, result.missing_servers};
                   std::sort(found.rooms.begin(), found.rooms.end());
                   found.rooms.erase(std::unique(found.rooms.begin(), found.rooms.end()), found.rooms.end());
                   handler(found);
                 });
}

void Namespace::server_count(ServerCountHandler handler) const {
  port_->operate(make_operation(socketio::Operation::Kind::server_count, name_),
                 [handler = std::move(handler)](const socketio::OperationResult& result) { handler(result.count); });
}

}  // namespace carillon
