// A connection after the upgrade to WebSocket.
#include <string>
#include <utility>

#include "runtime/connection.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t pong_backlog_bytes_max = 64 * 1024;

}  // namespace

bool Connection::accept_websocket(std::vector<http::Header> headers) {
  const http::Request& request = http_->parser.request();
  Deflation& deflation = shard_.deflation();
  const auto agreement = deflation.agree(request);
  if (agreement && *agreement) headers.emplace_back("Sec-WebSocket-Extensions", to_header(**agreement));
  const auto answer = websocket::accept(request, headers);
  if (!answer || !agreement) {
    refuse_handshake(answer ? websocket::HandshakeError::bad_extensions : answer.error());
    return false;
  }
  queue(*answer);
  state_ = State::websocket;
  if (http_->unread.empty()) http_.reset();  // otherwise flush() reads that first, as frames
  decoder_ = std::make_unique<websocket::Decoder>(websocket::Role::server, service_.limits.parser.body_bytes_max);
  if (*agreement) {
    deflates_ = true;
    window_bytes_ = static_cast<std::uint32_t>((*agreement)->window_bytes());
    decoder_->read_compressed(deflation.open(window_bytes_));
  }
  shard_.timers().clear(*this);
  return true;
}

void Connection::refuse_handshake(websocket::HandshakeError error) {
  note(Refusal::bad_websocket_request);
  http::Response response{400, {{"Content-Type", "text/plain"}}, "Bad WebSocket handshake\n", true};
  switch (error) {
    case websocket::HandshakeError::not_get:
    case websocket::HandshakeError::bad_key:
    case websocket::HandshakeError::bad_extensions:
      break;
    case websocket::HandshakeError::bad_version:
      response.status = 426;
      response.headers.emplace_back("Sec-WebSocket-Version", "13");
      break;
  }
  respond(std::move(response));
}

// Those that came while the application was asked whether to allow the connection.
void Connection::read_early_frames() {
  std::string early = std::move(http_->unread);
  http_.reset();
  read_frames(early);
}

void Connection::read_frames(std::span<char> bytes) {
  decoder_->feed(bytes);
  while (decoder_ && (state_ == State::websocket || state_ == State::closing)) {
    const auto event = decoder_->next();
    if (!event) break;
    on_websocket_event(*event);
  }
  if (!decoder_ || state_ != State::websocket) return;
  if (const std::uint32_t count = decoder_->take_bare_frames())
    service_.engine->on_frames(*this, count, shard_.loop().now());
}

void Connection::on_websocket_event(const websocket::Event& event) {
  using Kind = websocket::Event::Kind;
  if (state_ == State::closing) {  // only the answer to our close frame still matters
    if (event.kind == Kind::close || event.kind == Kind::error) end();
    return;
  }
  const TimePoint now = shard_.loop().now();
  switch (event.kind) {
    case Kind::text:
    case Kind::binary:
      return service_.engine->on_message(*this, event.kind == Kind::binary, event.payload, now);
    case Kind::pong:
      return;
    case Kind::ping: {
      if (backlog_bytes() > pong_backlog_bytes_max) return;  // it does not read; RFC 6455 asks for the last pong only
      std::string pong;
      websocket::append_frame(pong, websocket::Opcode::pong, event.payload);
      return queue(std::move(pong));
    }
    case Kind::close:
    case Kind::error: {
      const bool clean = event.kind == Kind::close;
      if (!clean) shard_.stats().websocket_violations.add();
      queue(websocket::close_frame(event.code));
      shard_.timers().set(*this, now + service_.limits.close_timeout);  // also to take what waits before it
      detach_handler(clean);
      decoder_.reset();  // whatever still comes is void
      return;
    }
  }
}

std::size_t Connection::send(const engineio::FramesPtr& frames) {
  if (state_ != State::websocket) return 0;
  if (deflates_) {
    Deflation& deflation = shard_.deflation();
    queue(frames, frames->deflated_wire(deflation.deflater(), deflation.threshold_bytes()));
  } else {
    queue(frames, frames->wire());
  }
  if (queue_.bytes() >= service_.limits.write_early_bytes && !blocked_) write_queue();
  return queue_.held_bytes();
}

void Connection::close_websocket(std::uint16_t code, std::string_view reason) {
  if (state_ != State::websocket) return;
  queue(websocket::close_frame(code, reason));
  state_ = State::closing;
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

}  // namespace carillon::runtime
