// What the tests of all adapters stand on: a link that writes down what it is asked, and a node.
#pragma once

#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "cluster/node_port.hpp"
#include "redis/link.hpp"

namespace carillon::cluster::testing {

class FakeLink final : public redis::Link {
 public:
  bool is_ready = true;
  bool holds = false;
  std::size_t nodes = 0;
  std::vector<std::string> log;  // "+channel", "-channel"; "+p:", "+s:" for patterns and sharded channels
  std::vector<std::pair<std::string, std::string>> published;  // sharded ones too
  std::vector<redis::ChannelKind> published_kinds;
  std::vector<std::pair<std::string, redis::StreamFields>> appended;
  std::vector<std::move_only_function<void(std::optional<std::string_view>)>> append_done;
  std::vector<std::string> followed;
  std::vector<std::vector<std::string>> commands;
  std::vector<redis::CommandDone> command_done;
  std::optional<std::size_t> subscribers = 1;
  std::vector<std::string> counted;  // channels
  bool answers_counts = true;        // otherwise they wait in count_done
  std::vector<std::move_only_function<void(std::optional<std::size_t>)>> count_done;

  bool ready() const override { return is_ready; }
  void publish(std::string channel, std::string payload, redis::ChannelKind kind) override {
    published.emplace_back(std::move(channel), std::move(payload));
    published_kinds.push_back(kind);
  }
  void append(std::string stream, redis::StreamFields fields, std::size_t /*length_max*/,
              std::move_only_function<void(std::optional<std::string_view>)> done) override {
    appended.emplace_back(std::move(stream), std::move(fields));
    append_done.push_back(std::move(done));
  }
  void hold_messages(bool hold) override { holds = hold; }
  void set_nodes(std::size_t count) override { nodes = count; }
  void subscribe(std::string_view channel, redis::ChannelKind kind) override {
    log.push_back("+" + prefix(kind) + std::string(channel));
  }
  void unsubscribe(std::string_view channel, redis::ChannelKind kind) override {
    log.push_back("-" + prefix(kind) + std::string(channel));
  }
  void follow(std::string stream) override { followed.push_back(std::move(stream)); }
  void command(std::vector<std::string> words, std::string_view /*key*/, redis::CommandDone done) override {
    commands.push_back(std::move(words));
    command_done.push_back(std::move(done));
  }
  void count_subscribers(std::string_view channel, redis::ChannelKind /*kind*/,
                         std::move_only_function<void(std::optional<std::size_t>)> done) override {
    counted.emplace_back(channel);
    if (answers_counts) return done(subscribers);
    count_done.push_back(std::move(done));
  }

 private:
  static std::string prefix(redis::ChannelKind kind) {
    switch (kind) {
      case redis::ChannelKind::plain:
        return "";
      case redis::ChannelKind::pattern:
        return "p:";
      case redis::ChannelKind::sharded:
        return "s:";
    }
    return "";
  }
};

class FakeNode final : public NodePort, private socketio::BroadcastPort {
 public:
  std::vector<std::pair<std::string, std::uint64_t>> delivered;  // text of the packet, mask
  std::vector<socketio::BroadcastPtr> messages;
  std::vector<socketio::OperationPtr> performed;  // the answer is `result`
  socketio::OperationResult result;
  std::vector<socketio::Operation> with_acks;
  std::vector<AckCalls> ack_calls;
  bool takes_acks = true;
  struct ServerEvent {
    std::string name_space;
    std::string event;
    std::string args;
    ServerAnswer answer;
  };
  std::vector<ServerEvent> events;
  int gaps = 0;
  std::vector<std::string> released;  // text of the packets
  std::vector<socketio::StreamOffset> entries;
  std::vector<std::pair<std::size_t, socketio::StreamOffset>> positions;
  socketio::PacketFormat format{};

  void deliver(socketio::BroadcastPtr message, std::uint64_t shard_mask) override {
    delivered.emplace_back(message->frames->payload(message->frames->parts()[0]), shard_mask);
    messages.push_back(std::move(message));
  }
  void release(socketio::BroadcastPtr /*message*/, engineio::FramesPtr frames,
               const socketio::StreamOffset& entry) override {
    released.push_back(std::string(frames->payload(frames->parts()[0])));
    entries.push_back(entry);
  }
  void on_stream_position(std::size_t stream, const socketio::StreamOffset& position) override {
    positions.emplace_back(stream, position);
  }
  void on_gap() override { ++gaps; }
  socketio::PacketFormat packet_format() const override { return format; }
  socketio::BroadcastPort& broadcasts() override { return *this; }
  void perform(socketio::OperationPtr operation, socketio::OperationDone done) override {
    performed.push_back(std::move(operation));
    done(result);
  }
  bool perform_with_acks(const socketio::Operation& operation, AckCalls calls) override {
    if (!takes_acks) return false;
    with_acks.push_back(operation);
    ack_calls.push_back(std::move(calls));
    return true;
  }
  void on_server_event(std::string_view name_space, std::string event, Args args, ServerAnswer answer) override {
    events.push_back({std::string(name_space), std::move(event), std::string(args.text()), std::move(answer)});
  }
  // A socket of this node.
  RemoteSocket socket(std::string id, std::vector<std::string> rooms = {}, Value data = Object{}) {
    auto request = std::make_shared<HandshakeRequest>();
    request->address = "127.0.0.1";
    request->url = "/socket.io/?EIO=4&transport=polling";
    request->headers = {{"Host", "localhost"}, {"Cookie", "secret"}};
    request->issued_unix_ms = 1'700'000'000'000;
    rooms.insert(rooms.begin(), id);
    return {*this,
            "/",
            {std::move(id), Handshake(Object{{"token", "t"}}, std::move(request)), std::move(rooms), std::move(data)}};
  }

 private:
  void broadcast(socketio::BroadcastPtr) override {}
  void operate(socketio::OperationPtr, socketio::OperationDone) override {}
};

class SeededRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_{7};
};

}  // namespace carillon::cluster::testing
