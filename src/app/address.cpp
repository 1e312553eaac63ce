#include "app/address.hpp"

#include "io/endpoint.hpp"

namespace carillon::app {

bool is_loopback(std::string_view text) {
  const auto endpoint = io::parse_endpoint(text);
  if (!endpoint) return false;
  if (endpoint->is_unix() || endpoint->tcp.host == "localhost") return true;
  const auto address = IpAddress::parse(endpoint->tcp.host);
  if (!address) return false;
  return IpNetwork::parse("127.0.0.0/8")->contains(*address) || address == IpAddress::parse("::1");
}

}  // namespace carillon::app
