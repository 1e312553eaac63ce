#include "engineio/engine.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <carillon/value.hpp>

#include "base/log.hpp"
#include "engineio/cookie.hpp"
#include "engineio/jsonp.hpp"
#include "engineio/session_id.hpp"

namespace carillon::engineio {
namespace {

// Slow clients that are ended between two looks at the others: thousands may come to their limit with the same broadcast,
// and the end of each takes some system calls.
constexpr std::size_t ends_per_flush = 64;

std::string_view message_of(RequestError error) {
  switch (error) {
    case RequestError::unknown_transport:
      return "Transport unknown";
    case RequestError::unknown_sid:
      return "Session ID unknown";
    case RequestError::bad_method:
      return "Bad handshake method";
    case RequestError::bad_request:
      return "Bad request";
    case RequestError::forbidden:
      return "Forbidden";
    case RequestError::bad_version:
      return "Unsupported protocol version";
  }
  return "Bad request";
}

// `root` ends with '/', which the path itself may leave out.
bool is_below(std::string_view path, std::string_view root) {
  return path.starts_with(root) || path == root.substr(0, root.size() - 1);
}

// Whatever is not 4 counts as 3, as with the reference.
const Protocol& protocol_of(const http::Request& request) {
  return request.parameter("EIO") == "4" ? protocol_v4() : protocol_v3();
}

bool wants_base64(const http::Request& request) { return !request.parameter("b64").value_or("").empty(); }

Wishes wishes_of(const http::Request& request) {
  Wishes wishes{&protocol_of(request), wants_base64(request), std::nullopt};
  // Not in version 4: its clients never ask, and a script is readable for any page, whatever CORS says.
  if (wishes.protocol->version() == 3)
    if (const auto index = request.parameter("j")) wishes.jsonp = jsonp_head(*index);
  return wishes;
}

std::string_view origin_of(const http::Request& request) { return request.header("origin").value_or(""); }

std::optional<http::Response> client_file(const Options& options, const http::Request& request) {
  const std::string_view path = request.path();
  if (!options.client_files || path.size() <= options.path.size()) return std::nullopt;
  return options.client_files->answer(path.substr(options.path.size()), request);
}

std::shared_ptr<const HandshakeRequest> handshake_of(const http::Request& request) {
  auto handshake = std::make_shared<HandshakeRequest>();
  handshake->address = request.address;
  handshake->url = request.target;
  handshake->headers = request.headers;
  handshake->issued_unix_ms = request.received_unix_ms;
  handshake->secure = request.secure;
  return handshake;
}

}  // namespace

Engine::Engine(const Options& options, Identity identity, SessionHandler& handler, TimerWheel& timers, Random& random)
    : options_(options),
      identity_(std::move(identity)),
      handler_(handler),
      timers_(timers),
      random_(random),
      admissions_(timers, [this](const Admissions::Waiting& waiting, TimePoint now) {
        now_ = now;
        stats_.handshakes_unanswered.add();
        deny(waiting, {});
      }) {}

Engine::~Engine() = default;

// --- requests ---

// The order of the checks is the reference server's: clients and tests tell errors apart by it.
bool Engine::on_request(Peer& peer, const http::Request& request, TimePoint now) {
  now_ = now;
  const std::string_view origin = origin_of(request);
  if (!is_below(request.path(), options_.path)) {
    respond(
        peer,
        {404, {{"Content-Type", "text/plain; charset=UTF-8"}}, "Not found: Socket.IO is at " + options_.path + "\n"},
        origin);
    return false;
  }
  if (request.method == "OPTIONS" && !options_.cors.origins.empty()) {
    peer.respond(preflight(options_.cors, request));
    return false;
  }
  if (auto file = client_file(options_, request)) {
    respond(peer, std::move(*file), origin);
    return false;
  }
  const std::string transport = request.parameter("transport").value_or("");
  const std::string sid = request.parameter("sid").value_or("");
  if (request.wants_websocket()) return on_upgrade_request(peer, request, transport, sid);

  const auto fail = [&](RequestError error) {
    refuse(peer, error, origin);
    return false;
  };
  if (transport != "polling" && transport != "websocket") return fail(RequestError::unknown_transport);
  if (!sid.empty()) {
    Session* session = find(sid);
    if (session == nullptr) return fail(RequestError::unknown_sid);
    const bool polling = session->transport() == TransportName::polling;
    if (polling != (transport == "polling")) return fail(RequestError::bad_request);
    if (&session->protocol() != &protocol_of(request)) return fail(RequestError::bad_request);
    return on_session_request(*session, peer, request);
  }
  if (request.method != "GET") return fail(RequestError::bad_method);
  if (transport == "websocket") return fail(RequestError::bad_request);
  if (admits(peer, request)) begin_session(peer, request);
  return false;
}

bool Engine::on_session_request(Session& session, Peer& peer, const http::Request& request) {
  if (request.method == "GET") {
    set_coding(peer, request);
    session.on_poll(peer);
    return false;
  }
  if (request.method == "POST") {
    if (!session.open()) {
      refuse(peer, RequestError::unknown_sid, origin_of(request));
      return false;
    }
    return session.on_post_head(peer,
                                request.header("content-type").value_or("").starts_with("application/octet-stream"));
  }
  respond(peer, {500, {}, ""}, origin_of(request));
  return false;
}

void Engine::on_body(Peer& peer, std::string_view body, TimePoint now) {
  now_ = now;
  if (peer.session_ == nullptr) return refuse(peer, RequestError::unknown_sid, "");
  peer.session_->on_post_body(peer, body);
}

void Engine::on_body_refused(Peer& peer) {
  if (peer.session_ != nullptr) peer.session_->on_post_refused();
}

// --- handshakes ---

// All that can be said without the application has been checked, but for the version: the reference server asks first.
void Engine::begin_session(Peer& peer, const http::Request& request) {
  auto handshake = handshake_of(request);
  if (hooks_ == nullptr || !hooks_->asks()) return open(peer, request, std::move(handshake));
  const auto ticket = admissions_.hold({&peer, request, handshake, now_ + options_.allow_request_timeout});
  stats_.handshakes_waiting.set(static_cast<std::int64_t>(admissions_.size()));
  hooks_->ask(ticket, handshake);
}

void Engine::on_admission(std::uint64_t ticket, const std::optional<std::string>& refusal, TimePoint now) {
  now_ = now;
  const auto waiting = admissions_.take(ticket);
  if (!waiting) return;  // it did not wait so long
  stats_.handshakes_waiting.set(static_cast<std::int64_t>(admissions_.size()));
  if (!refusal) return open(*waiting->peer, waiting->request, waiting->handshake);
  stats_.handshakes_denied.add();
  deny(*waiting, *refusal);
}

void Engine::deny(const Admissions::Waiting& waiting, std::string_view why) {
  stats_.handshakes_waiting.set(static_cast<std::int64_t>(admissions_.size()));
  if (why.empty()) why = message_of(RequestError::forbidden);
  if (waiting.request.wants_websocket()) return refuse_upgrade(*waiting.peer, why);
  refuse(*waiting.peer, RequestError::forbidden, origin_of(waiting.request), why);
}

void Engine::open(Peer& peer, const http::Request& request, HandshakePtr handshake) {
  const bool good_version = accepts_version(request);
  if (request.wants_websocket()) {
    if (!good_version) return refuse_upgrade(peer, message_of(RequestError::bad_version));
    open_websocket(peer, request, std::move(handshake));
  } else {
    if (!good_version) return refuse(peer, RequestError::bad_version, origin_of(request));
    open_polling(peer, request, std::move(handshake));
  }
}

void Engine::open_polling(Peer& peer, const http::Request& request, HandshakePtr handshake) {
  Session& session = open_session(request, TransportName::polling, std::move(handshake));
  set_coding(peer, request);
  session.on_poll(peer);
  session.send(open_packet(session));
  session.flush_poll();  // the open packet goes alone, as the protocol's clients expect
  handler_.on_open(session);
}

void Engine::open_websocket(Peer& peer, const http::Request& request, HandshakePtr handshake) {
  if (!peer.accept_websocket(upgrade_headers(request, *handshake, true))) return;
  Session& session = open_session(request, TransportName::websocket, std::move(handshake));
  session.on_websocket(peer);
  session.send(open_packet(session));
  handler_.on_open(session);
}

void Engine::set_coding(Peer& peer, const http::Request& request) const {
  if (!options_.http_compression.enabled) return;
  peer.coding_ = http::preferred_coding(request.header("accept-encoding").value_or(""));
}

// --- upgrades ---

// For a WebSocket request errors are plain text: there is no script to read JSON.
bool Engine::on_upgrade_request(Peer& peer, const http::Request& request, std::string_view transport,
                                std::string_view sid) {
  if (transport != "websocket") {
    const bool known = transport == "polling";
    refuse_upgrade(peer, message_of(known ? RequestError::bad_request : RequestError::unknown_transport));
    return false;
  }
  if (!sid.empty()) {
    Session* session = find(sid);
    if (session == nullptr) {
      refuse_upgrade(peer, message_of(RequestError::unknown_sid));
    } else if (&session->protocol() != &protocol_of(request)) {
      refuse_upgrade(peer, message_of(RequestError::bad_request));
    } else if (peer.accept_websocket(upgrade_headers(request, *session->request(), false))) {
      session->on_probe(peer, wants_base64(request));
    }
    return false;
  }
  if (request.method != "GET") {
    refuse_upgrade(peer, message_of(RequestError::bad_method));
    return false;
  }
  if (admits(peer, request)) begin_session(peer, request);
  return false;
}

// --- answers ---

void Engine::refuse(Peer& peer, RequestError error, std::string_view origin, std::string_view message) {
  stats_.requests_refused.add();
  if (message.empty()) message = message_of(error);
  const Object body{{"code", static_cast<int>(error)}, {"message", message}};
  const int status = error == RequestError::forbidden ? 403 : 400;
  respond(peer, {status, {{"Content-Type", "application/json"}}, to_json(body)}, origin);
}

void Engine::refuse_rate(Peer& peer, std::string_view origin) {
  stats_.requests_refused.add();
  const Object body{{"code", static_cast<int>(RequestError::bad_request)}, {"message", "Too many packets"}};
  respond(peer, {429, {{"Content-Type", "application/json"}}, to_json(body)}, origin);
}

void Engine::refuse_upgrade(Peer& peer, std::string_view message) {
  stats_.requests_refused.add();
  peer.respond({400, {{"Content-Type", "text/html"}}, std::string(message), true});
}

void Engine::respond(Peer& peer, http::Response response, std::string_view origin) const {
  add_cors(options_.cors, origin, response.headers);
  peer.respond(std::move(response));
}

void Engine::answer(Session& session, Peer& peer, http::Response response, bool compressible) {
  const http::CompressionSettings& compression = options_.http_compression;
  if (compressible && peer.coding_ != http::Coding::identity && response.body.size() >= compression.threshold_bytes) {
    response.body = http::encode(response.body, peer.coding_, compression.level);
    response.headers.emplace_back("Content-Encoding", to_string(peer.coding_));
    stats_.payloads_compressed.add();
  }
  const bool initial = !std::exchange(session.answered_, true);
  if (initial && options_.cookie)
    response.headers.emplace_back("Set-Cookie", set_cookie(*options_.cookie, session.id()));
  if (hooks_ != nullptr) hooks_->add_headers(response.headers, *session.request(), initial);
  respond(peer, std::move(response), session.origin());
}

std::vector<http::Header> Engine::upgrade_headers(const http::Request& request, const HandshakeRequest& handshake,
                                                  bool initial) {
  std::vector<http::Header> headers;
  add_cors(options_.cors, origin_of(request), headers);
  if (hooks_ != nullptr) hooks_->add_headers(headers, handshake, initial);
  return headers;
}

// --- sessions ---

bool Engine::accepts_version(const http::Request& request) const {
  return protocol_of(request).version() == 4 || options_.allow_eio3;
}

// Before anything is spent on the client. It is told in the way of its request.
bool Engine::admits(Peer& peer, const http::Request& request) {
  if (gate_ == nullptr) return true;
  const Gate::Answer answer = gate_->ask(request.address, now_);
  if (answer == Gate::Answer::come_in) return true;
  (answer == Gate::Answer::too_many_sessions ? stats_.too_many_sessions : stats_.too_many_handshakes).add();
  log_debug("handshake of " + request.address + " refused: too many from there");
  if (request.wants_websocket()) {
    peer.respond({429, {{"Content-Type", "text/html"}}, "Too many connections", true});
  } else {
    const Object body{{"code", static_cast<int>(RequestError::forbidden)}, {"message", "Too many connections"}};
    respond(peer, {429, {{"Content-Type", "application/json"}}, to_json(body)}, origin_of(request));
  }
  return false;
}

Session& Engine::open_session(const http::Request& request, TransportName transport, HandshakePtr handshake) {
  auto session = std::make_unique<Session>(*this, make_session_id(identity_.node_tag, identity_.shard, random_),
                                           transport, std::move(handshake), wishes_of(request));
  Session& opened = *session;
  sessions_.emplace(opened.id(), std::move(session));
  if (gate_ != nullptr) gate_->opened(opened.request()->address);
  stats_.sessions.add(1);
  (transport == TransportName::polling ? stats_.sessions_opened_polling : stats_.sessions_opened_websocket).add();
  return opened;
}

FramesPtr Engine::open_packet(const Session& session) const {
  Array upgrades;
  if (session.transport() == TransportName::polling) upgrades.emplace_back("websocket");
  const Object data{{"sid", session.id()},
                    {"upgrades", std::move(upgrades)},
                    {"pingInterval", options_.ping_interval.count()},
                    {"pingTimeout", options_.ping_timeout.count()},
                    {"maxPayload", options_.max_payload_bytes}};
  return make_text_frames("0" + to_json(data));
}

Session* Engine::find(std::string_view sid) {
  auto found = sessions_.find(sid);
  if (found == sessions_.end()) return nullptr;
  // The wheel is up to a tick late: who asks for a session whose time is over must not find it all the same.
  if (found->second->deadline() <= now_) {
    timers_.clear(*found->second);
    found->second->on_deadline(now_);
    found = sessions_.find(sid);
  }
  return found == sessions_.end() ? nullptr : found->second.get();
}

void Engine::on_message(Peer& peer, bool binary, std::string_view data, TimePoint now) {
  now_ = now;
  if (peer.session_ == nullptr) return;  // closing: what still comes in is void
  if (binary) {
    peer.session_->on_binary(peer, data);
  } else {
    peer.session_->on_text(peer, data);
  }
}

void Engine::on_frames(Peer& peer, std::uint32_t count, TimePoint now) {
  now_ = now;
  if (peer.session_ != nullptr) peer.session_->take_rate(count);
}

void Engine::on_closed(Peer& peer, bool clean, TimePoint now) {
  now_ = now;
  if (admissions_.size() > 0) {
    admissions_.forget(peer);
    stats_.handshakes_waiting.set(static_cast<std::int64_t>(admissions_.size()));
  }
  if (peer.session_ != nullptr) peer.session_->on_peer_closed(peer, clean);
}

// --- ends and turns ---

void Engine::ended(Session& session, CloseReason reason) {
  stats_.sessions.add(-1);
  stats_.sessions_closed[static_cast<std::size_t>(reason)].add();
  log_debug("session " + session.id() + " of " + session.request()->address +
            " closed: " + std::string(to_string(reason)));
  handler_.on_close(session, reason);
}

void Engine::want_flush(Session& session) {
  if (std::exchange(session.flush_wanted_, true)) return;
  to_flush_.push_back(&session);
}

void Engine::condemn(Session& session) {
  if (std::exchange(session.condemned_, true)) return;
  condemned_.push_back(&session);
}

void Engine::bury(Session& session) {
  const auto found = sessions_.find(session.id());
  if (found == sessions_.end()) return;
  if (gate_ != nullptr) gate_->closed(session.request()->address);
  if (session.condemned_) std::ranges::replace(condemned_, &session, static_cast<Session*>(nullptr));
  graveyard_.push_back(std::move(found->second));
  sessions_.erase(found);
}

void Engine::flush() {
  // Ending a session calls handlers, and answering a poll may read the connection's next request: either may condemn
  // others or have them want a flush: the lists grow meanwhile. No session is destroyed while it is in one of them.
  std::size_t slow = 0;
  for (std::size_t waiting = 0; slow < std::min(condemned_.size(), ends_per_flush) || waiting < to_flush_.size();) {
    if (slow < std::min(condemned_.size(), ends_per_flush)) {
      if (Session* session = condemned_[slow++]) session->end(CloseReason::slow_consumer);
    } else {
      to_flush_[waiting++]->flush_poll();
    }
  }
  condemned_.erase(condemned_.begin(), condemned_.begin() + static_cast<std::ptrdiff_t>(slow));
  to_flush_.clear();
  std::exchange(graveyard_, {}).clear();  // what a session held may call back when it dies
}

void Engine::overload(Peer& peer) {
  if (peer.session_ != nullptr) peer.session_->end(CloseReason::overloaded);
}

void Engine::overload_outboxes(std::size_t bytes) {
  std::vector<std::pair<std::size_t, Session*>> waiting;
  for (const auto& [id, session] : sessions_)
    if (session->outbox_bytes_ > 0) waiting.emplace_back(session->outbox_bytes_, session.get());
  std::ranges::sort(waiting, std::greater());
  // What ends is in the graveyard until flush(), so all of these stay.
  std::size_t gone = 0;
  std::size_t ends = 0;
  for (const auto& [size, session] : waiting) {
    if (gone >= bytes || ends++ == ends_per_flush) return;
    gone += size;
    if (session->open()) {
      session->end(CloseReason::overloaded);
    } else {
      session->finish_draining();
    }
  }
}

void Engine::close_all(CloseReason reason) {
  for (const std::uint64_t ticket : admissions_.tickets())
    if (const auto waiting = admissions_.take(ticket)) waiting->peer->respond({503, {}, "", true});
  std::vector<Session*> all;
  all.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) all.push_back(session.get());
  for (Session* session : all) session->close(reason);
}

}  // namespace carillon::engineio
