// Fakes for tests of the Socket.IO layer: the shard, the node and the cluster around a ServerCore, and clients that
// talk to it over WebSocket through a real Engine.IO core.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <carillon/namespace.hpp>

#include "engineio/testing.hpp"
#include "socketio/memory_recovery_store.hpp"
#include "socketio/operation.hpp"
#include "socketio/parent_port.hpp"
#include "socketio/server_core.hpp"
#include "socketio/shard_port.hpp"
#include "socketio/socket_core.hpp"

namespace carillon::socketio {

class FakeShard final : public ShardPort {
 public:
  void post(Task task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  bool is_current() const override { return this_thread() == home_; }
  void run() {
    for (;;) {
      std::vector<Task> tasks;
      {
        const std::lock_guard lock(mutex_);
        tasks = std::exchange(tasks_, {});
      }
      if (tasks.empty()) return;
      for (Task& task : tasks) task();
    }
  }

 private:
  // An address that is another one on each thread.
  static const void* this_thread() {
    static thread_local const char mark = 0;
    return &mark;
  }

  const void* home_ = this_thread();
  std::mutex mutex_;
  std::vector<Task> tasks_;
};

// A node of one shard.
class FakeNode final : public BroadcastPort {
 public:
  explicit FakeNode(FakeShard& shard) : shard_(shard) {}
  void broadcast(BroadcastPtr message) override {
    if (shard_.is_current()) {
      deliver(std::move(message));
    } else {
      shard_.post([this, message]() mutable { deliver(std::move(message)); });
    }
  }

  void operate(OperationPtr operation, OperationDone done) override {
    operate_on_shards(std::span(&core, 1), 0, std::move(operation), std::move(done));
  }
  PacketFormat packet_format() const override { return core->format(); }

  ServerCore* core = nullptr;
  Recovery* recovery = nullptr;
  const TimePoint* now = nullptr;
  std::vector<BroadcastPtr> broadcasts;

 private:
  void deliver(BroadcastPtr message) {
    if (message->awaits_entry) {
      core->stream_shard()->hold(message);
    } else if (recovery != nullptr) {
      recovery->log.append(message, ~std::uint64_t{0}, *now);
      core->deliver_log();
    } else {
      core->deliver(*message);
    }
    broadcasts.push_back(std::move(message));
  }
  FakeShard& shard_;
};

// Knows which rooms are open, and confirms at once or when it is told to.
class FakeCluster final : public ClusterPort {
 public:
  void publish(BroadcastPtr message) override { published.push_back(std::move(message)); }
  void open_namespace(std::string_view name_space) override {
    EXPECT_TRUE(namespaces.insert(std::string(name_space)).second) << name_space << " was open";
  }
  void close_namespace(std::string_view name_space) override {
    EXPECT_EQ(namespaces.erase(std::string(name_space)), 1U) << name_space << " was not open";
  }
  void open_room(std::string_view name_space, std::string_view room, Task done) override {
    EXPECT_TRUE(rooms.insert(key(name_space, room)).second) << room << " was open";
    wait(std::move(done));
  }
  void await_room(std::string_view name_space, std::string_view room, Task done) override {
    EXPECT_TRUE(rooms.contains(key(name_space, room))) << room << " was not open";
    wait(std::move(done));
  }
  void close_room(std::string_view name_space, std::string_view room) override {
    EXPECT_EQ(rooms.erase(key(name_space, room)), 1U) << room << " was not open";
  }
  void confirm() {
    for (Task& task : std::exchange(waiting, {})) task();
  }
  static std::string key(std::string_view name_space, std::string_view room) {
    return std::string(name_space) + "#" + std::string(room);
  }

  std::vector<BroadcastPtr> published;  // by sockets: those of the node are the node's
  std::set<std::string> namespaces;     // beside those that were there at the start
  std::set<std::string> rooms;          // "/#room"
  bool slow = false;                    // confirms when told to
  std::vector<Task> waiting;

