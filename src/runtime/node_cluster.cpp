// The node as one of many: what it asks of the others, and what it does for them.
#include <memory>
#include <stdexcept>
#include <utility>

#include <carillon/version.hpp>

#include "runtime/node.hpp"
#include "socketio/application_call.hpp"
#include "socketio/operation.hpp"
#include "socketio/server_events.hpp"

namespace carillon::runtime {

namespace {

bool concerns_sockets(socketio::Operation::Kind kind) {
  return kind != socketio::Operation::Kind::server_side_emit && kind != socketio::Operation::Kind::server_count;
}

// The answer of this node's sockets and that of the other nodes, made one. Its state belongs to the shard that asked.
class WholeAnswer {
 public:
  WholeAnswer(socketio::ServerCore& home, int parts, socketio::OperationPtr operation, socketio::OperationDone done)
      : home_(home), open_(parts), operation_(std::move(operation)), done_(std::move(done)) {}

  void add(socketio::OperationResult part) {
    socketio::add_to(sum_, std::move(part));
    if (--open_ > 0) return;
    socketio::call_application(home_.stats(), "the outcome of an operation on", operation_->whom().name_space,
                               [this] { done_(sum_); });
  }

 private:
  socketio::ServerCore& home_;
  int open_;
  socketio::OperationPtr operation_;
  socketio::OperationDone done_;
  socketio::OperationResult sum_;
};

// Answers to another node's broadcast: from every shard to the backplane's.
class ForeignAcks final : public socketio::AckObserver, public std::enable_shared_from_this<ForeignAcks> {
 public:
  ForeignAcks(Shard& home, std::size_t shards, cluster::NodePort::AckCalls calls)
      : home_(home), open_(shards), calls_(std::move(calls)) {}

  void on_sent(std::size_t clients) override {
    home_.post([self = shared_from_this(), clients] {
      self->clients_ += clients;
      if (--self->open_ == 0) self->calls_.clients(self->clients_);
    });
  }
  void on_answer(const Args& args) override {
    home_.post([self = shared_from_this(), args] { self->calls_.answer(args); });
  }

 private:
  Shard& home_;
  // All below belongs to the backplane's shard.
  std::size_t open_;
  std::size_t clients_ = 0;
  cluster::NodePort::AckCalls calls_;
};

}  // namespace

// --- of this node ---

std::size_t Node::current_shard() const {
  for (const auto& shard : shards_)
    if (shard->is_current()) return shard->index();
  return 0;
}

void Node::operate(socketio::OperationPtr operation, socketio::OperationDone done) {
  if (shards_.empty()) throw std::logic_error("the server has not been started");
  const std::size_t home = current_shard();
  const bool is_shared = backplane_ && !operation->whom().flags.local;
  if (concerns_sockets(operation->kind) && !is_shared)
    return socketio::operate_on_shards(cores_, home, std::move(operation), std::move(done));

  const auto whole = std::make_shared<WholeAnswer>(*cores_[home], 2, operation, std::move(done));
  // By mail, so that nobody is called back before the call has returned.
  const auto add_later = [whole, shard = shards_[home].get()](const socketio::OperationResult& part) {
    shard->post([whole, part] { whole->add(part); });
  };
  if (is_shared) {
    backplane_->operate(operation, add_later);
  } else {
    socketio::OperationResult alone;
    alone.count = operation->kind == socketio::Operation::Kind::server_count ? 1 : 0;
    add_later(alone);
  }
  if (!concerns_sockets(operation->kind)) return add_later({});
  socketio::operate_on_shards(cores_, home, std::move(operation), add_later);
}

void Node::list_nodes(NodesDone done) {
  Shard* home = shards_[current_shard()].get();
  const auto answer_later = [home, done = std::move(done)](const cluster::Roster::Nodes& found) {
    home->post([done, found] { done(found.nodes, found.missing); });
  };
  if (!backplane_) return answer_later({{facts()}, 0});
  backplane_->list_nodes(answer_later);
}

Value Node::facts() const {
  std::int64_t sockets = 0;
  std::int64_t rooms = 0;
  std::int64_t sessions = 0;
  for (const auto& shard : shards_) {
    const socketio::Stats& stats = socketio_stats(shard->index());
    sockets += stats.sockets.value();
    rooms += stats.rooms.value();
    sessions += shard->engine().stats().sessions.value();
  }
  const bool has_mode = adapter_ && adapter_->kind == AdapterOptions::Kind::sharded;
  return Object{{"name", name_},
                {"version", version()},
                {"adapter", adapter_ ? to_string(adapter_->kind) : "none"},
                {"mode", has_mode ? Value(to_string(adapter_->mode)) : Value()},
                {"clients", sessions},
                {"sockets", sockets},
                {"rooms", rooms},
                {"started_unix_ms", started_unix_ms_},
                {"ready", ready()}};
}

// --- what other nodes ask for ---

void Node::perform(socketio::OperationPtr operation, socketio::OperationDone done) {
  socketio::operate_on_shards(cores_, current_shard(), std::move(operation), std::move(done));
}

bool Node::perform_with_acks(const socketio::Operation& operation, AckCalls calls) {
  auto message = socketio::make_foreign_broadcast(packet_format(), operation.selection, operation.event, operation.args,
                                                  socketio::next_broadcast_ack_id());
  if (!message) return false;
  auto own = std::make_shared<socketio::Operation>();
  own->kind = socketio::Operation::Kind::emit_with_ack;
  own->message = std::move(message);
  own->observer = std::make_shared<ForeignAcks>(*shards_[current_shard()], shards_.size(), std::move(calls));
  socketio::operate_on_shards(cores_, current_shard(), std::move(own), [](const socketio::OperationResult&) {});
  return true;
}

void Node::on_server_event(std::string_view name_space, std::string event, Args args, ServerAnswer answer) {
  const auto handlers = namespaces_.find(name_space);
  if (!handlers) return;
  socketio::ServerCore& core = *cores_[current_shard()];
  std::shared_ptr<socketio::ServerEventTarget> target;
  if (answer) {
    // Called on whatever thread the application answers on; the adapter is on this shard.
    auto shared = std::make_shared<ServerAnswer>(std::move(answer));
    target = std::make_shared<socketio::ServerEventTarget>([link = core.shard_link(), shared](Value value) {
      link->run([shared, value = std::move(value)]() mutable { (*shared)(std::move(value)); });
    });
  }
  socketio::call_server_event(*handlers, core.stats(), event, args, std::move(target));
}

}  // namespace carillon::runtime
