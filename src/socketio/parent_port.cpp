#include "socketio/parent_port.hpp"

#include <memory>
#include <utility>

#include "socketio/operation.hpp"

namespace carillon::socketio {

// A packet names its namespace, so each child has its own.
void ParentPort::broadcast(BroadcastPtr message) {
  for (const std::string& child : registry_.children_of(parent_))
    node_.broadcast(make_broadcast(node_.packet_format(), child, message->rooms, message->except, message->flags,
                                   message->event, message->args));
}

namespace {

OperationPtr for_child(const Operation& operation, const std::string& child, const PacketFormat& format) {
  auto copy = std::make_shared<Operation>(operation);
  copy->selection.name_space = child;
  if (const BroadcastPtr& message = operation.message)
    copy->message = make_broadcast(format, child, message->rooms, message->except, message->flags, message->event,
                                   message->args, message->ack_id);
  return copy;
}

OperationPtr for_nobody(Operation::Kind kind) {
  auto operation = std::make_shared<Operation>();
  operation->kind = kind == Operation::Kind::emit_with_ack ? Operation::Kind::fetch : kind;
  operation->selection.name_space.clear();
  operation->selection.flags.local = true;
  return operation;
}

}  // namespace

void ParentPort::operate(OperationPtr operation, OperationDone done) {
  // The servers are the same for all namespaces.
  if (operation->kind == Operation::Kind::server_count)
    return node_.operate(for_child(*operation, "/", node_.packet_format()), std::move(done));
  const auto children = registry_.children_of(parent_);
  struct Sum {
    std::size_t open;
    OperationResult result;
    OperationDone done;
  };
  const auto sum = std::make_shared<Sum>(children.size() + 1, OperationResult{}, std::move(done));
  const auto add = [sum](const OperationResult& part) {
    add_to(sum->result, OperationResult(part));
    if (--sum->open == 0) sum->done(sum->result);
  };
  for (const std::string& child : children) node_.operate(for_child(*operation, child, node_.packet_format()), add);
  // Nobody is in this one, here or elsewhere: its part is there in order that there is at least one.
  node_.operate(for_nobody(operation->kind), add);
}

}  // namespace carillon::socketio
