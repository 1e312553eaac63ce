// A socket: one client in one namespace. carillon::Socket is its public face.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <carillon/namespace.hpp>
#include <carillon/socket.hpp>

#include "base/time.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/session.hpp"
#include "socketio/broadcast.hpp"
#include "socketio/listeners.hpp"
#include "socketio/packet.hpp"
#include "socketio/recovery_attempt.hpp"
#include "socketio/recovery_state.hpp"
#include "socketio/rooms.hpp"
#include "socketio/session_port.hpp"
#include "socketio/socket_stream.hpp"
#include "socketio/socket_watcher.hpp"
#include "socketio/stats.hpp"

namespace carillon::socketio {

class BroadcastAnswers;
class CatchAll;
class Client;
class NamespaceCore;
class StreamShard;
struct HeldEvent;
struct IncomingPacket;
struct SocketExtras;

// Owned by one shard: by its Client, until it leaves the namespace or the session ends. Weak pointers may be held
// anywhere and locked on the shard only.
class SocketCore : public std::enable_shared_from_this<SocketCore> {
 public:
  enum class State : std::uint8_t {
    connecting,     // middleware, then waiting for the cluster
    connected,      // CONNECT has been sent
    disconnecting,  // still in its rooms, while the application is told
    disconnected,   // left, for whatever reason
  };

  SocketCore(Client& client, NamespaceCore& name_space, std::string id, Value auth);
  ~SocketCore();

  const std::string& id() const { return id_; }
  const Handshake& handshake() const { return handshake_; }
  NamespaceCore& name_space() const { return namespace_; }
  State state() const { return state_; }
  bool is_over() const { return state_ == State::disconnecting || state_ == State::disconnected; }
  Value& data() { return data_; }
  Socket& face() { return face_; }
  Memberships& memberships() { return memberships_; }
  const Memberships& memberships() const { return memberships_; }

  // --- connecting ---
  // Begins: with the middleware, or with the look for the session that the client says it had.
  void start();
  void run_middleware(std::size_t index);
  void resume(std::size_t index, std::optional<ConnectError> error);

  // --- packets from the client ---
  void on_event(const IncomingPacket& packet);
  void resume_event(std::shared_ptr<const HeldEvent> event, std::size_t index, std::optional<EventError> error);
  void tell_error(const EventError& error);
  void on_ack(IncomingPacket& packet);

  // --- to the client ---
  void send(const engineio::FramesPtr& frames) {
    if (stream_ && stream_->holds()) return hold_behind(frames, false);
    session_.send(frames);
  }
  // Whether it is on its way.
  bool send_volatile(const engineio::FramesPtr& frames) {
    if (!stream_ || !stream_->holds()) return session_.send_volatile(frames);
    hold_behind(frames, true);
    return true;
  }
  // A broadcast that is ready to go; the same.
  bool deliver(const Broadcast& message) {
    if (stream_) return deliver_entry(message);
    if (message.flags.is_volatile) return session_.send_volatile(message.frames);
    session_.send(message.frames);
    return true;
  }
  void emit(std::string_view event, const Args& args, const BroadcastFlags& flags);
  void emit_with_ack(std::string_view event, const Args& args, AckHandler handler, Milliseconds timeout);
  // As emit(), for what somebody else sends again where it was lost: recovery does not keep it.
  void emit_unkept(std::string_view event, const Args& args);
  void ping() { session_.ping(); }

  // --- the application's calls ---
  bool join(std::string_view room, std::function<void()> done);
  void leave(std::string_view room);
  std::vector<std::string> rooms() const;
  Listeners& listeners() { return listeners_; }
  SocketExtras& extras();
  void on_disconnect(std::function<void(DisconnectReason)> handler);
  void disconnect(bool close);

  // --- catch-all handlers of what is sent ---
  bool watches_outgoing() const;
  void tell_outgoing(std::string_view event, const Args& args);
  void change_outgoing(const std::function<void(CatchAll&)>& change);

  // --- the transport ---
  std::string_view transport() const;
  void on_upgraded();

  // --- acknowledgements of broadcasts: BroadcastAnswers ---
  void await_answer(std::shared_ptr<BroadcastAnswers> answers, std::size_t place);
  void forget_answer(const BroadcastAnswers& answers);
  // --- recovery; see recovery.hpp ---
  const std::string& identity() const { return identity_; }
  bool recovered() const { return recovered_ || attempt_ != nullptr; }
  void set_identity(std::string identity) { identity_ = std::move(identity); }
  void on_ping_sent();
  void on_pong();
  void note_joined(std::string_view room);
  void note_left(std::string_view room);

