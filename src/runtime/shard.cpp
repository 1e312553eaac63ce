#include "runtime/shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "engineio/session_id.hpp"

namespace carillon::runtime {
namespace {

constexpr std::size_t read_buffer_bytes = 64 * 1024;
constexpr std::size_t ends_per_turn = 64;  // when too much waits for all clients; the others have their turn in between
constexpr Milliseconds farewell{250};      // for guests whose last work came in when the time for stopping was up

// Sent by the client listeners where the HTTP layer itself refuses; the reference server's are as bare.
http::Response plain_error(int status) {
  return {
      status, {{"Content-Type", "text/plain; charset=UTF-8"}}, std::string(http::reason_phrase(status)) + "\n", true};
}

Shard::Settings with_proxies(Shard::Settings settings) {
  static const http::TrustedProxies nobody;
  if (settings.proxies == nullptr) settings.proxies = &nobody;
  return settings;
}

}  // namespace

Shard::Shard(Settings settings, const MakeApplication& make_application)
    : settings_(with_proxies(std::move(settings))),
      timers_(io::Loop::read_clock()),
      random_(make_system_random()),
      deflation_(settings_.engine->per_message_deflate, stats_),
      read_buffer_(read_buffer_bytes) {
  application_ = make_application(*this);
  engine_ = std::make_unique<engineio::Engine>(*settings_.engine,
                                               engineio::Engine::Identity{settings_.node_tag, settings_.index},
                                               application_->session_handler(), timers_, *random_);
  engine_->set_hooks(application_->handshake_hooks());
  if (settings_.ledger != nullptr) engine_->set_gate(*settings_.ledger);
  clients_.handler = this;
  clients_.engine = engine_.get();
  clients_.limits.parser.body_bytes_max = settings_.engine->max_payload_bytes;
  // What a client would take at once must not make it a slow consumer.
  clients_.limits.write_early_bytes =
      std::min(clients_.limits.write_early_bytes, settings_.engine->send_queue_bytes_max / 2);
  clients_.error_response = plain_error;
}

Shard::~Shard() {
  begin_stop();
  join();
  engine_.reset();  // sessions let go of their connections
  connections_.clear();
  graveyard_.clear();
}

void Shard::listen(std::unique_ptr<io::Listener> listener, Service& service, const Entrance& entrance, Spread spread) {
  listeners_.push_back({std::move(listener), &service, entrance, spread});
}

void Shard::start() {
  clients_.moves = siblings_.size() > 1;
  for (Listening& listening : listeners_) {
    listening.listener->start(loop_, [this, &listening](io::Socket socket, const io::SocketAddress& peer) {
      on_accepted(listening, std::move(socket), peer);
    });
  }
  thread_ = std::thread([this] { loop_.run(*this); });
}

void Shard::on_accepted(const Listening& listening, io::Socket socket, const io::SocketAddress& peer) {
  stats_.connections_accepted.add();
  const IpAddress address = peer.ip();
  Handover handover{
      io::Stream(std::move(socket)), {address, false, trusted_proxies().trusts(address)}, listening.entrance};
  if (listening.service == &clients_ && !admit(handover)) return;
  if (listening.spread == Spread::no || siblings_.empty()) return adopt(*listening.service, std::move(handover));
  Shard& target = *siblings_[next_shard_++ % siblings_.size()];
  if (&target == this) return adopt(clients_, std::move(handover));
  target.post(
      [&target, handover = std::move(handover)]() mutable { target.adopt(target.clients_, std::move(handover)); });
}

// Those who administer the node come in by another listener, also when there are too many clients.
bool Shard::admit(Handover& handover) {
  if (settings_.ledger == nullptr) return true;
  auto pass = settings_.ledger->admit();
  if (!pass) {
    on_refused(Refusal::too_many_connections, handover.origin);
    return false;
  }
  handover.pass = std::move(*pass);
  if (handover.entrance.proxy_protocol || handover.origin.trusted) return true;  // it will say whom it speaks for
  if (settings_.ledger->count_address(handover.pass, handover.origin.address)) return true;
  on_refused(Refusal::too_many_from_address, handover.origin);
  return false;
}

void Shard::begin_stop(Then then) {
  loop_.post([this, then] {
    stays_ = then == Then::stays;
    close_everything();
    if (then == Then::ends) guests_end_at_ = std::max(stop_at_, loop_.now() + farewell);
  });
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

void Shard::close_everything() {
  if (stop_at_ != never) return;
  for (Listening& listening : listeners_) listening.listener->stop();
  stop_at_ = loop_.now() + settings_.drain_timeout;
  engine_->close_all(engineio::CloseReason::shutting_down);
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& connection : connections_) all.push_back(connection.get());
  for (Connection* connection : all) connection->on_stop();
}

// Those who have not closed in time, and sessions that have opened since.
void Shard::end_everything(TimePoint now) {
  drained_ = true;
  engine_->close_all(engineio::CloseReason::shutting_down);
  write_everything();
  while (!connections_.empty()) connections_.back()->cut();
  for (TurnGuest* guest : guests_) guest->on_turn_end(now);  // the handlers may have told other nodes
  write_everything();
}

void Shard::end_guests(TimePoint now) {
  const auto has_finished = [](const TurnGuest* guest) { return guest->has_finished(); };
  if (now < guests_end_at_ && !std::all_of(guests_.begin(), guests_.end(), has_finished)) return;
  for (TurnGuest* guest : guests_) guest->give_up();
  loop_.stop();
}

// --- connections ---

void Shard::adopt(Service& service, Handover handover) {
  if (drained_) return;  // moved here by a shard that still drains
  auto connection = std::make_unique<Connection>(*this, service, handover);
  Connection& adopted = *connection;
  adopted.place_ = static_cast<std::uint32_t>(connections_.size());
  connections_.push_back(std::move(connection));
  stats_.connections.add(1);
  try {
    adopted.start(std::move(handover.unread), std::move(handover.unsent));
  } catch (const std::system_error& error) {  // the system has no room to watch another socket: this one pays
    log_error("a connection was closed: " + std::string(error.what()));
    adopted.cut();
  }
}

bool Shard::count_received(std::size_t before, std::size_t now) {
  stats_.receive_buffer_bytes.add(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(before));
  const std::size_t limit = settings_.receive_buffer_bytes_total_max;
  return limit == 0 || static_cast<std::size_t>(stats_.receive_buffer_bytes.value()) <= limit;
}

bool Shard::count_address(ClientLedger::Pass& pass, const IpAddress& address) {
  return settings_.ledger == nullptr || settings_.ledger->count_address(pass, address);
}

void Shard::on_refused(Refusal refusal, const http::Origin& origin) {
  stats_.refused[static_cast<std::size_t>(refusal)].add();
  const std::string peer = origin.address.is_none() ? "a Unix socket" : origin.address.to_string();
  log_debug("connection from " + peer + " refused: " + std::string(to_string(refusal)));
  warn_once(refusal, peer);
}

// Where it may well be the configuration that is wrong, and not the client.
void Shard::warn_once(Refusal refusal, std::string_view peer) {
  const auto why = [refusal]() -> std::string_view {
    switch (refusal) {
      case Refusal::untrusted_proxy:
        return "this listener requires the PROXY protocol, and that is no trusted proxy";
      case Refusal::bad_proxy_header:
        return "this listener requires the PROXY protocol, and its header is missing or malformed";
      case Refusal::too_many_connections:
        return "there are limits.connections_max of them";
      case Refusal::too_many_from_address:
        return "there are limits.connections_per_address_max from this address; if that is a proxy, it belongs into "
               "clients.trusted_proxies";
      default:
        return {};
    }
  }();
  if (why.empty() || std::exchange(refusals_told_[static_cast<std::size_t>(refusal)], true)) return;
  log_warn(fmt::format("A connection from {} was closed: {}. Further ones are only counted.", peer, why));
}

void Shard::bury(Connection& connection) {
  const std::uint32_t place = connection.place_;
  graveyard_.push_back(std::move(connections_[place]));
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place_ = place;
  }
  connections_.pop_back();
  stats_.connections.add(-1);
}

