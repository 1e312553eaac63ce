#include "engineio/engine.hpp"

#include <algorithm>

#include <carillon/value.hpp>

#include "base/log.hpp"
#include "engineio/jsonp.hpp"
#include "engineio/session_id.hpp"

namespace carillon::engineio {
namespace {

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

}  // namespace

Engine::Engine(const Options& options, Identity identity, SessionHandler& handler, TimerWheel& timers, Random& random)
    : options_(options), identity_(std::move(identity)), handler_(handler), timers_(timers), random_(random) {}

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
  if (request.method == "OPTIONS" && !options_.cors_origins.empty()) {
    peer.respond(preflight(request));
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
  if (!accepts_version(request)) return fail(RequestError::bad_version);
  open_polling(peer, request);
  return false;
}

bool Engine::on_session_request(Session& session, Peer& peer, const http::Request& request) {
  if (request.method == "GET") {
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

void Engine::open_polling(Peer& peer, const http::Request& request) {
  Session& session = open_session(request, TransportName::polling);
  session.on_poll(peer);
  session.send(open_packet(session));
  session.flush_poll();  // the open packet goes alone, as the protocol's clients expect
  handler_.on_open(session);
}

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
    } else if (peer.accept_websocket({})) {
      session->on_probe(peer, wants_base64(request));
    }
    return false;
  }
  if (request.method != "GET") {
    refuse_upgrade(peer, message_of(RequestError::bad_method));
    return false;
  }
  if (!accepts_version(request)) {
    refuse_upgrade(peer, message_of(RequestError::bad_version));
    return false;
  }
  if (!peer.accept_websocket({})) return false;
  Session& session = open_session(request, TransportName::websocket);
  session.on_websocket(peer);
  session.send(open_packet(session));
  handler_.on_open(session);
  return false;
}

// --- answers ---

void Engine::refuse(Peer& peer, RequestError error, std::string_view origin) {
  stats_.requests_refused.add();
  const Object body{{"code", static_cast<int>(error)}, {"message", message_of(error)}};
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
  add_cors(origin, response);
  peer.respond(std::move(response));
}

void Engine::add_cors(std::string_view origin, http::Response& response) const {
  const auto& allowed = options_.cors_origins;
  if (allowed.empty()) return;
  if (allowed.front() == "*") {
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    return;
  }
  response.headers.emplace_back("Vary", "Origin");
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end())
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
}

http::Response Engine::preflight(const http::Request& request) const {
  http::Response response{204, {}, ""};
  add_cors(origin_of(request), response);
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
  response.headers.emplace_back("Vary", "Access-Control-Request-Headers");
  if (const auto wanted = request.header("access-control-request-headers"))
    response.headers.emplace_back("Access-Control-Allow-Headers", *wanted);
  return response;
}

// --- sessions ---

bool Engine::accepts_version(const http::Request& request) const {
  return protocol_of(request).version() == 4 || options_.allow_eio3;
}

Session& Engine::open_session(const http::Request& request, TransportName transport) {
  auto handshake = std::make_shared<HandshakeRequest>();
  handshake->address = request.address;
  handshake->url = request.target;
  handshake->headers = request.headers;
  handshake->issued_unix_ms = request.received_unix_ms;
  handshake->secure = request.secure;
  auto session = std::make_unique<Session>(*this, make_session_id(identity_.node_tag, identity_.shard, random_),
                                           transport, std::move(handshake), wishes_of(request));
  Session& opened = *session;
  sessions_.emplace(opened.id(), std::move(session));
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
  graveyard_.push_back(std::move(found->second));
  sessions_.erase(found);
}

void Engine::flush() {
  // Ending a session calls handlers, and answering a poll may read the connection's next request: either may condemn
  // others or have them want a flush: the lists grow meanwhile. No session is destroyed while it is in one of them.
  for (std::size_t slow = 0, waiting = 0; slow < condemned_.size() || waiting < to_flush_.size();) {
    if (slow < condemned_.size()) {
      condemned_[slow++]->end(CloseReason::slow_consumer);
    } else {
      to_flush_[waiting++]->flush_poll();
    }
  }
  condemned_.clear();
  to_flush_.clear();
  std::exchange(graveyard_, {}).clear();  // what a session held may call back when it dies
}

void Engine::close_all(CloseReason reason) {
  std::vector<Session*> all;
  all.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) all.push_back(session.get());
  for (Session* session : all) session->close(reason);
}

}  // namespace carillon::engineio
