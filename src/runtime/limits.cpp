#include "runtime/limits.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

namespace carillon::runtime {
namespace {

constexpr std::uint32_t handshake_burst_seconds = 10;  // a house full of clients comes back after a power failure
constexpr std::uint32_t request_burst_seconds = 5;

RateLimit with_burst(std::uint32_t per_second, std::uint32_t seconds) {
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max() / seconds;
  return {per_second, std::max(std::min(per_second, most) * seconds, 1U)};
}

}  // namespace

void apply_limits(const LimitOptions& options, ServiceLimits& limits) {
  limits.parser.header_bytes_max = options.http_header_bytes_max;
  limits.parser.header_count_max = options.http_header_count_max;
  limits.parser.target_bytes_max = options.http_target_bytes_max;
  limits.handshake_timeout = Milliseconds(options.handshake_timeout_ms);
  limits.head_timeout = Milliseconds(options.http_header_timeout_ms);
  limits.body_timeout = Milliseconds(options.http_body_timeout_ms);
  limits.idle_timeout = Milliseconds(options.http_idle_timeout_ms);
}

RateLimit request_limit(const LimitOptions& options) {
  return with_burst(options.http_requests_per_second_max, request_burst_seconds);
}

void apply_limits(const LimitOptions& options, engineio::Options& engine) {
  engine.send_queue_bytes_max = options.send_queue_bytes_max;
  engine.packets = {options.packets_per_second_max, std::max(options.packets_burst_max, 1U)};
}

void apply_limits(const LimitOptions& options, socketio::Options& socketio) {
  socketio.attachments_max = options.attachments_max;
  socketio.packet_bytes_max = options.packet_bytes_max;
  socketio.namespaces_per_client_max = options.namespaces_per_client_max;
  socketio.rooms_per_socket_max = options.rooms_per_socket_max;
  socketio.pending_acks_per_socket_max = options.pending_acks_per_socket_max;
  socketio.broadcast_ack_bytes_max = options.broadcast_ack_bytes_max;
}

LedgerLimits ledger_limits(const LimitOptions& options) {
  LedgerLimits limits;
  limits.connections_max = options.connections_max;
  limits.per_address_max = options.connections_per_address_max;
  limits.handshakes = with_burst(options.handshakes_per_second_max, handshake_burst_seconds);
  for (const std::string& text : options.unlimited_networks) {
    const auto network = IpNetwork::parse(text);
    if (!network)
      throw std::invalid_argument("limits.unlimited_networks: '" + text +
                                  "' is no network: expected an address, or a network such as 10.0.0.0/8");
    limits.unlimited_networks.push_back(*network);
  }
  return limits;
}

}  // namespace carillon::runtime