 private:
  void wait(Task done) {
    if (!done) return;
    if (slow) {
      waiting.push_back(std::move(done));
    } else {
      done();
    }
  }
};

// Keeps records, and gives the history that it is told to. Answers by mail.
class FakeSessions final : public SessionPort {
 public:
  void write(SessionRecord record, Life life) override {
    log.push_back((life == Life::fresh ? "fresh " : life == Life::lost ? "lost " : "write ") + record.sid);
    records.insert_or_assign(record.pid, std::move(record));
  }
  void remove(std::string pid, std::string owner) override {
    log.push_back("remove " + records.at(pid).sid);
    EXPECT_EQ(records.at(pid).owner, owner);
    records.erase(pid);
  }
  void opened(std::string_view pid, std::string_view /*owner*/, ShardPort&, std::function<void()> give_way) override {
    connected.insert_or_assign(std::string(pid), std::move(give_way));
  }
  void closed(std::string_view pid, std::string_view /*owner*/) override { connected.erase(std::string(pid)); }
  void find(std::string pid, ShardPort& asker, std::function<void(std::optional<SessionRecord>)> done) override {
    std::optional<SessionRecord> record;
    if (const auto found = records.find(pid); found != records.end()) record = found->second;
    asker.post([done, record] { done(record); });
  }
  void take(SessionRecord found, SessionRecord successor, ShardPort& asker, std::function<void(bool)> done) override {
    const bool is_ours = !is_taken && records.contains(found.pid);
    if (is_ours) records.insert_or_assign(found.pid, std::move(successor));
    if (const auto socket = connected.find(found.pid); is_ours && socket != connected.end())
      std::exchange(socket->second, {})();
    asker.post([done, is_ours] { done(is_ours); });
  }
  void read_history(SessionRecord, StreamOffset from, ShardPort& asker,
                    std::function<void(std::optional<History>)> done) override {
    asked_from = from;
    if (is_slow) {
      answer = [this, done] { done(history); };
    } else {
      asker.post([this, done] { done(history); });
    }
  }

  std::map<std::string, SessionRecord> records;
  std::map<std::string, std::function<void()>> connected;
  std::vector<std::string> log;
  std::optional<History> history = History{};
  StreamOffset asked_from;
  bool is_taken = false;  // by somebody else, meanwhile
  bool is_slow = false;   // the history comes when `answer` is called
  std::function<void()> answer;
};

// A server on virtual time. Namespaces are made before the first client.
class Bench {
 public:
  ~Bench() {
    engine_.reset();  // sessions before the core that they report to
  }

  Namespace& of(const std::string& name) {
    for (const auto& face : faces_)
      if (face->name() == name) return *face;
    EXPECT_EQ(core_, nullptr) << "the server has started";
    return *faces_.emplace_back(std::make_unique<Namespace>(node, registry.add(name), name));
  }
  Namespace& parent(NamespacePredicate predicate) {
    const std::size_t index = registry.add_parent(std::move(predicate));
    const auto& added = registry.parents()[index];
    auto& port = parent_ports_.emplace_back(std::make_unique<ParentPort>(node, registry, index));
    return *parent_faces_.emplace_back(std::make_unique<Namespace>(*port, added.handlers, added.name));
  }
  Namespace& root() { return of("/"); }

  ServerCore& core() {
    start();
    return *core_;
  }
  engineio::EngineBench& engine() {
    start();
    return *engine_;
  }
  // Runs what was posted to the shard, and ends the turn.
  void turn() {
    shard.run();
    engine().turn();
  }
  void advance(Milliseconds by) { engine().advance(by); }

  // Nothing is left of any session or socket.
  void expect_empty() {
    for (const auto& face : faces_) EXPECT_TRUE(core().find_namespace(face->name())->is_empty()) << face->name();
    EXPECT_EQ(core().stats().sockets.value(), 0);
    EXPECT_EQ(core().stats().rooms.value(), 0);
    EXPECT_EQ(engine().engine.session_count(), 0U);
    EXPECT_EQ(engine().engine.stats().sessions.value(), 0);
    EXPECT_EQ(world.timers.size(), 0U);
    EXPECT_TRUE(cluster.rooms.empty());
    EXPECT_TRUE(cluster.namespaces.empty());
    EXPECT_EQ(registry.children().value(), 0);
  }

