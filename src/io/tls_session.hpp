// One side of one TLS connection: ciphertext in and out, plaintext out and in. It touches no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "io/tls_context.hpp"

struct ssl_st;

namespace carillon::io {

// Owned by its connection, and moves with it between threads. It stays at its place in memory.
class TlsSession {
 public:
  enum class State : std::uint8_t {
    handshaking,
    open,
    ended,   // the other side has said that nothing follows
    failed,  // see failure()
  };
  enum class Failure : std::uint8_t {
    plain_http,  // the client's first bytes are an HTTP request
    protocol,    // malformed, no common version or cipher, a certificate refused: an alert says which
  };

  static constexpr std::size_t record_bytes_max = 16 * 1024;
  // What one receive() may give beside what it was given: a record whose beginning had come before.
  static constexpr std::size_t left_over_bytes_max = record_bytes_max + 2048;

  // The server's side.
  explicit TlsSession(const TlsContext& context);
  // The client's side, whose begin() sends first: to a server whose certificate must have this name or IP address, if
  // the context verifies at all.
  TlsSession(const TlsContext& context, const std::string& server_name);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  State state() const { return state_; }
  bool is_over() const { return state_ == State::ended || state_ == State::failed; }
  Failure failure() const { return failure_; }
  std::string_view reason() const { return reason_; }  // of a failure, in OpenSSL's words
  bool resumed() const;

  // The client's side: the first message.
  void begin(std::string& out);
  // Takes all of the ciphertext. Gives the bytes of plaintext that it completes, for which there must be room:
  // ciphertext.size() + left_over_bytes_max. What is to be sent in answer is appended to `out`.
  std::size_t receive(std::string_view ciphertext, std::span<char> plaintext, std::string& out);
  // Appends one record to `out`, of at most record_bytes_max bytes of plaintext. False: not open.
  bool send(std::string_view plaintext, std::string& out);
  // Says that nothing follows.
  void end(std::string& out);

 private:
  struct Bio;  // OpenSSL's door to input_ and output_

  void connect();
  void fail();

  ssl_st* ssl_;
  std::string_view input_;         // during receive()
  std::string* output_ = nullptr;  // during a call
  State state_ = State::handshaking;
  Failure failure_ = Failure::protocol;
  const char* reason_ = "";
};

}  // namespace carillon::io
