// What clients may cost a server. docs/limits.md tells what happens at each limit, and how it is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace carillon {

// The defaults are meant for a server on the internet. Where 0 is allowed it means: no limit.
struct LimitOptions {
  // --- of HTTP requests; a message's size is ServerOptions::max_payload_bytes ---
  std::size_t http_header_bytes_max = 16 * 1024;
  std::size_t http_header_count_max = 100;
  std::size_t http_target_bytes_max = 8 * 1024;
  std::uint32_t http_requests_per_second_max = 1'000;  // on one connection, five times as many at once; 0: no limit
  std::uint32_t handshake_timeout_ms = 10'000;         // for the PROXY header and the TLS handshake
  std::uint32_t http_header_timeout_ms = 15'000;       // for the whole of them, however slowly they come
  std::uint32_t http_body_timeout_ms = 30'000;         // for the whole of it
  std::uint32_t http_idle_timeout_ms = 75'000;         // between an answer and the next request

  // --- of all clients, and of those with one address: an IPv4 address, or an IPv6 network of 64 bits ---
  std::size_t connections_max = 0;                  // 0: as many as there are file descriptors
  std::size_t connections_per_address_max = 2'000;  // connections, and as many sessions; 0: no limit
  std::uint32_t handshakes_per_second_max = 100;  // new sessions of one address, ten times as many at once; 0: no limit
  // Networks to whose addresses the two above do not apply: proxies that are not among trusted_proxies may stand there.
  std::vector<std::string> unlimited_networks = {"127.0.0.0/8",    "::1",     "10.0.0.0/8", "172.16.0.0/12",
                                                 "192.168.0.0/16", "fc00::/7"};

  // --- of what one client sends ---
  std::uint32_t packets_per_second_max = 5'000;    // also WebSocket control frames and fragments; 0: no limit
  std::uint32_t packets_burst_max = 50'000;        // after a pause, at once
  std::size_t attachments_max = 10;                // binary attachments per packet
  std::size_t packet_bytes_max = 4 * 1024 * 1024;  // a packet with its attachments
  std::size_t namespaces_per_client_max = 100;
  std::size_t rooms_per_socket_max = 10'000;
  std::size_t pending_acks_per_socket_max = 10'000;  // that the client owes

  // Of all clients of this node: bytes of messages and bodies that have not come to their end, and apart from them of
  // packets whose attachments have not. Beyond it those are closed that go on and hold more than 64 KiB.
  std::size_t receive_buffer_bytes_total_max = 512 * 1024 * 1024;

  // --- of what waits for clients ---
  std::size_t send_queue_bytes_max = 4 * 1024 * 1024;           // for one client
  std::size_t send_queue_bytes_total_max = 1024 * 1024 * 1024;  // for all clients of this node
  std::size_t broadcast_ack_bytes_max = 16 * 1024 * 1024;       // answers to one broadcast, per shard
};

}  // namespace carillon