  engineio::World world;
  engineio::Options engine_options;
  Options options;
  FakeShard shard;
  FakeNode node{shard};
  FakeCluster cluster;
  NamespaceRegistry::Limits namespace_limits;
  NamespaceRegistry registry{node, namespace_limits};
  bool clustered = false;
  bool recovers = false;
  bool recovers_by_stream = false;
  FakeSessions sessions;
  RecoveryLog::Limits log_limits{Milliseconds(165'000), 1'000'000};
  MemoryRecoveryStore::Limits store_limits{Milliseconds(120'000), 100};
  RecoveryRules recovery_rules;
  std::size_t budget_bytes_max = 1'000'000;
  std::shared_ptr<RecoveryBudget> budget;

  MemoryRecoveryStore& store() { return *store_; }
  RecoveryLog& log() { return *log_; }

 private:
  void start() {
    if (core_) return;
    of("/");
    if (recovers) {
      log_ = std::make_unique<RecoveryLog>(log_limits, 1);
      store_ = std::make_unique<MemoryRecoveryStore>(store_limits);
      budget = std::make_shared<RecoveryBudget>(budget_bytes_max);
      recovery_.emplace(recovery_rules, *log_, *store_, budget);
      node.recovery = &*recovery_;
      node.now = &world.now;
    }
    if (recovers_by_stream)
      stream_recovery_.emplace(StreamRecovery{
          .rules = recovery_rules,
          .sessions = sessions,
          .renew_interval = Milliseconds(10'000),
          .stream_of = [](std::string_view name_space) -> std::size_t { return name_space == "/" ? 0 : 1; }});
    core_ = std::make_unique<ServerCore>(
        options, registry,
        ServerCore::Surroundings{shard, node, clustered || recovers_by_stream ? &cluster : nullptr, world.timers,
                                 world.random, recovery_ ? &*recovery_ : nullptr, 0,
                                 stream_recovery_ ? &*stream_recovery_ : nullptr});
    core_->set_time(world.now);
    node.core = core_.get();
    engine_ = std::make_unique<engineio::EngineBench>(world, *core_, engine_options);
    engine_->set_time = [this](TimePoint now) { core_->set_time(now); };
  }

  std::unique_ptr<RecoveryLog> log_;
  std::unique_ptr<MemoryRecoveryStore> store_;
  std::optional<Recovery> recovery_;
  std::optional<StreamRecovery> stream_recovery_;
  std::vector<std::unique_ptr<ParentPort>> parent_ports_;
  std::vector<std::unique_ptr<Namespace>> parent_faces_;
  std::vector<std::unique_ptr<Namespace>> faces_;
  std::unique_ptr<ServerCore> core_;
  std::unique_ptr<engineio::EngineBench> engine_;
};

// A client over WebSocket. Texts are Socket.IO packets, without Engine.IO's type digit.
class TestClient {
 public:
  explicit TestClient(Bench& bench) : TestClient(bench, bench.engine().open_websocket()) {}
  TestClient(Bench& bench, engineio::FakePeer& websocket) : bench_(bench), peer(websocket) {}

  void send(const std::string& packet) { bench_.engine().message(peer, "4" + packet); }
  void attach(const std::string& bytes) { bench_.engine().binary(peer, bytes); }
  void hang_up(bool clean = true) { bench_.engine().closed(peer, clean); }

  // What has come since the last call; attachments are marked "b:".
  std::vector<std::string> take() {
    std::vector<std::string> packets = peer.take();
    for (std::string& packet : packets)
      if (packet.starts_with('4')) packet.erase(0, 1);
    return packets;
  }
  // Joins a namespace ("/name"); gives the socket's id, and leaves what came after the CONNECT for take().
  std::string connect(const std::string& name_space = "/", const std::string& auth = "") {
    const std::string head = "0" + (name_space == "/" ? "" : name_space + ",");
    send(head + auth);
    const std::string mark = "4" + head + R"({"sid":")";
    EXPECT_FALSE(peer.messages.empty()) << "no answer to CONNECT";
    if (peer.messages.empty()) return "";
    const std::string answer = peer.messages.front();
    peer.messages.erase(peer.messages.begin());
    EXPECT_TRUE(answer.starts_with(mark)) << answer;
    return answer.size() < mark.size() + 20 ? "" : answer.substr(mark.size(), 20);
  }
  bool open() const { return peer.open(); }

 private:
  Bench& bench_;

 public:
  engineio::FakePeer& peer;
};

}  // namespace carillon::socketio
