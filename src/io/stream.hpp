// The bytes of a connection: those of its socket, or TLS over it.
#pragma once

#include <cerrno>
#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/socket.hpp"
#include "io/tls_session.hpp"

namespace carillon::io {

// Owned by whoever holds it; moves between threads as a whole: between two calls nothing of it is anywhere else.
// Without TLS it is the socket, at the price of a comparison.
class Stream {
 public:
  static constexpr std::size_t received_bytes_max = 30 * 1024;
  static constexpr std::size_t read_buffer_bytes_min = received_bytes_max + TlsSession::left_over_bytes_max;

  Stream() = default;
  explicit Stream(Socket socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.fd(); }
  bool is_open() const { return socket_.is_open(); }
  void close();
  int take_error() const { return socket_.take_error(); }

  // What comes from now on is TLS, beginning with `received`, which has been read already: at most received_bytes_max.
  // It wants to be read() at once.
  void start_tls(const TlsContext& context, std::string_view received);
  // The same for the side that has dialled, see TlsSession: nothing may have come yet. What is to be sent waits in
  // has_unsent(); nothing can be written before tls()->state() is open.
  void dial_tls(const TlsContext& context, const std::string& server_name);
  // Gives it up after a failure: what is written from now on goes out as it is.
  void stop_tls() { tls_.reset(); }
  const TlsSession* tls() const { return tls_ != nullptr ? &tls_->session : nullptr; }

  // As Socket::read, for a buffer of at least read_buffer_bytes_min. Nothing that could be read stays behind, so that it
  // is enough to wait for the socket. Error EPROTO: tls()->failure() tells.
  std::expected<std::size_t, int> read(std::span<char> buffer) {
    return tls_ == nullptr ? socket_.read(buffer) : read_tls(buffer);
  }
  // TLS is over, behind what the last read() has given: no event will tell.
  bool has_ended() const { return tls_ != nullptr && tls_->session.is_over(); }

  // As Socket::write. Of what it says to have taken a part may still be here: flush().
  std::expected<std::size_t, int> write(std::string_view bytes) {
    return tls_ == nullptr ? socket_.write(bytes) : write_tls(bytes);
  }
  std::expected<std::size_t, int> write(std::span<const std::string_view> pieces) {
    return tls_ == nullptr ? socket_.write(pieces) : write_tls(pieces);
  }
  // TLS has something for the client, of its own or of what was written: to be flushed when the socket takes it.
  bool has_unsent() const { return tls_ != nullptr && !tls_->unsent.empty(); }
  int flush();  // 0, or an errno: EAGAIN when the client is slow

  // As Socket's.
  std::size_t untaken_bytes() const { return socket_.untaken_bytes(); }
  void abandon() const {
    if (socket_.is_open()) socket_.abandon();
  }

  // Nothing follows.
  void end_writing();

 private:
  struct Tls {
    explicit Tls(const TlsContext& context) : session(context) {}
    Tls(const TlsContext& context, const std::string& server_name) : session(context, server_name) {}
    TlsSession session;
    std::string received;  // by somebody else, not yet taken
    std::string unsent;    // ciphertext, at most unsent_bytes_max
  };
  // A client that makes us answer without reading the answers: key updates, alerts.
  static constexpr std::size_t unsent_bytes_max = 64 * 1024;

  std::expected<std::size_t, int> read_tls(std::span<char> buffer);
  std::expected<std::size_t, int> write_tls(std::string_view bytes);
  std::expected<std::size_t, int> write_tls(std::span<const std::string_view> pieces);
  int answer();
  int send_out(std::string& ciphertext);

  Socket socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace carillon::io
