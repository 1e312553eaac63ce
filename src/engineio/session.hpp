// One Engine.IO session: a client, over whichever transport it uses at the moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <carillon/handshake.hpp>

#include "base/rate_limit.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/close_reason.hpp"
#include "engineio/frames.hpp"
#include "engineio/packet.hpp"
#include "engineio/peer.hpp"
#include "engineio/protocol.hpp"

namespace carillon::engineio {

class Engine;

// What the layer above keeps with a session.
class SessionAttachment {
 public:
  virtual ~SessionAttachment() = default;
};

enum class TransportName : std::uint8_t { polling, websocket };

// How a client has asked for its session, in the first request.
struct Wishes {
  const Protocol* protocol = &protocol_v4();
  bool base64 = false;               // binary as base64, on this transport
  std::optional<std::string> jsonp;  // answers as scripts: what they begin with
};

// Sans-I/O state machine, owned by one shard and its Engine. States: open until close() or the client's end; a closed
// polling session stays known until its last payload was fetched (close_timeout).
class Session final : public Timer {
 public:
  Session(Engine& engine, std::string id, TransportName transport, std::shared_ptr<const HandshakeRequest> request,
          const Wishes& wishes);
  ~Session() override;

  const std::string& id() const { return id_; }
  const Protocol& protocol() const { return protocol_; }
  TransportName transport() const { return transport_; }
  bool open() const { return state_ == State::open; }
  const std::shared_ptr<const HandshakeRequest>& request() const { return request_; }

  // Queues packets for the client. After the end of the session they are thrown away.
  void send(const FramesPtr& frames);
  // Sends only if the client can take it at once: nothing waits before it, and with polling a request is pending.
  // False: dropped, and counted.
  bool send_volatile(const FramesPtr& frames);

  // Sends a ping behind everything sent before, without waiting for the heartbeat; nothing happens while the client owes
  // an answer to one, and with clients that ping themselves.
  void ping();

  // Ends the session: what is queued still goes out, then the transport is closed. The handler hears of it before this
  // returns.
  void close(CloseReason reason);

  std::unique_ptr<SessionAttachment> attachment;

  void on_deadline(TimePoint now) override;

 private:
  friend class Engine;
  enum class State : std::uint8_t {
    open,
    draining,  // closed while no poll was pending: waits for the next one to say so
    closed,
  };

  // Transport input, from the engine.
  void on_poll(Peer& peer);
  bool on_post_head(Peer& peer, bool octets);
  void on_post_body(Peer& peer, std::string_view body);
  void on_post_refused();
  void on_probe(Peer& peer, bool base64);  // a WebSocket, already accepted, that wants to take over
  void on_websocket(Peer& peer);           // the WebSocket with which the session starts
  void on_text(Peer& peer, std::string_view text);
  void on_binary(Peer& peer, std::string_view bytes);
  void on_peer_closed(Peer& peer, bool clean);

  bool take_rate(std::size_t packets);
  void on_probe_text(std::string_view text);
  void on_packet(const Packet& packet);
  bool can_send_websocket() const { return websocket_ != nullptr && greeting_at_ == never; }
  void send_outbox();
  void finish_upgrade();
  void abandon_probe();

  void on_heartbeat(PacketType type);
  void expect_heartbeat();
  void send_ping(TimePoint due);
  void arm();
  const FramesPtr& for_websocket(const FramesPtr& frames) const;
  void answer_poll(std::span<const FramesPtr> packets);
  http::Response poll_response(std::span<const FramesPtr> packets) const;
  void flush_poll();
  std::vector<FramesPtr> take_outbox();
  void end(CloseReason reason);
  void finish_draining();
  void attach(Peer*& place, Peer& peer, Peer::Role role);
  static Peer* detach(Peer*& place);
  std::string_view origin() const;

  Engine& engine_;
  const Protocol& protocol_;
  std::string id_;
  std::shared_ptr<const HandshakeRequest> request_;
  TokenBucket packets_;   // that the client may send
  Peer* poll_ = nullptr;  // pending GET
  Peer* post_ = nullptr;  // POST whose body is still coming
  Peer* websocket_ = nullptr;
  Peer* probe_ = nullptr;          // WebSocket of an upgrade attempt
  std::vector<FramesPtr> outbox_;  // waits for a poll, for the upgrade to finish, or for the greeting
  std::size_t outbox_bytes_ = 0;
  std::unique_ptr<const std::string> jsonp_head_;  // of a session whose answers are scripts
  TimePoint heartbeat_at_ = never;                 // next ping to the client, or the latest time for what it owes us
  TimePoint upgrade_deadline_ = never;
  TimePoint greeting_at_ = never;  // the WebSocket's first message, where it has to wait
  TransportName transport_;
  State state_ = State::open;
  bool client_owes_;               // a pong, or where the client pings its next ping
  bool polling_base64_ = false;    // how the client wants binary by polling,
  bool websocket_base64_ = false;  // and by the WebSocket, or the probing one
  bool ponged_ = false;            // the client pings, and has been answered once
  bool post_octets_ = false;       // what the pending POST holds
  bool probed_ = false;            // the probe has been answered: polls are sent away
  bool answered_ = false;          // its client has had an answer over polling
  bool flush_wanted_ = false;      // is in the engine's list for flush()
  bool condemned_ = false;         // is in the engine's list of slow consumers
};

}  // namespace carillon::engineio
