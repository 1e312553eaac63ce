// A non-blocking TCP socket that closes itself.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include "io/address.hpp"

namespace carillon::io {

// Owned by whoever holds it; movable between threads.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release();
  void close();

  // Begins to connect; it is connected, or has failed (take_error), when it becomes writable. Error: errno.
  static std::expected<Socket, int> dial(const SocketAddress& address);
  int take_error() const;  // SO_ERROR: 0 or an errno

  // Bytes read; 0: the peer has closed. Error: errno; EAGAIN when there is nothing.
  std::expected<std::size_t, int> read(std::span<char> buffer) const;
  // Bytes taken, possibly fewer. Error: errno; EAGAIN when the peer is slow.
  std::expected<std::size_t, int> write(std::string_view bytes) const;
  std::expected<std::size_t, int> write(std::span<const std::string_view> pieces) const;
  static constexpr std::size_t pieces_max = 64;

  void shutdown_writes() const;
  void set_no_delay() const;

  // Of what was written: the peer's system has not confirmed it.
  std::size_t untaken_bytes() const;
  // close() will reset the connection, and the system forgets what the peer has not taken.
  void abandon() const;

 private:
  int fd_ = -1;
};

}  // namespace carillon::io
