// The Engine.IO server of one shard: HTTP requests and WebSocket messages in, sessions out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "base/text_hash.hpp"
#include "base/time.hpp"
#include "base/timer_wheel.hpp"
#include "engineio/admissions.hpp"
#include "engineio/gate.hpp"
#include "engineio/handshake_hooks.hpp"
#include "engineio/options.hpp"
#include "engineio/peer.hpp"
#include "engineio/session.hpp"
#include "engineio/stats.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace carillon::engineio {

// The layer above. Called on the engine's shard; may send, and may close any session, during the call.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  virtual void on_open(Session& session) = 0;
  // `data` is valid during the call. Text has been checked to be UTF-8 over WebSocket only.
  virtual void on_message(Session& session, bool binary, std::string_view data) = 0;
  virtual void on_close(Session& session, CloseReason reason) = 0;
  // A ping is on its way, behind all that was sent before; and the client's answer to it: it has received all that. With
  // clients that ping themselves it is our answer that is on its way, and their next ping that shows its receipt.
  virtual void on_ping_sent(Session&) {}
  virtual void on_pong(Session&) {}
  // It goes on over WebSocket.
  virtual void on_upgraded(Session&) {}
};

// The errors of the reference server, with its numbers and words.
enum class RequestError {
  unknown_transport = 0,
  unknown_sid = 1,
  bad_method = 2,
  bad_request = 3,
  forbidden = 4,
  bad_version = 5
};

// Sans-I/O, owned by one shard. Time comes in with each call.
class Engine {
 public:
  struct Identity {
    std::string node_tag;  // node_tag_characters long
    unsigned shard = 0;
  };
  // The references must outlive the engine.
  Engine(const Options& options, Identity identity, SessionHandler& handler, TimerWheel& timers, Random& random);
  ~Engine();

  // Asked about handshakes and headers; outlives the engine. Before the first request.
  void set_hooks(HandshakeHooks* hooks) { hooks_ = hooks; }
  // The application's word on a handshake that hooks were asked about: `refusal` says why not; none: allowed.
  void on_admission(std::uint64_t ticket, const std::optional<std::string>& refusal, TimePoint now);
  // Before the first request. It outlives the engine.
  void set_gate(Gate& gate) { gate_ = &gate; }

  // --- from connections; http::Handler's rules with time ---
  bool on_request(Peer& peer, const http::Request& request, TimePoint now);
  void on_body(Peer& peer, std::string_view body, TimePoint now);
  // The body was too large and has been answered with 413: the session lives on.
  void on_body_refused(Peer& peer);
  void on_message(Peer& peer, bool binary, std::string_view data, TimePoint now);
  // `count` WebSocket frames have come that were no messages: they count against the client's rate.
  void on_frames(Peer& peer, std::uint32_t count, TimePoint now);
  // The connection is gone, or (WebSocket) the peer or the frame decoder has ended it. `clean`: by the client's own
  // will (a close frame, an end of stream), as opposed to a violation or an error.
  void on_closed(Peer& peer, bool clean, TimePoint now);

  // --- from the loop ---
  // At the end of each turn: answers polls with what has been queued, ends slow clients, drops ended sessions.
  void flush();
  // Something has come up since flush().
  bool has_work() const { return !to_flush_.empty() || !graveyard_.empty(); }
  // Some slow clients are left for the next turn, which should come at once. They are sent nothing any more.
  bool has_slow_clients() const { return !condemned_.empty(); }
  // A timer of one of the sessions is about to run.
  void set_time(TimePoint now) { now_ = now; }

  // The node holds more for its clients than it may. Ends the session that uses this WebSocket; the connection is cut.
  void overload(Peer& peer);
  // Ends the sessions with the longest queues for polls, one after the other, until `bytes` of them are gone; some of them
  // at a time, so that it is to be called again in the next turn where that was not enough.
  void overload_outboxes(std::size_t bytes);

  // Ends all sessions.
  void close_all(CloseReason reason);

  Session* find(std::string_view sid);
  std::size_t session_count() const { return sessions_.size(); }
  const Stats& stats() const { return stats_; }

 private:
  friend class Session;

  bool on_upgrade_request(Peer& peer, const http::Request& request, std::string_view transport, std::string_view sid);
  bool on_session_request(Session& session, Peer& peer, const http::Request& request);
  void begin_session(Peer& peer, const http::Request& request);
  using HandshakePtr = std::shared_ptr<const HandshakeRequest>;
  void deny(const Admissions::Waiting& waiting, std::string_view why);
  void open(Peer& peer, const http::Request& request, HandshakePtr handshake);
  void open_polling(Peer& peer, const http::Request& request, HandshakePtr handshake);
  void open_websocket(Peer& peer, const http::Request& request, HandshakePtr handshake);
  void set_coding(Peer& peer, const http::Request& request) const;
  // `message`: other words than the error's own.
  void refuse(Peer& peer, RequestError error, std::string_view origin, std::string_view message = {});
  void refuse_rate(Peer& peer, std::string_view origin);
  void refuse_upgrade(Peer& peer, std::string_view message);
  // `origin`: the Origin header of the client's requests, empty if there is none.
  void respond(Peer& peer, http::Response response, std::string_view origin) const;
  // An answer to a session's client: with what compression, cookie and hooks add to it.
  void answer(Session& session, Peer& peer, http::Response response, bool compressible);
  std::vector<http::Header> upgrade_headers(const http::Request& request, const HandshakeRequest& handshake,
                                            bool initial);
  bool accepts_version(const http::Request& request) const;
  Session& open_session(const http::Request& request, TransportName transport, HandshakePtr handshake);
  bool admits(Peer& peer, const http::Request& request);
  FramesPtr open_packet(const Session& session) const;
  void want_flush(Session& session);
  void condemn(Session& session);
  void ended(Session& session, CloseReason reason);
  void bury(Session& session);

  const Options& options_;
  Identity identity_;
  SessionHandler& handler_;
  Gate* gate_ = nullptr;  // null: everybody may come
  TimerWheel& timers_;
  Random& random_;
  Stats stats_;
  TimePoint now_{};
  HandshakeHooks* hooks_ = nullptr;
  Admissions admissions_;
  std::unordered_map<std::string_view, std::unique_ptr<Session>, TextHash> sessions_;  // keyed by the session's own id
  std::vector<Session*> to_flush_;
  std::vector<Session*> condemned_;  // too slow: ended by flush(), not in the middle of a broadcast; or null
  std::vector<std::unique_ptr<Session>> graveyard_;  // ended in this turn, possibly on the call stack
};

}  // namespace carillon::engineio
