#include "io/stream.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace carillon::io {
namespace {

constexpr std::size_t ciphertext_bytes = Stream::received_bytes_max;

// Shared by the connections of a thread; empty between calls.
struct Scratch {
  std::vector<char> received = std::vector<char>(ciphertext_bytes);
  std::string plaintext;
  std::string ciphertext;
};
Scratch& scratch() {
  thread_local Scratch of_thread;
  return of_thread;
}

}  // namespace

void Stream::close() {
  socket_.close();
  tls_.reset();
}

void Stream::start_tls(const TlsContext& context, std::string_view received) {
  tls_ = std::make_unique<Tls>(context);
  tls_->received = received;
}

void Stream::dial_tls(const TlsContext& context, const std::string& server_name) {
  tls_ = std::make_unique<Tls>(context, server_name);
  tls_->session.begin(tls_->unsent);
}

// What the socket does not take is kept.
int Stream::send_out(std::string& ciphertext) {
  std::string_view left = ciphertext;
  int error = 0;
  while (!left.empty() && error == 0) {
    const auto count = socket_.write(left);
    if (count) {
      left.remove_prefix(*count);
    } else if (count.error() != EINTR) {
      error = count.error();
    }
  }
  if (&ciphertext == &tls_->unsent) {
    ciphertext = std::string(left);
  } else {
    tls_->unsent.append(left);
    ciphertext.clear();
  }
  return error;
}

int Stream::flush() { return has_unsent() ? send_out(tls_->unsent) : 0; }

std::expected<std::size_t, int> Stream::read_tls(std::span<char> buffer) {
  TlsSession& session = tls_->session;
  Scratch& memory = scratch();
  std::size_t plaintext = 0;
  if (tls_->received.empty()) {
    const auto count = socket_.read(memory.received);
    if (!count || *count == 0) return count;
    plaintext = session.receive({memory.received.data(), *count}, buffer, memory.ciphertext);
  } else {
    const std::string received = std::exchange(tls_->received, {});
    plaintext = session.receive(received, buffer, memory.ciphertext);
  }
  if (const int error = answer(); error != 0) return std::unexpected(error);
  if (plaintext > 0) return plaintext;
  switch (session.state()) {
    case TlsSession::State::handshaking:
    case TlsSession::State::open:
      return std::unexpected(EAGAIN);
    case TlsSession::State::ended:
      return std::size_t{0};
    case TlsSession::State::failed:
      return std::unexpected(EPROTO);
  }
  return std::unexpected(EPROTO);
}

// Sends what the session has to say to what it was given. An error of the socket is told by whoever writes next.
int Stream::answer() {
  std::string& ciphertext = scratch().ciphertext;
  if (ciphertext.empty()) return 0;
  if (!has_unsent()) {
    send_out(ciphertext);
  } else {
    tls_->unsent += ciphertext;
    ciphertext.clear();
  }
  return tls_->unsent.size() > unsent_bytes_max ? ENOBUFS : 0;
}

std::expected<std::size_t, int> Stream::write_tls(std::string_view bytes) {
  if (const int error = flush(); error != 0) return std::unexpected(error);
  const std::string_view record = bytes.substr(0, TlsSession::record_bytes_max);
  std::string& ciphertext = scratch().ciphertext;
  if (!tls_->session.send(record, ciphertext)) return std::unexpected(EPROTO);
  if (const int error = send_out(ciphertext); error != 0 && error != EAGAIN) return std::unexpected(error);
  return record.size();
}

// Small pieces share a record.
std::expected<std::size_t, int> Stream::write_tls(std::span<const std::string_view> pieces) {
  std::string& joined = scratch().plaintext;
  joined.clear();
  for (const std::string_view piece : pieces) {
    joined.append(piece.substr(0, TlsSession::record_bytes_max - joined.size()));
    if (joined.size() == TlsSession::record_bytes_max) break;
  }
  return write_tls(std::string_view(joined));
}

void Stream::end_writing() {
  if (tls_ != nullptr) {
    tls_->session.end(tls_->unsent);
    flush();  // should the client not take even this, its system will tell it of the end
  }
  socket_.shutdown_writes();
}

}  // namespace carillon::io
