// A client's connection: drives the HTTP parser, then the WebSocket decoder, and writes what is queued.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/timer_wheel.hpp"
#include "engineio/peer.hpp"
#include "http/request_parser.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "runtime/handover.hpp"
#include "runtime/output_queue.hpp"
#include "runtime/refusal.hpp"
#include "runtime/service.hpp"
#include "websocket/decoder.hpp"
#include "websocket/handshake.hpp"

namespace carillon::runtime {

class Shard;

// Owned by one shard. When its request belongs to a session of another shard it is moved there with its unread bytes:
// this object ends and another takes over the socket.
class Connection final : public engineio::Peer, public io::Watcher, public Timer {
 public:
  // Takes all of `handover` but what start() wants.
  Connection(Shard& shard, Service& service, Handover& handover);
  ~Connection() override;

  // Watches the socket. `unread`: bytes that another shard has read already; `unsent`: answers it could not write.
  void start(std::string unread, std::string unsent);

  // Writes what is queued; called by the shard at the end of the turn in which something was queued.
  void flush();

  // The shard stops: ends if nothing is on its way, otherwise after the next answer.
  void on_stop();

  void on_io(bool readable, bool writable) override;
  void on_deadline(TimePoint now) override;

  // engineio::Peer
  void respond(http::Response response) override;
  bool accept_websocket(std::vector<http::Header> headers) override;
  std::size_t send(const engineio::FramesPtr& frames) override;
  std::size_t backlog_bytes() const override { return blocked_ ? queue_.held_bytes() : 0; }
  void close_websocket(std::uint16_t code, std::string_view reason) override;
  void cut() override;

 private:
  friend class Shard;
  enum class State : std::uint8_t {
    arriving,         // before the first request: connection_arrival.cpp
    reading_request,  // waiting for a request, or in the middle of one
    answering,        // the handler has the request
    websocket,
    closing,  // nothing is read for anybody any more; ends when all is written and the peer has closed
    ended,
  };
  // What is needed while the connection speaks HTTP.
  struct HttpState {
    explicit HttpState(const http::ParserLimits& limits) : parser(limits) {}
    http::RequestParser parser;
    std::string head;    // raw bytes of the incomplete head, for a move
    std::string unread;  // came in behind a request that is being answered; read on by flush()
    TokenBucket requests;
    bool keep_alive = true;
    bool is_head = false;  // the answer has no body
    bool body_wanted = false;
    bool head_seen = false;
    bool continued = false;  // 100-continue has been sent
  };

  // What is needed until the connection has passed its listener's entrance.
  struct Arrival {
    Entrance entrance;     // still to come
    std::string received;  // of the proxy's header, as far as it has come
  };

  void begin_arrival();
  void on_arrival_readable();
  void read_proxy_header();
  void begin_tls(std::string_view received);
  void read_tls_handshake();
  void end_arrival(std::string_view unread);
  void fail_arrival(Refusal failure);
  bool count_address();

  void on_readable();
  void on_bytes(std::span<char> bytes);
  void read_requests(std::string_view bytes);
  bool take_request_bytes(std::string_view& bytes);
  bool on_head(std::string_view raw_request, std::string_view rest);
  void finish_request();
  void fail_request(http::ParseError error);
  void stall_request();
  void refuse_request(Refusal refusal);
  void note(Refusal refusal);
  void refuse_handshake(websocket::HandshakeError error);
  void read_early_frames();
  void read_frames(std::span<char> bytes);
  void on_websocket_event(const websocket::Event& event);
  void on_end_of_stream(bool clean);

  void queue(std::shared_ptr<const void> owner, std::string_view bytes);
  void queue(std::string bytes);
  bool write_queue();
  void count_queue();
  std::size_t received_bytes() const;
  void count_received();
  void set_blocked(bool blocked);
  void resume();
  void begin_closing();
  void end();
  void detach_handler(bool clean);

  Shard& shard_;
  Service& service_;
  io::Stream stream_;
  http::Origin origin_;
  std::unique_ptr<Arrival> arrival_;
  std::unique_ptr<HttpState> http_;
  std::unique_ptr<websocket::Decoder> decoder_;
  OutputQueue queue_;
  std::size_t queue_counted_bytes_ = 0;  // in the shard's statistics
  ClientLedger::Pass pass_;
  std::uint32_t place_ = 0;                   // in the shard's list
  std::uint32_t window_bytes_ = 0;            // of the agreement on permessage-deflate
  std::uint32_t received_counted_bytes_ = 0;  // in the shard's statistics
  std::uint32_t untaken_bytes_ = 0;           // by the client's system, when we had written our last words
  State state_ = State::reading_request;
  bool in_flush_list_ = false;
  bool blocked_ = false;  // the socket has refused bytes; waits to become writable
  bool broken_ = false;   // writing has failed: ended by flush()
  bool writes_shut_ = false;
  bool deflates_ = false;  // permessage-deflate was agreed on
};

}  // namespace carillon::runtime
