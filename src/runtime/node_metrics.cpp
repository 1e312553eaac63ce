#include "runtime/node_metrics.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <carillon/version.hpp>

#include "runtime/node.hpp"

namespace carillon::runtime {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using Type = admin::Sample::Type;

// Collects samples; each metric is described once, next to where its value comes from.
class Collector {
 public:
  explicit Collector(const Node& node) : node_(node) {}

  void add(std::string name, std::string help, Type type, double value, Labels labels = {}) {
    samples.push_back({std::move(name), std::move(help), type, std::move(labels), value});
  }
  void count(std::string name, std::string help, const Counter& counter, Labels labels = {}) {
    add(std::move(name), std::move(help), Type::counter, static_cast<double>(counter.value()), std::move(labels));
  }
  void gauge(std::string name, std::string help, const Gauge& value) {
    add(std::move(name), std::move(help), Type::gauge, static_cast<double>(value.value()));
  }

  // Sums over the shards.
  template <class Get>
  double sum(Get get) const {
    double total = 0;
    for (unsigned i = 0; i < node_.shards().size(); ++i) total += static_cast<double>(get(i).value());
    return total;
  }

  std::vector<admin::Sample> samples;

 private:
  const Node& node_;
};

// Handshakes are refused by the engine, everything before them by the connection.
const Counter& refused(const Shard& shard, Refusal refusal) {
  if (refusal == Refusal::too_many_sessions) return shard.engine().stats().too_many_sessions;
  if (refusal == Refusal::too_many_handshakes) return shard.engine().stats().too_many_handshakes;
  return shard.stats().refused[static_cast<std::size_t>(refusal)];
}

void collect_connections(const Node& node, Collector& out) {
  const auto of = [&](auto member) {
    return out.sum([&](unsigned i) -> const auto& { return node.shards()[i]->stats().*member; });
  };
  out.add("carillon_connections", "Open TCP connections.", Type::gauge, of(&Stats::connections));
  out.add("carillon_connections_accepted_total", "TCP connections accepted.", Type::counter,
          of(&Stats::connections_accepted));
  out.add("carillon_connections_moved_total", "Connections moved to the shard that owns their session.", Type::counter,
          of(&Stats::connections_moved));
  for (std::size_t reason = 0; reason < refusal_count; ++reason) {
    const auto refusal = static_cast<Refusal>(reason);
    out.add("carillon_connections_refused_total", "Connections, requests and handshakes refused, by reason.",
            Type::counter, out.sum([&](unsigned i) -> const auto& { return refused(*node.shards()[i], refusal); }),
            {{"reason", std::string(to_string(refusal))}});
  }
  out.add("carillon_receive_buffer_bytes", "Messages and bodies from clients as far as they have come.", Type::gauge,
          of(&Stats::receive_buffer_bytes));
  out.add("carillon_send_queue_bytes", "What waits for clients that do not take it.", Type::gauge,
          of(&Stats::send_queue_bytes));
  out.add("carillon_tls_handshakes_total", "TLS handshakes completed.", Type::counter, of(&Stats::tls_handshakes));
  out.add("carillon_tls_resumptions_total", "Those of them that resumed an earlier session.", Type::counter,
          of(&Stats::tls_resumptions));
  out.add("carillon_http_requests_total", "HTTP requests.", Type::counter, of(&Stats::http_requests));
  out.add("carillon_http_errors_total", "HTTP requests refused as malformed, too large or stalled.", Type::counter,
          of(&Stats::http_errors));
  out.add("carillon_websocket_violations_total", "WebSocket connections closed for a violation of the protocol.",
          Type::counter, of(&Stats::websocket_violations));
  out.add("carillon_bytes_received_total", "Bytes read from connections.", Type::counter, of(&Stats::bytes_received));
  out.add("carillon_bytes_sent_total", "Bytes written to connections.", Type::counter, of(&Stats::bytes_sent));
}

void collect_deflate(const Node& node, Collector& out) {
  const auto of = [&](auto member) {
    return out.sum([&](unsigned i) -> const auto& { return node.shards()[i]->stats().*member; });
  };
  const auto work = [&](auto member) {
    return out.sum([&](unsigned i) -> const auto& { return node.shards()[i]->stats().deflate.*member; });
  };
  using websocket::DeflateStats;
  out.add("carillon_deflate_connections", "WebSocket connections with permessage-deflate.", Type::gauge,
          of(&Stats::deflate_connections));
  out.add("carillon_deflate_window_bytes", "Memory reserved for windows of clients that keep theirs.", Type::gauge,
          of(&Stats::deflate_window_bytes));
  out.add("carillon_deflate_compressed_messages_total", "Messages compressed; a broadcast counts once.", Type::counter,
          work(&DeflateStats::messages_compressed));
  out.add("carillon_deflate_compressed_bytes_in_total", "Their bytes before.", Type::counter,
          work(&DeflateStats::compressed_bytes_in));
  out.add("carillon_deflate_compressed_bytes_out_total", "Their bytes after.", Type::counter,
          work(&DeflateStats::compressed_bytes_out));
  out.add("carillon_deflate_inflated_messages_total", "Compressed messages from clients.", Type::counter,
          work(&DeflateStats::messages_inflated));
  out.add("carillon_deflate_inflated_bytes_in_total", "Their bytes as they came.", Type::counter,
          work(&DeflateStats::inflated_bytes_in));
  out.add("carillon_deflate_inflated_bytes_out_total", "Their bytes after decompression.", Type::counter,
          work(&DeflateStats::inflated_bytes_out));
}

void collect_tls(const Reception& reception, Collector& out) {
  const std::string reloads = "carillon_tls_reloads_total";
  const std::string help = "Times that certificates were read again, by result: a failure leaves the old ones in use.";
  out.count(reloads, help, reception.tls_reloads(), {{"result", "ok"}});
  out.count(reloads, help, reception.tls_reloads_failed(), {{"result", "failed"}});
  out.add("carillon_tls_certificate_expiry_seconds", "When the certificate in use expires, in Unix time.", Type::gauge,
          static_cast<double>(reception.tls()->current()->expires_unix_s()));
}

void collect_sessions(const Node& node, Collector& out) {
  using engineio::Stats;
  const auto of = [&](auto get) {
    return out.sum([&](unsigned i) -> const auto& { return get(node.shards()[i]->engine().stats()); });
  };
  const auto member = [&](auto field) {
    return of([field](const Stats& stats) -> const auto& { return stats.*field; });
  };
  out.add("carillon_sessions", "Engine.IO sessions.", Type::gauge, member(&Stats::sessions));
  const std::string opened = "carillon_sessions_opened_total";
  const std::string opened_help = "Engine.IO sessions opened, by their first transport.";
  out.add(opened, opened_help, Type::counter, member(&Stats::sessions_opened_polling), {{"transport", "polling"}});
  out.add(opened, opened_help, Type::counter, member(&Stats::sessions_opened_websocket), {{"transport", "websocket"}});
  for (std::size_t reason = 0; reason < engineio::close_reason_count; ++reason) {
    out.add("carillon_sessions_closed_total", "Engine.IO sessions ended, by reason.", Type::counter,
            of([reason](const Stats& stats) -> const Counter& { return stats.sessions_closed[reason]; }),
            {{"reason", std::string(to_string(static_cast<engineio::CloseReason>(reason)))}});
  }
  out.add("carillon_outbox_bytes", "What waits for the next poll of clients.", Type::gauge,
          member(&Stats::outbox_bytes));
  out.add("carillon_upgrades_total", "Sessions upgraded from polling to WebSocket.", Type::counter,
          member(&Stats::upgrades));
  out.add("carillon_handshakes_waiting", "Handshakes that wait for the application to allow them.", Type::gauge,
          member(&Stats::handshakes_waiting));
  const std::string denied = "carillon_handshakes_denied_total";
  const std::string denied_help = "Handshakes refused by the application, or because it did not answer in time.";
  out.add(denied, denied_help, Type::counter, member(&Stats::handshakes_denied), {{"reason", "refused"}});
  out.add(denied, denied_help, Type::counter, member(&Stats::handshakes_unanswered), {{"reason", "unanswered"}});
  out.add("carillon_payloads_compressed_total", "Answers to polls that were compressed.", Type::counter,
          member(&Stats::payloads_compressed));
  out.add("carillon_requests_refused_total", "Requests answered with an Engine.IO error.", Type::counter,
          member(&Stats::requests_refused));
  out.add("carillon_messages_received_total", "Engine.IO messages from clients.", Type::counter,
          member(&Stats::messages_received));
  out.add("carillon_messages_sent_total", "Engine.IO packets queued for clients.", Type::counter,
          member(&Stats::messages_sent));
  out.add("carillon_volatile_dropped_total", "Volatile messages dropped for clients that could not take them at once.",
          Type::counter, member(&Stats::volatile_dropped));
}

void collect_sockets(const Node& node, Collector& out) {
  using socketio::Stats;
  const auto of = [&](auto field) {
    return out.sum([&](unsigned i) -> const auto& { return node.socketio_stats(i).*field; });
  };
  out.add("carillon_sockets", "Sockets connected to a namespace.", Type::gauge, of(&Stats::sockets));
  out.gauge("carillon_dynamic_namespaces", "Namespaces that exist because clients asked for them.",
            node.namespaces().children());
  out.count("carillon_namespaces_refused_total",
            "Connections refused because there are namespaces_max such namespaces.", node.namespaces().refused());
  out.add("carillon_rooms", "Rooms with members here, summed over shards.", Type::gauge, of(&Stats::rooms));
  out.add("carillon_pending_packet_bytes", "Packets from clients whose attachments have not all come.", Type::gauge,
          of(&Stats::pending_packet_bytes));
  out.add("carillon_connects_total", "Sockets that connected to a namespace.", Type::counter, of(&Stats::connects));
  out.add("carillon_connect_errors_total", "Connections to a namespace refused.", Type::counter,
          of(&Stats::connect_errors));
  out.add("carillon_client_namespaces_refused_total",
          "Connections to a namespace beyond limits.namespaces_per_client_max.", Type::counter,
          of(&Stats::namespaces_refused));
  out.add("carillon_joins_refused_total", "Rooms that were not joined: beyond limits.rooms_per_socket_max.",
          Type::counter, of(&Stats::joins_refused));
  out.add("carillon_acks_given_up_total", "Acknowledgements given up: beyond limits.pending_acks_per_socket_max.",
          Type::counter, of(&Stats::acks_given_up));
  out.add("carillon_events_received_total", "Events from clients.", Type::counter, of(&Stats::events_received));
  out.add("carillon_events_refused_total", "Events that the application's middleware refused.", Type::counter,
          of(&Stats::events_refused));
  out.add("carillon_acks_received_total", "Acknowledgements from clients.", Type::counter, of(&Stats::acks_received));
  out.add("carillon_acks_dropped_total",
          "Acknowledgements of broadcasts that were beyond limits.broadcast_ack_bytes_max.", Type::counter,
          of(&Stats::acks_dropped));
  out.add("carillon_parse_errors_total", "Connections closed for a malformed packet.", Type::counter,
          of(&Stats::parse_errors));
  out.add("carillon_broadcasts_total", "Broadcasts handled, summed over shards.", Type::counter,
          of(&Stats::broadcasts));
  out.add("carillon_handler_exceptions_total", "Exceptions that escaped the application's handlers.", Type::counter,
          of(&Stats::handler_exceptions));
  out.add("carillon_recoveries_total", "Clients that came back as the socket that they were.", Type::counter,
          of(&Stats::recovered));
  out.add("carillon_recoveries_failed_total", "Clients that asked for it and got a new socket.", Type::counter,
          of(&Stats::recoveries_failed));
  out.add("carillon_deliveries_total", "Packets of broadcasts handed to sessions.", Type::counter,
          of(&Stats::deliveries));
}

void collect_recovery(const Node::RecoveryFacts& facts, Collector& out) {
  out.add("carillon_recovery_log_bytes", "Broadcasts kept for clients that come back.", Type::gauge,
          static_cast<double>(facts.log_bytes));
  out.add("carillon_recovery_sessions_bytes", "Events to single clients kept for their return.", Type::gauge,
          static_cast<double>(facts.sessions_bytes));
  out.add("carillon_recovery_sessions_waiting", "Sessions whose client is away.", Type::gauge,
          static_cast<double>(facts.sessions_waiting));
}

void collect_redis(const redis::Statistics& redis, Collector& out) {
  out.gauge("carillon_redis_ready", "1 when Redis is subscribed and proven, otherwise 0.", redis.ready);
  out.gauge("carillon_redis_nodes",
            "Carillon nodes that were last seen, this one included; after an outage they share the rates.",
            redis.nodes);
  out.gauge("carillon_redis_subscriptions", "Channels subscribed to.", redis.subscriptions);
  out.gauge("carillon_redis_queue_messages", "Messages for other nodes that wait for Redis.", redis.queue_messages);
  out.gauge("carillon_redis_queue_bytes", "Their bytes.", redis.queue_bytes);
  out.count("carillon_redis_published_total", "Messages that Redis has taken.", redis.published);
  out.count("carillon_redis_received_total", "Messages received on subscribed channels.", redis.received);
  out.count("carillon_redis_stream_entries_total", "Entries read from streams.", redis.entries);
  out.count("carillon_redis_stream_gaps_total", "Times that a stream had lost entries before they were read.",
            redis.entries_lost);
  out.count("carillon_redis_connects_total", "TCP connections to Redis that came up.", redis.connects);
  out.count("carillon_redis_failures_total", "Connections to Redis that failed or were lost.", redis.failures);
  out.count("carillon_redis_reconnects_total", "Times that the link to Redis came back.", redis.reconnects);
  out.count("carillon_redis_protocol_errors_total", "Connections given up for what Redis sent.", redis.protocol_errors);
  out.count("carillon_redis_timeouts_total", "Connections given up because Redis did not answer.", redis.timeouts);
  const std::string dropped = "carillon_redis_dropped_total";
  const std::string help = "Messages that other nodes did not get, or (unconfirmed) may not have got.";
  out.count(dropped, help, redis.dropped_full, {{"reason", "queue_full"}});
  out.count(dropped, help, redis.dropped_old, {{"reason", "too_old"}});
  out.count(dropped, help, redis.dropped_refused, {{"reason", "refused"}});
  out.count(dropped, help, redis.dropped_unconfirmed, {{"reason", "unconfirmed"}});
  out.count(dropped, help, redis.dropped_shutdown, {{"reason", "shutdown"}});
}

void collect_sessions(const cluster::Statistics& sessions, Collector& out) {
  out.count("carillon_recovery_records_written_total", "Records of clients that may come back, written to Redis.",
            sessions.sessions_written);
  out.count("carillon_recovery_records_refused_total", "Those that were not: too large, or too many waited for Redis.",
            sessions.sessions_refused);
}

void collect_cluster(const cluster::Statistics& cluster, Collector& out) {
  out.gauge("carillon_cluster_rooms", "Rooms held by this node and subscribed to.", cluster.rooms);
  out.count("carillon_cluster_early_total",
            "Broadcasts that clients of their node got before their place in the stream was known.", cluster.early);
  out.count("carillon_cluster_published_total", "Broadcasts published for other nodes.", cluster.published);
  out.count("carillon_cluster_unpublishable_total", "Broadcasts nested too deeply to be published.",
            cluster.unpublishable);
  out.count("carillon_cluster_received_total", "Messages from the cluster.", cluster.received);
  out.count("carillon_cluster_delivered_total", "Messages from the cluster handed to shards.", cluster.delivered);
  out.count("carillon_cluster_unwanted_total", "Messages from the cluster for nobody here.", cluster.unwanted);
  out.count("carillon_cluster_requests_total", "Requests to the other servers.", cluster.requests);
  out.count("carillon_cluster_incomplete_requests_total", "Requests that some server did not answer.",
            cluster.incomplete_requests);
  out.count("carillon_cluster_answered_requests_total", "Requests of other servers and emitters.",
            cluster.answered_requests);
  out.count("carillon_cluster_answers_cut_total",
            "Answers to other servers that left out what was beyond cluster.answer_bytes_max.", cluster.answers_cut);
  out.count("carillon_cluster_acks_dropped_total",
            "Acknowledgements of clients of other servers that were beyond limits.broadcast_ack_bytes_max.",
            cluster.acks_dropped);
  out.count("carillon_cluster_strayed_answers_total", "Answers to requests that are not, or no longer, ours.",
            cluster.strayed_answers);
  const std::array<std::string_view, cluster::malformed_kinds> kinds = {
      "not_msgpack", "not_a_broadcast", "bad_packet", "nested_too_deep", "not_json", "bad_request", "unknown_request"};
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    out.count("carillon_cluster_malformed_total", "Messages from the cluster ignored as malformed.",
              cluster.malformed[kind], {{"kind", std::string(kinds[kind])}});
  }
}

