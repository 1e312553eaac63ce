// HOST:PORT, and socket addresses of the operating system.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"

namespace carillon::io {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
// "127.0.0.1:3000", "[::1]:3000", "localhost:0", ":3000" (all addresses). None for anything else.
std::optional<HostPort> parse_host_port(std::string_view text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  IpAddress ip() const;           // none for a Unix socket
  std::string to_string() const;  // "127.0.0.1:3000", "[::1]:3000", "unix:/run/carillon.sock"
};

inline constexpr std::size_t unix_path_bytes_max = 107;
SocketAddress unix_address(std::string_view path);  // of at most that many bytes

// Blocks while names are looked up (numeric addresses do not). Empty if there is no such host.
std::vector<SocketAddress> resolve(const std::string& host, std::uint16_t port);

SocketAddress local_address(int fd);
SocketAddress peer_address(int fd);

}  // namespace carillon::io
