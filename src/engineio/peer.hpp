// A client's TCP connection as the Engine.IO layer sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engineio/frames.hpp"
#include "http/content_coding.hpp"
#include "http/exchange.hpp"

namespace carillon::engineio {

class Session;

// What a message that waits costs beside its bytes, which may be shared by many.
inline constexpr std::size_t queued_overhead_bytes = 32;

// Implemented by runtime/ and by tests. Owned by one shard; the engine keeps no pointer to it after on_closed().
class Peer : public http::Exchange {
 public:
  // Answers the pending request with 101 and `headers`; from then on the client's messages come to
  // Engine::on_message(). False: the request was no proper WebSocket handshake and has been answered with an error.
  virtual bool accept_websocket(std::vector<http::Header> headers) = 0;

  // WebSocket mode. Queues the frames behind what is waiting already; everything queued in one turn of the loop goes
  // out together at its end. Gives the bytes that now wait for the client, and queued_overhead_bytes for each message.
  virtual std::size_t send(const FramesPtr& frames) = 0;
  // Bytes that the client has not taken yet, apart from what was queued in this turn.
  virtual std::size_t backlog_bytes() const = 0;
  // Sends a close frame behind what is queued (close_code::none: an empty one, without the reason) and ends the connection
  // after the client's answer. No further calls follow.
  virtual void close_websocket(std::uint16_t code, std::string_view reason) = 0;

  // Ends the connection at once, without an answer.
  virtual void cut() = 0;

 private:
  friend class Session;
  friend class Engine;
  enum class Role : std::uint8_t { none, poll, post, websocket, probe };
  Session* session_ = nullptr;
  Role role_ = Role::none;
  http::Coding coding_ = http::Coding::identity;  // of the answer to the pending poll, should it be long enough
};

}  // namespace carillon::engineio
