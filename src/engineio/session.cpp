#include "engineio/session.hpp"

#include <algorithm>
#include <limits>

#include "engineio/engine.hpp"
#include "engineio/jsonp.hpp"
#include "websocket/frame.hpp"

namespace carillon::engineio {
namespace {

const FramesPtr& ping_frames() {
  static const FramesPtr frames = make_text_frames("2");
  return frames;
}
const FramesPtr& pong_frames() {
  static const FramesPtr frames = make_text_frames("3");
  return frames;
}
const FramesPtr& probe_answer_frames() {
  static const FramesPtr frames = make_text_frames("3probe");
  return frames;
}

const FramesPtr& close_frames() {
  static const FramesPtr frames = make_text_frames("1");
  return frames;
}
const FramesPtr& noop_frames() {
  static const FramesPtr frames = make_text_frames("6");
  return frames;
}

// One packet of a payload that may be compressed is enough, as the reference server has it.
bool any_compressible(std::span<const FramesPtr> packets) {
  return std::ranges::any_of(packets, [](const FramesPtr& frames) { return frames->compressible(); });
}

// What the consequence of a malformed packet is: one answer for all kinds, so that none is forgotten.
CloseReason consequence(PacketError error) {
  switch (error) {
    case PacketError::empty:
    case PacketError::unknown_type:
    case PacketError::bad_base64:
    case PacketError::bad_length:
    case PacketError::bad_utf8:
      return CloseReason::parse_error;
  }
  return CloseReason::parse_error;
}

}  // namespace

Session::Session(Engine& engine, std::string id, TransportName transport,
                 std::shared_ptr<const HandshakeRequest> request, const Wishes& wishes)
    : engine_(engine),
      protocol_(*wishes.protocol),
      id_(std::move(id)),
      request_(std::move(request)),
      transport_(transport),
      client_owes_(protocol_.client_pings()) {
  (transport == TransportName::polling ? polling_base64_ : websocket_base64_) = wishes.base64;
  if (wishes.jsonp) jsonp_head_ = std::make_unique<const std::string>(*wishes.jsonp);
  expect_heartbeat();
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
  std::size_t size = frames->bytes() + queued_overhead_bytes;
  std::size_t waiting = 0;
  if (can_send_websocket()) {
    const FramesPtr& form = for_websocket(frames);
    size = form->bytes() + queued_overhead_bytes;
    waiting = websocket_->send(form);
  } else {
    outbox_.push_back(frames);
    waiting = outbox_bytes_ += size;
    engine_.stats_.outbox_bytes.add(static_cast<std::int64_t>(size));
    if (poll_ != nullptr) engine_.want_flush(*this);
  }
  // One message alone may be larger than the limit: it is not the client's fault.
  if (waiting > engine_.options_.send_queue_bytes_max && waiting > size) engine_.condemn(*this);
}

const FramesPtr& Session::for_websocket(const FramesPtr& frames) const {
  return Frames::in_form(frames, protocol_.websocket_form(websocket_base64_));
}

bool Session::send_volatile(const FramesPtr& frames) {
  if (state_ != State::open || condemned_) return false;
  const bool writable = can_send_websocket() ? websocket_->backlog_bytes() == 0 : poll_ != nullptr;
  if (!writable) {
    engine_.stats_.volatile_dropped.add();
    return false;
  }
  send(frames);
  return true;
}

std::vector<FramesPtr> Session::take_outbox() {
  engine_.stats_.outbox_bytes.add(-static_cast<std::int64_t>(std::exchange(outbox_bytes_, 0)));
  return std::exchange(outbox_, {});  // an idle session holds no buffer
}

http::Response Session::poll_response(std::span<const FramesPtr> packets) const {
  Payload payload = protocol_.encode_payload(packets, polling_base64_ || jsonp_head_);
  if (jsonp_head_) payload.bytes = jsonp_answer(*jsonp_head_, payload.bytes);
  const std::string_view type = payload.binary ? "application/octet-stream" : "text/plain; charset=UTF-8";
  return {200, {{"Content-Type", std::string(type)}, {"cache-control", "no-store"}}, std::move(payload.bytes)};
}

void Session::answer_poll(std::span<const FramesPtr> packets) {
  if (Peer* peer = detach(poll_)) engine_.answer(*this, *peer, poll_response(packets), any_compressible(packets));
}

void Session::flush_poll() {
  flush_wanted_ = false;
  if (poll_ == nullptr) return;
  if (!outbox_.empty()) {
    answer_poll(take_outbox());
  } else if (probed_) {
    answer_poll({&noop_frames(), 1});
  }
}

// --- polling ---

// Answering may read the connection's next request at once, possibly for this session: its state comes first.
void Session::on_poll(Peer& peer) {
  if (state_ == State::closed) return engine_.refuse(peer, RequestError::unknown_sid, origin());
  if (state_ == State::draining) {
    // Not all at once: official clients hear of the end before they have handled the packets in front of it.
    const bool is_last = outbox_.empty();
    const auto packets = is_last ? std::vector{noop_frames(), close_frames()} : take_outbox();
    if (is_last) finish_draining();
    return engine_.answer(*this, peer, poll_response(packets), any_compressible(packets));
  }
  if (poll_ != nullptr) {
    end(CloseReason::transport_error);
    return engine_.refuse(peer, RequestError::bad_request, origin());
  }
  attach(poll_, peer, Peer::Role::poll);
  if (!outbox_.empty() || probed_) engine_.want_flush(*this);
}

bool Session::on_post_head(Peer& peer, bool octets) {
  if (post_ != nullptr || (octets && !protocol_.octet_posts())) {
    if (Peer* first = detach(post_)) first->cut();
    end(CloseReason::transport_error);
    engine_.refuse(peer, RequestError::bad_request, origin());
    return false;
  }
  attach(post_, peer, Peer::Role::post);
  post_octets_ = octets;
  return true;
}

void Session::on_post_body(Peer& peer, std::string_view body) {
  detach(post_);
  std::string form;
  if (jsonp_head_) {
    form = decode_jsonp_form(body).value_or("");
    body = form;
  }
  Binaries binaries;
  const auto packets = protocol_.decode_payload(body, post_octets_, binaries);
  if (!packets) {
    end(consequence(packets.error()));
    return engine_.refuse(peer, RequestError::bad_request, origin());
  }
  if (!take_rate(packets->size())) return engine_.refuse_rate(peer, origin());
  for (const Packet& packet : *packets) {
    if (state_ != State::open) break;
    on_packet(packet);
  }
  engine_.answer(*this, peer, {200, {{"Content-Type", "text/html"}, {"cache-control", "no-store"}}, "ok"}, false);
}

void Session::on_post_refused() { detach(post_); }

// --- WebSocket ---

void Session::on_websocket(Peer& peer) {
  attach(websocket_, peer, Peer::Role::websocket);
  if (!protocol_.greets_late()) return;
  greeting_at_ = engine_.now_ + TimerWheel::tick;
  arm();
}

void Session::send_outbox() {
  greeting_at_ = never;
  for (const FramesPtr& frames : take_outbox()) websocket_->send(for_websocket(frames));
}

void Session::on_probe(Peer& peer, bool base64) {
  if (state_ != State::open || transport_ == TransportName::websocket || probe_ != nullptr) {
    peer.close_websocket(websocket::close_code::none, {});
    return;
  }
  attach(probe_, peer, Peer::Role::probe);
  websocket_base64_ = base64;
  upgrade_deadline_ = engine_.now_ + engine_.options_.upgrade_timeout;
  arm();
}

void Session::on_text(Peer& peer, std::string_view text) {
  if (!take_rate(1)) return;
  if (&peer == probe_) return on_probe_text(text);
  Binaries binaries;
  const auto packet = protocol_.decode_text(text, binaries);
  if (!packet) return end(consequence(packet.error()));
  on_packet(*packet);
}

void Session::on_binary(Peer& peer, std::string_view bytes) {
  if (!take_rate(1)) return;
  if (&peer == probe_) return abandon_probe();
  const auto packet = protocol_.decode_binary(bytes);
  if (!packet) return end(consequence(packet.error()));
  on_packet(*packet);
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
    for (const FramesPtr& frames : take_outbox()) probe_->send(for_websocket(frames));
    return finish_draining();
  }
  attach(websocket_, *std::exchange(probe_, nullptr), Peer::Role::websocket);
  transport_ = TransportName::websocket;
  probed_ = false;
  upgrade_deadline_ = never;
  arm();
  engine_.stats_.upgrades.add();
  send_outbox();
  answer_poll({&close_frames(), 1});
  engine_.handler_.on_upgraded(*this);
}

