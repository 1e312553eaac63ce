// A node: its shards, the Socket.IO server on each, and its place in the cluster. carillon::Server is its public face.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/server.hpp>

#include "admin/page_file.hpp"
#include "api/queries.hpp"
#include "cluster/node_port.hpp"
#include "engineio/options.hpp"
#include "http/exchange.hpp"
#include "io/signals.hpp"
#include "runtime/backplane.hpp"
#include "runtime/client_ledger.hpp"
#include "runtime/inbox.hpp"
#include "runtime/reception.hpp"
#include "runtime/shard.hpp"
#include "socketio/namespace_registry.hpp"
#include "socketio/parent_port.hpp"
#include "socketio/server_core.hpp"

namespace carillon::runtime {

// Configured by one thread; after start() the methods marked so may be called by any.
class Node final : public socketio::BroadcastPort, public cluster::NodePort, public api::ClusterPort {
 public:
  explicit Node(ServerOptions options);
  ~Node() override;

  // --- before start() ---
  Namespace& of(std::string_view name);
  Namespace& of(NamespacePredicate predicate);
  void on_new_namespace(std::function<void(Namespace&)> handler);
  void set_adapter(AdapterOptions options);
  // Notifications to users, that is to sockets of "/" with an identity. After set_adapter(), whose Redis they are kept in.
  Inbox& set_inbox(NotifierOptions options);
  // A second listener, for HTTP alone, on the first shard; `listen` as ServerOptions has it. `handler` must outlive the node's threads.
  void serve_api(std::string listen, http::Handler& handler, http::ParserLimits limits,
                 std::function<http::Response(int status)> error_response);

  // Socket.IO's scripts for browsers, for those that options.client_files_dir does not hold. They live as long as the
  // program.
  void carry_client_files(std::span<const admin::PageFile> files);

  // Listens. Throws std::system_error when an address cannot be bound, std::invalid_argument for a malformed one; then
  // nothing is left behind, and it may be tried again. A node starts once: std::logic_error after that.
  void start();
  // start(), listening(), wait for a signal or stop(), close; meanwhile SIGHUP reloads certificates. Returns at once if stop() was called before.
  void run(const std::function<void()>& listening);
  // Any thread but a shard's, also several at the same time: closes everything and joins the shards.
  void stop();

  // --- any thread, after start() ---
  void broadcast(socketio::BroadcastPtr message) override;
  void operate(socketio::OperationPtr operation, socketio::OperationDone done) override;
  void list_nodes(NodesDone done) override;
  // Of both ports.
  socketio::PacketFormat packet_format() const override {
    return {.parser = options_.parser, .offsets = options_.recovery.enabled, .stream_offsets = recovers_by_stream()};
  }
  bool ready() const { return !backplane_ || backplane_->ready(); }
  bool clustered() const { return backplane_ != nullptr; }
  std::string client_address() const { return reception_ ? reception_->client_address() : ""; }
  const Reception& reception() const { return *reception_; }
  bool reload_certificates() { return !reception_ || reception_->reload_certificates(); }  // as Server's
  const std::string& name() const { return name_; }
  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }
  const socketio::Stats& socketio_stats(unsigned shard) const;
  // For handlers that belong to no socket: what escapes them is counted with the first shard, on which this is called.
  void call_application(std::string_view what, std::string_view name, const std::function<void()>& call);
  // What is kept for clients to come back. Zero where they are not recovered.
  struct RecoveryFacts {
    std::size_t log_bytes = 0;         // broadcasts
    std::size_t sessions_bytes = 0;    // events to single clients
    std::size_t sessions_waiting = 0;  // without a connection
  };
  RecoveryFacts recovery_facts() const;
  const socketio::NamespaceRegistry& namespaces() const { return namespaces_; }
  const Backplane* backplane() const { return backplane_.get(); }
  const Inbox* inbox() const { return inbox_.get(); }  // null: there is none

 private:
  class Application;
  struct NodeRecovery;

  struct Api {
    std::string listen;
    http::Handler* handler;
    http::ParserLimits limits;
    std::function<http::Response(int)> error_response;
  };

  // cluster::NodePort. To the sockets of the shards in the mask, at once on the caller's own shard.
  void deliver(socketio::BroadcastPtr message, std::uint64_t shard_mask) override;
  void on_gap() override;
  void release(socketio::BroadcastPtr message, engineio::FramesPtr frames,
               const socketio::StreamOffset& entry) override;
  void on_stream_position(std::size_t stream, const socketio::StreamOffset& position) override;
  socketio::BroadcastPort& broadcasts() override { return *this; }
  void perform(socketio::OperationPtr operation, socketio::OperationDone done) override;
  bool perform_with_acks(const socketio::Operation& operation, AckCalls calls) override;
  void on_server_event(std::string_view name_space, std::string event, Args args, ServerAnswer answer) override;

  std::size_t current_shard() const;
  Value facts() const;  // of this node, for GET /v1/nodes of all; any thread
  void make_shards();
  void launch();
  void join_shards();
  void discard();
  void bind_api();
  static Application& application(Shard& shard);
  void make_recovery();
  bool recovers_by_stream() const {
    return options_.recovery.enabled && adapter_ && adapter_->kind == AdapterOptions::Kind::streams;
  }
  std::unique_ptr<Backplane> make_backplane(Shard& home);
  // Runs it with the server of each of the shards, at once on the caller's own.
  template <class Action>
  void on_shards(std::uint64_t shard_mask, const Action& action);
  void deliver_log();

  ServerOptions options_;
  engineio::Options engine_options_;
  socketio::Options socketio_options_;
  std::string name_;
  std::int64_t started_unix_ms_ = 0;
  ClientLedger ledger_;
  std::optional<AdapterOptions> adapter_;
  socketio::NamespaceRegistry::Limits namespace_limits_;
  socketio::NamespaceRegistry namespaces_{*this, namespace_limits_};
  std::vector<std::unique_ptr<socketio::ParentPort>> parent_ports_;
  std::vector<std::unique_ptr<Namespace>> faces_;
  std::span<const admin::PageFile> carried_files_;
  std::optional<Api> api_;
  Service api_service_;
  std::unique_ptr<NodeRecovery> recovery_;  // none: clients are not recovered, or by the stream
  std::optional<socketio::StreamRecovery> stream_recovery_;
  std::unique_ptr<Inbox> inbox_;          // none: no notifications
  std::unique_ptr<Reception> reception_;  // none before start()
  std::unique_ptr<Backplane> backplane_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<socketio::ServerCore*> cores_;  // of the shards
  std::mutex life_;                           // held by start() and stop()
  std::unique_ptr<io::ProcessSignals> signals_;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace carillon::runtime
