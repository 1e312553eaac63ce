#include "io/address.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace carillon::io {
namespace {

std::uint16_t* port_field(sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET6) return &reinterpret_cast<sockaddr_in6&>(storage).sin6_port;
  if (storage.ss_family == AF_INET) return &reinterpret_cast<sockaddr_in&>(storage).sin_port;
  return nullptr;
}

template <class GetName>
SocketAddress name_of(int fd, GetName get_name) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (get_name(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) return {};
  return address;
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  HostPort result;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  result.host = host.empty() ? "0.0.0.0" : std::string(host);
  return result;
}

std::uint16_t SocketAddress::port() const {
  const std::uint16_t* field = port_field(const_cast<sockaddr_storage&>(storage));
  return field != nullptr ? ntohs(*field) : std::uint16_t{0};
}

void SocketAddress::set_port(std::uint16_t port) {
  if (std::uint16_t* field = port_field(storage)) *field = htons(port);
}

IpAddress SocketAddress::ip() const {
  if (family() == AF_INET)
    return IpAddress(std::bit_cast<IpAddress::V4>(reinterpret_cast<const sockaddr_in&>(storage).sin_addr));
  if (family() == AF_INET6)
    return IpAddress(std::bit_cast<IpAddress::V6>(reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr));
  return {};
}

std::string SocketAddress::to_string() const {
  if (family() == AF_UNIX) return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(storage).sun_path;
  const std::string name = ip().to_string();
  return (name.contains(':') ? "[" + name + "]" : name) + ":" + std::to_string(port());
}

SocketAddress unix_address(std::string_view path) {
  SocketAddress address;
  auto& raw = reinterpret_cast<sockaddr_un&>(address.storage);
  raw.sun_family = AF_UNIX;
  path = path.substr(0, unix_path_bytes_max);
  path.copy(raw.sun_path, path.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::vector<SocketAddress> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    address.set_port(port);
    addresses.push_back(address);
  }
  freeaddrinfo(list);
  return addresses;
}

SocketAddress local_address(int fd) { return name_of(fd, getsockname); }
SocketAddress peer_address(int fd) { return name_of(fd, getpeername); }

}  // namespace carillon::io
