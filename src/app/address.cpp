#include "app/address.hpp"

#include <arpa/inet.h>

#include "io/address.hpp"

namespace carillon::app {

bool is_loopback(std::string_view text) {
  const auto address = io::parse_host_port(text);
  if (!address) return false;
  in_addr ipv4;
  if (inet_pton(AF_INET, address->host.c_str(), &ipv4) == 1) return (ntohl(ipv4.s_addr) >> 24) == 127;
  in6_addr ipv6;
  if (inet_pton(AF_INET6, address->host.c_str(), &ipv6) == 1) return IN6_IS_ADDR_LOOPBACK(&ipv6);
  return address->host == "localhost";
}

}  // namespace carillon::app