void Session::abandon_probe() {
  upgrade_deadline_ = never;
  probed_ = false;
  arm();
  if (Peer* peer = detach(probe_)) peer->close_websocket(websocket::close_code::none, {});
}

// --- packets, whatever they came by ---

// False: the client sends more than it may, and the session has ended.
bool Session::take_rate(std::size_t packets) {
  const auto count =
      static_cast<std::uint32_t>(std::min<std::size_t>(packets, std::numeric_limits<std::uint32_t>::max()));
  if (packets_.take(engine_.options_.packets, engine_.now_, count)) return true;
  end(CloseReason::rate_limited);
  return false;
}

void Session::on_packet(const Packet& packet) {
  switch (packet.type) {
    case PacketType::message:
      engine_.stats_.messages_received.add();
      return engine_.handler_.on_message(*this, packet.binary, packet.data);
    case PacketType::ping:
    case PacketType::pong:
      return on_heartbeat(packet.type);
    case PacketType::close:
      answer_poll({&noop_frames(), 1});
      return end(CloseReason::transport_close);
    case PacketType::open:
    case PacketType::upgrade:
    case PacketType::noop:
      return;  // meaningless from a client; the reference ignores them
  }
}

void Session::ping() {
  if (state_ != State::open || client_owes_) return;
  send_ping(engine_.now_);
  arm();
}

