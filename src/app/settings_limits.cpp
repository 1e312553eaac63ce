// The settings of section "limits"; docs/limits.md tells what happens at each of them.
#include "app/setting_checks.hpp"
#include "app/setting_makers.hpp"
#include "app/settings_sections.hpp"

namespace carillon::app {
namespace {

constexpr std::int64_t many = 1'000'000'000;

template <class Value>
Setting limit(const std::string& name, Value LimitOptions::* member, std::int64_t min, std::int64_t max,
              const std::string& help) {
  return number("limits." + name, field(&Config::limits, member), min, max, help);
}

}  // namespace

std::vector<Setting> limit_settings() {
  using L = LimitOptions;
  return {
      limit("http_header_bytes_max", &L::http_header_bytes_max, 1024, 1024 * 1024,
            "The header of a request, with its first line. More is answered with 431."),
      limit("http_header_count_max", &L::http_header_count_max, 10, 10'000,
            "The lines of a request's header. More are answered with 431."),
      limit("http_target_bytes_max", &L::http_target_bytes_max, 256, 64 * 1024,
            "Path and query of a request. More is answered with 414."),
      limit("http_requests_per_second_max", &L::http_requests_per_second_max, 0, 100'000'000,
            "Requests on one connection, five times as many at once; not of trusted proxies. More: 429. 0: no limit."),
      limit("handshake_timeout_ms", &L::handshake_timeout_ms, 100, hour_ms,
            "How long a connection may take for its proxy's header and its TLS handshake."),
      limit("http_header_timeout_ms", &L::http_header_timeout_ms, 100, hour_ms,
            "How long a request's header may take, from its first byte to its last. Then: 408."),
      limit("http_body_timeout_ms", &L::http_body_timeout_ms, 100, hour_ms,
            "How long a request's body may take, all of it. Then: 408."),
      limit("http_idle_timeout_ms", &L::http_idle_timeout_ms, 100, hour_ms,
            "How long a connection may wait with its next request before it is closed."),

      limit("connections_max", &L::connections_max, 0, many,
            "Connections of clients. Further ones are closed at once. 0: as many as there are file descriptors."),
      limit("connections_per_address_max", &L::connections_per_address_max, 0, many,
            "Connections, and as many sessions, of one IPv4 address or IPv6 network of 64 bits. 0: no limit."),
      limit("handshakes_per_second_max", &L::handshakes_per_second_max, 0, 100'000'000,
            "New sessions of one such address, ten times as many at once. More are answered with 429. 0: no limit."),
      list("limits.unlimited_networks", field(&Config::limits, &L::unlimited_networks),
           R"(a list of addresses, and of networks such as "10.0.0.0/8")", check_networks,
           "To whose addresses the two limits above do not apply: proxies that are not trusted may stand there."),

      limit("packets_per_second_max", &L::packets_per_second_max, 0, many,
            "Packets, WebSocket control frames and fragments from one client. More: it is closed. 0: no limit."),
      limit("packets_burst_max", &L::packets_burst_max, 1, many, "How many of them may come at once after a pause."),
      limit("attachments_max", &L::attachments_max, 0, 10'000,
            "Binary attachments of a packet from a client. More: it is closed."),
      limit("packet_bytes_max", &L::packet_bytes_max, 1024, gib,
            "A packet from a client with all its attachments. More: it is closed."),
      limit("namespaces_per_client_max", &L::namespaces_per_client_max, 1, 1'000'000,
            "Namespaces that a client may be in. It cannot connect to more."),
      limit("rooms_per_socket_max", &L::rooms_per_socket_max, 1, 100'000'000,
            "Rooms that a socket may be in. It joins no more."),
      limit("pending_acks_per_socket_max", &L::pending_acks_per_socket_max, 1, 100'000'000,
            "Acknowledgements that a client may owe. With one more the oldest counts as timed out."),
      limit("receive_buffer_bytes_total_max", &L::receive_buffer_bytes_total_max, 1024 * 1024, 1024 * gib,
            "Messages of all clients that have come in part. Beyond it who sends more of a large one is closed."),

      limit("send_queue_bytes_max", &L::send_queue_bytes_max, 1024, gib,
            "What may wait for one client. Beyond it the client is closed as too slow."),
      limit("send_queue_bytes_total_max", &L::send_queue_bytes_total_max, 1024 * 1024, 1024 * gib,
            "What may wait for all clients. Beyond it those for whom most waits are closed."),
      limit("broadcast_ack_bytes_max", &L::broadcast_ack_bytes_max, 1024, gib,
            "What clients may answer to one broadcast, together and per shard. Answers beyond it count as missing."),
  };
}

}  // namespace carillon::app
