#include "engineio/session.hpp"

#include <algorithm>

#include "engineio/engine.hpp"
#include "websocket/frame.hpp"

namespace carillon::engineio {
namespace {

const FramesPtr& ping_frames() {
  static const FramesPtr frames = make_text_frames("2");
  return frames;
}
const FramesPtr& probe_answer_frames() {
  static const FramesPtr frames = make_text_frames("3probe");
  return frames;
}

http::Response payload_response(std::string payload) {
  return {200, {{"Content-Type", "text/plain; charset=UTF-8"}, {"cache-control", "no-store"}}, std::move(payload)};
}

// What the consequence of a malformed packet is: one answer for all kinds, so that none is forgotten.
CloseReason consequence(PacketError error) {
  switch (error) {
    case PacketError::empty:
    case PacketError::unknown_type:
    case PacketError::bad_base64:
      return CloseReason::parse_error;
  }
  return CloseReason::parse_error;
}

}  // namespace

Session::Session(Engine& engine, std::string id, TransportName transport,
                 std::shared_ptr<const HandshakeRequest> request)
    : engine_(engine), id_(std::move(id)), request_(std::move(request)), transport_(transport) {
  heartbeat_at_ = engine_.now_ + engine_.options_.ping_interval;
  arm();
}

Session::~Session() {
  for (Peer** place : {&poll_, &post_, &websocket_, &probe_}) detach(*place);
}

void Session::attach(Peer*& place, Peer& peer, Peer::Role role) {
  place = &peer;
  peer.session_ = this;
  peer.role_ = role;
}

Peer* Session::detach(Peer*& place) {
  if (place == nullptr) return nullptr;
  place->session_ = nullptr;
  place->role_ = Peer::Role::none;
  return std::exchange(place, nullptr);
}

std::string_view Session::origin() const { return http::find_header(request_->headers, "origin").value_or(""); }

// --- sending ---

void Session::send(const FramesPtr& frames) {
  if (state_ != State::open || condemned_) return;
  engine_.stats_.messages_sent.add(frames->parts().size());
  std::size_t waiting = 0;
  if (websocket_ != nullptr) {
    waiting = websocket_->send(frames);
  } else {
    outbox_.push_back(frames);
    waiting = outbox_bytes_ += frames->bytes();
    if (poll_ != nullptr) engine_.want_flush(*this);
  }
  // One message alone may be larger than the limit: it is not the client's fault.
  if (waiting > engine_.options_.send_queue_bytes_max && waiting > frames->bytes()) engine_.condemn(*this);
}

bool Session::send_volatile(const FramesPtr& frames) {
  if (state_ != State::open || condemned_) return false;
  const bool writable = websocket_ != nullptr ? websocket_->backlog_bytes() == 0 : poll_ != nullptr;
  if (!writable) {
    engine_.stats_.volatile_dropped.add();
    return false;
  }
  send(frames);
  return true;
}

std::string Session::take_outbox() {
  std::string payload;
  payload.reserve(outbox_bytes_ + outbox_.size());
  for (const FramesPtr& frames : outbox_) append_to_payload(payload, *frames);
  outbox_ = {};  // an idle session holds no buffer
  outbox_bytes_ = 0;
  return payload;
}

void Session::answer_poll(std::string payload) {
  if (Peer* peer = detach(poll_)) engine_.respond(*peer, payload_response(std::move(payload)), origin());
}

void Session::flush_poll() {
  flush_wanted_ = false;
  if (poll_ == nullptr) return;
  if (!outbox_.empty()) {
    answer_poll(take_outbox());
  } else if (probed_) {
    answer_poll("6");
  }
}

// --- polling ---

// Answering may read the connection's next request at once, possibly for this session: its state comes first.
void Session::on_poll(Peer& peer) {
  if (state_ == State::closed) return engine_.refuse(peer, RequestError::unknown_sid, origin());
  if (state_ == State::draining) {
    std::string payload = outbox_.empty() ? "6" : take_outbox();
    payload += payload_separator;
    payload += '1';
    finish_draining();
    return engine_.respond(peer, payload_response(std::move(payload)), origin());
  }
  if (poll_ != nullptr) {
    end(CloseReason::transport_error);
    return engine_.refuse(peer, RequestError::bad_request, origin());
  }
  attach(poll_, peer, Peer::Role::poll);
  if (!outbox_.empty() || probed_) engine_.want_flush(*this);
}

bool Session::on_post_head(Peer& peer, bool binary_content) {
  if (post_ != nullptr || binary_content) {
    if (Peer* first = detach(post_)) first->cut();
    end(CloseReason::transport_error);
    engine_.refuse(peer, RequestError::bad_request, origin());
    return false;
  }
  attach(post_, peer, Peer::Role::post);
  return true;
}

void Session::on_post_body(Peer& peer, std::string_view body) {
  detach(post_);
  std::vector<std::string> binaries;
  const auto packets = decode_payload(body, binaries);
  if (!packets) {
    end(consequence(packets.error()));
    return engine_.refuse(peer, RequestError::bad_request, origin());
  }
  for (const Packet& packet : *packets) {
    if (state_ != State::open) break;
    on_packet(packet);
  }
  engine_.respond(peer, {200, {{"Content-Type", "text/html"}, {"cache-control", "no-store"}}, "ok"}, origin());
}

void Session::on_post_refused() { detach(post_); }

// --- WebSocket ---

void Session::on_websocket(Peer& peer) { attach(websocket_, peer, Peer::Role::websocket); }

void Session::on_probe(Peer& peer) {
  if (state_ != State::open || transport_ == TransportName::websocket || probe_ != nullptr) {
    peer.close_websocket(websocket::close_code::none);
    return;
  }
  attach(probe_, peer, Peer::Role::probe);
  upgrade_deadline_ = engine_.now_ + engine_.options_.upgrade_timeout;
  arm();
}

void Session::on_text(Peer& peer, std::string_view text) {
  if (&peer == probe_) return on_probe_text(text);
  const auto packet = decode_packet(text);
  if (!packet) return end(consequence(packet.error()));
  on_packet(*packet);
}

void Session::on_binary(Peer& peer, std::string_view bytes) {
  if (&peer == probe_) return abandon_probe();
  on_packet({PacketType::message, true, bytes});
}

void Session::on_probe_text(std::string_view text) {
  if (text == "2probe") {
    probe_->send(probe_answer_frames());
    probed_ = true;
    // The client goes on when its poll has come back, so it is sent away with whatever there is.
    if (poll_ != nullptr) engine_.want_flush(*this);
  } else if (text == "5") {
    finish_upgrade();
  } else {
    abandon_probe();
  }
}

void Session::finish_upgrade() {
  if (state_ == State::draining) {
    for (const FramesPtr& frames : std::exchange(outbox_, {})) probe_->send(frames);
    return finish_draining();
  }
  attach(websocket_, *std::exchange(probe_, nullptr), Peer::Role::websocket);
  transport_ = TransportName::websocket;
  probed_ = false;
  upgrade_deadline_ = never;
  arm();
  engine_.stats_.upgrades.add();
  for (const FramesPtr& frames : std::exchange(outbox_, {})) websocket_->send(frames);
  outbox_bytes_ = 0;
  answer_poll("1");
}

void Session::abandon_probe() {
  upgrade_deadline_ = never;
  probed_ = false;
  arm();
  if (Peer* peer = detach(probe_)) peer->close_websocket(websocket::close_code::none);
}

// --- packets, whatever they came by ---

void Session::on_packet(const Packet& packet) {
  switch (packet.type) {
    case PacketType::message:
      engine_.stats_.messages_received.add();
      return engine_.handler_.on_message(*this, packet.binary, packet.data);
    case PacketType::pong:
      return on_pong();
    case PacketType::ping:
      return end(CloseReason::transport_error);  // in version 4 the server sends the pings
    case PacketType::close:
      answer_poll("6");
      return end(CloseReason::transport_close);
    case PacketType::open:
    case PacketType::upgrade:
    case PacketType::noop:
      return;  // meaningless from a client; the reference ignores them
  }
}

void Session::on_pong() {
  if (std::exchange(awaiting_pong_, false)) engine_.handler_.on_pong(*this);
  heartbeat_at_ = engine_.now_ + engine_.options_.ping_interval;
  arm();
}

// --- time ---

void Session::arm() {
  if (state_ != State::open) return;  // while it drains, its timer is that of the end
  const TimePoint next = std::min(heartbeat_at_, upgrade_deadline_);
  if (next != deadline()) engine_.timers_.set(*this, next);
}

void Session::on_deadline(TimePoint now) {
  engine_.set_time(now);
  if (state_ != State::open) return finish_draining();  // nobody fetched the last payload
  if (now >= upgrade_deadline_) abandon_probe();
  if (now >= heartbeat_at_) {
    if (awaiting_pong_) return end(CloseReason::ping_timeout);
    awaiting_pong_ = true;
    // From when the ping was due, which the wheel sees late, by up to a tick; but a server that was busy for longer must
    // not take it out of the client's time.
    heartbeat_at_ = std::max(heartbeat_at_, now - TimerWheel::tick) + engine_.options_.ping_timeout;
    send(ping_frames());
    engine_.handler_.on_ping_sent(*this);
  }
  arm();
}

// --- the end ---

void Session::close(CloseReason reason) {
  if (state_ != State::open) return;
  if (transport_ == TransportName::polling && poll_ == nullptr) {
    // The next poll will be told, or the WebSocket of an upgrade that is under way: in the middle of one the client has
    // stopped to poll, and a probe that closes then would leave it waiting for its ping timeout. Until then the session
    // stays known, closed for everything else.
    detach(post_);
    state_ = State::draining;
    engine_.timers_.set(*this, engine_.now_ + engine_.options_.close_timeout);
    engine_.ended(*this, reason);
    return;
  }
  if (poll_ != nullptr && !outbox_.empty()) {
    std::string payload = take_outbox();
    payload += payload_separator;
    payload += '1';
    answer_poll(std::move(payload));
  }
  end(reason);
}

void Session::finish_draining() {
  state_ = State::closed;
  abandon_probe();
  engine_.bury(*this);
}

void Session::end(CloseReason reason) {
  if (state_ != State::open) return;
  state_ = State::closed;
  engine_.timers_.clear(*this);
  answer_poll("1");
  detach(post_);  // its body will be answered with "unknown sid"
  for (Peer** place : {&websocket_, &probe_}) {
    Peer* peer = detach(*place);
    if (peer == nullptr) continue;
    // A close frame would wait behind all that a slow client has not taken.
    if (reason == CloseReason::slow_consumer) {
      peer->cut();
    } else {
      peer->close_websocket(websocket::close_code::none);
    }
  }
  outbox_ = {};
  engine_.ended(*this, reason);
  engine_.bury(*this);
}

void Session::on_peer_closed(Peer& peer, bool clean) {
  if (&peer == probe_) {
    detach(probe_);
    return abandon_probe();
  }
  const bool was_websocket = &peer == websocket_;
  for (Peer** place : {&poll_, &post_, &websocket_})
    if (*place == &peer) detach(*place);
  end(was_websocket && clean ? CloseReason::transport_close : CloseReason::transport_error);
}

}  // namespace carillon::engineio