std::optional<unsigned> Shard::foreign_owner(const http::Request& request) const {
  const auto sid = request.parameter("sid");
  if (!sid) return std::nullopt;
  const auto place = engineio::place_of(*sid);
  if (!place || place->node_tag != settings_.node_tag || place->shard == settings_.index) return std::nullopt;
  if (place->shard >= siblings_.size()) return std::nullopt;
  return place->shard;
}

void Shard::move(Connection& connection, unsigned owner, std::string unread) {
  connection.write_queue();
  loop_.unwatch(connection.stream_.fd(), connection);
  Handover handover{
      std::move(connection.stream_), connection.origin_,        {}, std::move(unread), connection.queue_.copy(),
      std::move(connection.pass_),   connection.http_->requests};
  Shard& target = *siblings_[owner];
  target.post(
      [&target, handover = std::move(handover)]() mutable { target.adopt(target.clients_, std::move(handover)); });
  stats_.connections_moved.add();
  connection.end();
}

// --- turns ---

void Shard::on_turn_begin(TimePoint now) {
  engine_->set_time(now);
  application_->set_time(now);
}

void Shard::on_turn_end(TimePoint now) {
  timers_.advance(now);
  for (const Listening& listening : listeners_) listening.listener->resume(now);
  for (TurnGuest* guest : guests_) guest->on_turn_end(now);
  write_everything();
  if (stopping() && !drained_ && (now >= stop_at_ || connections_.empty())) end_everything(now);
  if (drained_ && !stays_) end_guests(now);
}