void collect_inbox(const Inbox& inbox, Collector& out) {
  const auto of = [&](auto member) {
    return out.sum([&](unsigned i) -> const auto& { return inbox.shards()[i]->stats().*member; });
  };
  using S = inbox::DeliveryStats;
  out.add("carillon_inbox_sockets", "Sockets of users that notifications are delivered to.", Type::gauge,
          of(&S::recipients));
  out.add("carillon_inbox_sent_total", "Notifications written to sockets, repeats included.", Type::counter,
          of(&S::sent));
  out.add("carillon_inbox_repeated_total", "Those of them that were sent again for want of an acknowledgement.",
          Type::counter, of(&S::repeated));
  out.add("carillon_inbox_given_up_total", "Notifications that a connection did not acknowledge, however often.",
          Type::counter, of(&S::given_up));
  out.add("carillon_inbox_proven_total", "Notifications that a socket is proven to have received.", Type::counter,
          of(&S::proven));
  out.add("carillon_inbox_pings_total", "Pings sent in order to prove something.", Type::counter, of(&S::pings));
  out.add("carillon_inbox_reads_total", "Pages of inboxes read for delivery.", Type::counter, of(&S::reads));
  out.add("carillon_inbox_expired_total", "Notifications not sent because their time was over.", Type::counter,
          of(&S::expired));
  out.add("carillon_inbox_gaps_total", "Gaps that clients were told of.", Type::counter, of(&S::gaps));
  out.add("carillon_inbox_store_errors_total", "Calls to the store that failed and are repeated.", Type::counter,
          of(&S::store_errors));
  out.add("carillon_inbox_questions_refused_total",
          "`inbox:fetch` and `inbox:read` refused: beyond inbox.questions_per_socket_max.", Type::counter,
          out.sum([&](unsigned i) -> const auto& { return inbox.shards()[i]->questions_refused(); }));
  out.add("carillon_store_ready", "Whether notifications are accepted.", Type::gauge, inbox.trouble() ? 0 : 1);
  if (InboxDesk* desk = inbox.desk()) {
    out.gauge("carillon_inbox_users", "Users whose signals this node hears from Redis.", desk->stats().users);
    out.count("carillon_inbox_signals_total", "Signals heard from Redis.", desk->stats().signals);
    out.count("carillon_inbox_malformed_total", "Messages on users' channels ignored as malformed.",
              desk->stats().malformed);
    out.count("carillon_inbox_head_checks_total", "Heads of logs asked for, because signals may have been missed.",
              desk->head_checks());
    out.add("carillon_store_waiting_bytes", "Notifications on their way to Redis.", Type::gauge,
            static_cast<double>(desk->waiting_bytes()));
  }
  if (inbox.store_thread() == nullptr) return;
  const StoreStats& store = inbox.store_thread()->stats();
  out.count("carillon_store_commits_total", "Batches committed to the disk.", store.commits);
  out.count("carillon_store_calls_total", "Calls in these batches.", store.calls);
  out.count("carillon_store_failed_total", "Batches with an error, if only of one call.", store.failed_batches);
  out.gauge("carillon_store_waiting_bytes", "Notifications on their way to the disk.", store.waiting_bytes);
}

}  // namespace

std::vector<admin::Sample> NodeMetrics::collect() const {
  Collector out(node_);
  out.add("carillon_info", "The node.", Type::gauge, 1, {{"node", node_.name()}, {"version", std::string(version())}});
  collect_connections(node_, out);
  collect_deflate(node_, out);
  if (node_.reception().tls() != nullptr) collect_tls(node_.reception(), out);
  collect_sessions(node_, out);
  collect_sockets(node_, out);
  collect_recovery(node_.recovery_facts(), out);
  if (const Inbox* inbox = node_.inbox()) collect_inbox(*inbox, out);
  if (const Backplane* backplane = node_.backplane()) {
    collect_redis(backplane->redis_statistics(), out);
    collect_cluster(backplane->cluster_statistics(), out);
    if (const auto* sessions = backplane->session_statistics()) collect_sessions(*sessions, out);
  }
  return std::move(out.samples);
}

}  // namespace carillon::runtime