void Session::send_ping(TimePoint due) {
  client_owes_ = true;
  heartbeat_at_ = due + engine_.options_.ping_timeout;
  send(ping_frames());
  engine_.handler_.on_ping_sent(*this);
}

// A client that pings sends its next one only when the answer to the last has come: this is what proves, then, that it has
// received what was sent before that answer.
void Session::on_heartbeat(PacketType type) {
  const bool client_pings = protocol_.client_pings();
  if (client_pings != (type == PacketType::ping)) return end(CloseReason::transport_error);  // not its part
  const bool answers = !client_pings && client_owes_;
  expect_heartbeat();
  if (answers || ponged_) engine_.handler_.on_pong(*this);
  if (!client_pings || state_ != State::open) return;
  send(pong_frames());
  ponged_ = true;
  engine_.handler_.on_ping_sent(*this);
}

// --- time ---

// From now on the interval runs: until our next ping, or until the client's, for which it has the timeout as well.
void Session::expect_heartbeat() {
  client_owes_ = protocol_.client_pings();
  heartbeat_at_ = engine_.now_ + engine_.options_.ping_interval;
  if (client_owes_) heartbeat_at_ += engine_.options_.ping_timeout;
  arm();
}

void Session::arm() {
  if (state_ != State::open) return;  // while it drains, its timer is that of the end
  const TimePoint next = std::min({heartbeat_at_, upgrade_deadline_, greeting_at_});
  if (next != deadline()) engine_.timers_.set(*this, next);
}

void Session::on_deadline(TimePoint now) {
  engine_.set_time(now);
  if (state_ != State::open) return finish_draining();  // nobody fetched the last payload
  if (now >= upgrade_deadline_) abandon_probe();
  if (now >= greeting_at_) send_outbox();
  if (now >= heartbeat_at_) {
    if (client_owes_) return end(CloseReason::ping_timeout);
    // From when the ping was due, which the wheel sees late, by up to a tick; but a server that was busy for longer must
    // not take it out of the client's time.
    send_ping(std::max(heartbeat_at_, now - TimerWheel::tick));
  }
  arm();
}

// --- the end ---

void Session::close(CloseReason reason) {
  if (state_ != State::open) return;
  if (transport_ == TransportName::polling && (poll_ == nullptr || !outbox_.empty())) {
    // The next poll will be told, or the WebSocket of an upgrade that is under way: in the middle of one the client has
    // stopped to poll, and a probe that closes then would leave it waiting for its ping timeout. Until then the session
    // stays known, closed for everything else.
    detach(post_);
    state_ = State::draining;
    engine_.timers_.set(*this, engine_.now_ + engine_.options_.close_timeout);
    if (poll_ != nullptr) answer_poll(take_outbox());
    engine_.ended(*this, reason);
    return;
  }
  if (greeting_at_ != never) send_outbox();
  end(reason);
}

void Session::finish_draining() {
  state_ = State::closed;
  take_outbox();
  abandon_probe();
  engine_.bury(*this);
}

void Session::end(CloseReason reason) {
  if (state_ != State::open) return;
  state_ = State::closed;
  engine_.timers_.clear(*this);
  answer_poll({&close_frames(), 1});
  detach(post_);  // its body will be answered with "unknown sid"
  for (Peer** place : {&websocket_, &probe_}) {
    Peer* peer = detach(*place);
    if (peer == nullptr) continue;
    if (const auto code = websocket_code(reason)) {
      peer->close_websocket(*code, to_string(reason));
    } else {
      peer->cut();
    }
  }
  take_outbox();
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