// A connection that breaks ends its session, whose handlers may send to others: until nothing is left to do.
void Shard::write_everything() {
  do {
    engine_->flush();
    for (std::size_t i = 0; i < to_flush_.size(); ++i) to_flush_[i]->flush();
    to_flush_.clear();
    shed_load();
  } while (engine_->has_work() || !to_flush_.empty());
  graveyard_.clear();
}

std::size_t Shard::waiting_bytes() const {
  return static_cast<std::size_t>(stats_.send_queue_bytes.value() + engine_->stats().outbox_bytes.value());
}

bool Shard::is_overloaded() const {
  const std::size_t limit = settings_.send_queue_bytes_total_max;
  return limit != 0 && waiting_bytes() > limit;
}

// More waits for the clients together than the shard may hold: those for whom most waits go first, until an eighth is free
// again; so this is not done often, and each time for a good part of them.
void Shard::shed_load() {
  if (!is_overloaded()) return;
  const std::size_t limit = settings_.send_queue_bytes_total_max;
  const std::size_t goal = limit - limit / 8;
  std::vector<std::pair<std::size_t, Connection*>> slow;
  for (const auto& connection : connections_)
    if (const std::size_t bytes = connection->queue_counted_bytes_; bytes > 0)
      slow.emplace_back(bytes, connection.get());
  std::ranges::sort(slow, std::greater());
  std::size_t ends = 0;
  for (const auto& [bytes, connection] : slow) {
    if (waiting_bytes() <= goal || ends++ == ends_per_turn) return;
    if (connection->state_ == Connection::State::ended) continue;
    engine_->overload(*connection);
    if (connection->state_ == Connection::State::ended) continue;
    connection->note(Refusal::overloaded);  // it was no session's
    connection->cut();
  }
  if (waiting_bytes() > goal) engine_->overload_outboxes(waiting_bytes() - goal);
}

TimePoint Shard::next_deadline() const {
  if (engine_->has_slow_clients() || is_overloaded()) return loop_.now();
  TimePoint next = timers_.next_wake();
  if (!drained_) next = std::min(next, stop_at_);
  if (drained_ && !stays_) next = std::min(next, guests_end_at_);
  for (const Listening& listening : listeners_) next = std::min(next, listening.listener->resume_at());
  for (const TurnGuest* guest : guests_) next = std::min(next, guest->next_deadline());
  return next;
}

// --- http::Handler ---

bool Shard::on_request(http::Exchange& exchange, const http::Request& request) {
  return engine_->on_request(static_cast<engineio::Peer&>(exchange), request, loop_.now());
}

void Shard::on_body(http::Exchange& exchange, std::string_view body) {
  engine_->on_body(static_cast<engineio::Peer&>(exchange), body, loop_.now());
}

void Shard::on_closed(http::Exchange& exchange) {
  engine_->on_closed(static_cast<engineio::Peer&>(exchange), false, loop_.now());
}

void Shard::on_body_refused(http::Exchange& exchange) {
  engine_->on_body_refused(static_cast<engineio::Peer&>(exchange));
}

}  // namespace carillon::runtime
