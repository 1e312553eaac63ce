#include "io/listen.hpp"

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace carillon::io {
namespace {

constexpr int attempts_max = 16;  // to find a port that is free on all addresses

ListenerGroup share(SocketAddress address, std::size_t loops) {
  const bool shared = loops > 1;
  if (shared) Listener::probe(address);
  ListenerGroup group;
  for (std::size_t i = 0; i < loops; ++i) {
    group.push_back(std::make_unique<Listener>(address, shared));
    address = group.back()->address();  // the others share the port that the first was given
  }
  return group;
}

// Such as ::1 for "localhost" where IPv6 is turned off.
bool is_not_here(const std::system_error& error) {
  return error.code().value() == EADDRNOTAVAIL || error.code().value() == EAFNOSUPPORT;
}

std::vector<ListenerGroup> listen_at_all(const std::vector<SocketAddress>& addresses, std::size_t loops) {
  std::vector<ListenerGroup> groups;
  std::optional<std::system_error> left_out;
  for (SocketAddress address : addresses) {
    if (address.port() == 0 && !groups.empty()) address.set_port(groups.front().front()->address().port());
    try {
      groups.push_back(share(address, loops));
    } catch (const std::system_error& error) {
      if (!is_not_here(error)) throw;
      left_out = error;
    }
  }
  if (groups.empty() && left_out) throw std::system_error(*left_out);
  if (left_out) log_warn(std::string(left_out->what()) + ": it is left out, the name has others");
  return groups;
}

}  // namespace

std::vector<ListenerGroup> listen_at(const Endpoint& endpoint, std::size_t loops) {
  std::vector<ListenerGroup> groups;
  if (endpoint.is_unix()) {
    groups.emplace_back().push_back(std::make_unique<Listener>(endpoint.path, endpoint.mode));
    return groups;
  }
  const auto addresses = resolve(endpoint.tcp.host, endpoint.tcp.port);
  if (addresses.empty()) throw std::invalid_argument("cannot listen on '" + endpoint.tcp.host + "': no such host");
  for (int attempt = 1;; ++attempt) {
    try {
      return listen_at_all(addresses, loops);
    } catch (const std::system_error& error) {
      // A free port of one address may be taken on another.
      const bool again = endpoint.tcp.port == 0 && addresses.size() > 1 && error.code().value() == EADDRINUSE;
      if (!again || attempt == attempts_max) throw;
    }
  }
}

}  // namespace carillon::io
