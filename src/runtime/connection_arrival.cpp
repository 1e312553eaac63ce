// A connection before its first request: its proxy's header, then its TLS handshake.
#include <cerrno>
#include <string>
#include <utility>

#include "http/proxy_header.hpp"
#include "runtime/connection.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {

void Connection::begin_arrival() {
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.handshake_timeout);
  if (arrival_->entrance.proxy_protocol) {
    if (!origin_.trusted) fail_arrival(Refusal::untrusted_proxy);
  } else {
    begin_tls({});
  }
}

void Connection::on_arrival_readable() {
  if (arrival_->entrance.proxy_protocol) {
    read_proxy_header();
  } else {
    read_tls_handshake();
  }
}

void Connection::read_proxy_header() {
  // No more than the header may have: what follows it is for TLS to read.
  const std::span<char> buffer = shard_.read_buffer().first(http::proxy_header_bytes_max);
  const auto count = stream_.read(buffer);
  if (!count && (count.error() == EAGAIN || count.error() == EINTR)) return;
  if (!count || *count == 0) return fail_arrival(Refusal::left);
  shard_.stats().bytes_received.add(*count);
  std::string& received = arrival_->received;
  received.append(buffer.data(), *count);
  const auto header = http::parse_proxy_header(received);
  if (!header) return fail_arrival(Refusal::bad_proxy_header);
  if (!*header) return;
  const auto& [source, address, tls, size] = **header;
  if (source != http::ProxyHeader::Source::proxy)
    origin_ = {address, tls, !address.is_none() && shard_.trusted_proxies().trusts(address)};
  if (!count_address()) return fail_arrival(Refusal::too_many_from_address);
  arrival_->entrance.proxy_protocol = false;
  const std::string rest = received.substr(size);
  if (arrival_->entrance.tls != nullptr) {
    begin_tls(rest);
  } else {
    end_arrival(rest);
  }
}

// A trusted proxy's own address does not count: its clients' sessions do, each under the address that it tells.
bool Connection::count_address() { return origin_.trusted || shard_.count_address(pass_, origin_.address); }

void Connection::begin_tls(std::string_view received) {
  arrival_->received.clear();
  stream_.start_tls(*arrival_->entrance.tls->current(), received);
  if (!received.empty()) read_tls_handshake();
}

void Connection::read_tls_handshake() {
  const std::span<char> buffer = shard_.read_buffer();
  const auto count = stream_.read(buffer);
  if (stream_.has_unsent()) set_blocked(true);
  if (!count && count.error() == EPROTO) {
    const bool plain_http = stream_.tls()->failure() == io::TlsSession::Failure::plain_http;
    return fail_arrival(plain_http ? Refusal::plain_http : Refusal::tls_refused);
  }
  if (!count && count.error() != EAGAIN && count.error() != EINTR) return fail_arrival(Refusal::left);
  if (count && *count == 0) return fail_arrival(Refusal::left);
  if (stream_.tls()->state() == io::TlsSession::State::handshaking) return;
  shard_.stats().tls_handshakes.add();
  if (stream_.tls()->resumed()) shard_.stats().tls_resumptions.add();
  origin_.secure = true;
  end_arrival({buffer.data(), count.value_or(0)});
}

// `unread`: plaintext that has come along.
void Connection::end_arrival(std::string_view unread) {
  arrival_.reset();
  state_ = State::reading_request;
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.head_timeout);
  if (!unread.empty()) {
    std::string bytes(unread);
    on_bytes(bytes);
  }
  if (stream_.has_ended()) on_end_of_stream(true);
}

void Connection::fail_arrival(Refusal failure) {
  shard_.on_refused(failure, origin_);
  if (failure != Refusal::plain_http) return end();
  arrival_.reset();
  stream_.stop_tls();
  http::Response response = service_.error_response(400);
  response.close = true;
  queue(http::serialize(response, false));
  state_ = State::closing;
  shard_.timers().set(*this, shard_.loop().now() + service_.limits.close_timeout);
}

}  // namespace carillon::runtime