  // --- recovery by the stream; see stream_shard.hpp ---
  void hold(const Broadcast& message);
  void place(const Broadcast& message, const engineio::FramesPtr& frames, const StreamOffset& entry);
  void write_session(SessionPort::Life life);
  SocketStream* stream() { return stream_.get(); }
  bool is_catching_up() const { return stream_ && stream_->is_catching_up; }

  // Leaves the rooms and the namespace and tells the application. No packet is sent. The caller drops its pointer.
  void end(DisconnectReason reason);

 private:
  friend class NamespaceCore;
  friend class Client;
  struct PendingAck;
  // An answer to a broadcast that the client still owes.
  struct AwaitedAnswer {
    std::shared_ptr<BroadcastAnswers> answers;
    std::size_t place;
  };

  Stats& stats() const;
  void on_found(std::optional<RecoveryStore::Facts> facts);
  void take_session();
  void on_session(std::optional<StoredSession> session);
  std::optional<std::vector<engineio::FramesPtr>> missed_events();
  bool replay();
  void start_afresh();
  void open_session();
  void give_way();
  void park(DisconnectReason reason);

  StreamShard* stream_shard() const;
  bool deliver_entry(const Broadcast& message);
  void hold_behind(engineio::FramesPtr frames, bool is_volatile, std::size_t offset_at = 0);
  void send_held();
  void send_all_held();
  bool send_packet(const HeldPackets::Packet& packet);
  void keep_arrival(engineio::FramesPtr frames, const StreamOffset& entry);
  void emit_by_stream(std::string_view event, const Args& args, const BroadcastFlags& flags);
  SessionRecord record() const;
  void write_session_soon();
  void open_stream_session(bool is_new);
  void close_stream_session(DisconnectReason reason);
  void start_by_stream();
  void take_stream_session();
  void catch_up();
  void ask_history();
  void forget_session();
  bool yield_session(std::string_view pid);
  void finish_catching_up(const History& history);

  void connect();
  void finish_connect();
  void tell_connected();
  void refuse(const ConnectError& error);
  void run_event_middleware(std::shared_ptr<const HeldEvent> event, std::size_t index);
  void dispatch(std::string_view event, const Args& args, std::optional<std::uint64_t> ack_id);
  engineio::FramesPtr encode_unkept(std::string_view event, const Args& args) const;
  void watch();
  void transmit(const engineio::FramesPtr& frames, const BroadcastFlags& flags);
  void tell_disconnecting(DisconnectReason reason);
  std::uint64_t take_ack_id();
  void give_up_oldest_ack();
  void settle_broadcast(std::uint64_t id, const Args& args);
  void settle_ack(std::uint64_t id, const AckResult& result);

  Client& client_;
  NamespaceCore& namespace_;
  engineio::Session& session_;
  std::string id_;
  Handshake handshake_;
  Socket face_{*this};
  Memberships memberships_;
  Value data_ = Object{};  // the application's
  Listeners listeners_;
  std::vector<std::function<void(DisconnectReason)>> disconnect_handlers_;
  std::unique_ptr<SocketExtras> extras_;  // null: none of that is used
  std::unordered_map<std::uint64_t, std::unique_ptr<PendingAck>> pending_acks_;
  std::vector<AwaitedAnswer> awaited_answers_;
  std::uint64_t next_ack_id_ = 0;
  std::uint64_t oldest_ack_id_ = 0;           // none that is older is pending
  std::string identity_;                      // whose socket it is, if the application says so
  std::unique_ptr<RecoveryAttempt> attempt_;  // while it connects
  std::unique_ptr<RecoveryState> recovery_;   // while it is connected
  std::unique_ptr<SocketStream> stream_;      // null: clients are not recovered by the stream
  std::unique_ptr<SocketWatcher> watcher_;    // while it is connected
  std::uint64_t mark_ = 0;                    // the last broadcast that has seen this socket: nobody gets one twice
  std::uint32_t place_ = 0;                   // in the namespace's list
  State state_ = State::connecting;
  bool recovered_ = false;
  bool gives_way_ = false;  // to the client's next connection
};

}  // namespace carillon::socketio
