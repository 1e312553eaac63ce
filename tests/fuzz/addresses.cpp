// Addresses in text: IP addresses agree with the C library, networks with a comparison of bits, host:port and Redis URLs
// come back from what they were written as.
//
//   input = kind(1) text
//
// Covers: src/base/ip_address.cpp src/redis/url.cpp
#include <arpa/inet.h>

#include <optional>
#include <string>

#include "base/ip_address.hpp"
#include "fuzz.hpp"
#include "io/address.hpp"
#include "redis/url.hpp"

namespace carillon::fuzz {
namespace {

void check_address(std::string_view text) {
  const std::string terminated(text);
  const auto address = IpAddress::parse(text);
  in_addr v4;
  in6_addr v6;
  const bool none = terminated.contains('\0');
  const bool is_v4 = !none && inet_pton(AF_INET, terminated.c_str(), &v4) == 1;
  const bool is_v6 = !none && inet_pton(AF_INET6, terminated.c_str(), &v6) == 1;
  check(address.has_value() == (is_v4 || is_v6), "the C library has the same opinion");
  if (!address) return;
  std::string_view bytes(reinterpret_cast<const char*>(&v6), sizeof v6);
  if (is_v4) bytes = {reinterpret_cast<const char*>(&v4), sizeof v4};
  if (!is_v4 && address->bytes().size() == 4) {
    check(IN6_IS_ADDR_V4MAPPED(&v6), "what is IPv4 was mapped");
    bytes.remove_prefix(12);
  }
  const std::string_view ours(reinterpret_cast<const char*>(address->bytes().data()), address->bytes().size());
  check(ours == bytes, "it means the same address");
  std::string written = address->to_string();
  if (canary() && written.ends_with("::")) written += "1";
  check(written.size() <= 39 && IpAddress::parse(written) == address, "an address that was written is the same");
}

bool bit_of(const IpAddress& address, unsigned at) { return (address.bytes()[at / 8] >> (7 - at % 8) & 1) != 0; }

void check_network(std::string_view text, std::string_view other) {
  const auto network = IpNetwork::parse(text);
  const std::size_t slash = text.find('/');
  const auto prefix = IpAddress::parse(text.substr(0, slash));
  check(!network || prefix, "a network begins with an address");
  if (!network) return;
  check(network->contains(*prefix), "a network contains its first address");
  check(!network->contains({}), "no network contains no address");
  const auto address = IpAddress::parse(other);
  if (!address) return;
  bool expected = address->bytes().size() == prefix->bytes().size();
  const unsigned bits = slash == std::string_view::npos
                            ? static_cast<unsigned>(prefix->bytes().size() * 8)
                            : static_cast<unsigned>(std::stoul(std::string(text.substr(slash + 1))));
  for (unsigned bit = 0; expected && bit < bits; ++bit) expected = bit_of(*prefix, bit) == bit_of(*address, bit);
  check(network->contains(*address) == expected, "it contains what begins with the same bits");
}

void check_host_port(std::string_view text) {
  const auto parsed = io::parse_host_port(text);
  if (!parsed) return;
  check(!parsed->host.empty(), "there is a host");
  const bool brackets = parsed->host.contains(':') || parsed->host.starts_with('[') || parsed->host.ends_with(']');
  const std::string again = (brackets ? "[" + parsed->host + "]" : parsed->host) + ":" + std::to_string(parsed->port);
  const auto other = io::parse_host_port(again);
  check(other && other->host == parsed->host && other->port == parsed->port,
        "host and port that were written are the same");
}

std::string percent(std::string_view text) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', hex[byte >> 4], hex[byte & 15U]});
  }
  return out;
}

// Everything that the URL says, with its defaults.
std::string write_url(const redis::Url& url) {
  const bool unix_socket = !url.addresses[0].path.empty();
  std::string text = url.tls ? "rediss" : "redis";
  text += unix_socket                              ? "+unix://"
          : url.kind == redis::Url::Kind::sentinel ? "+sentinel://"
          : url.kind == redis::Url::Kind::cluster  ? "+cluster://"
                                                   : "://";
  text += percent(url.user) + ":" + percent(url.password) + "@";
  for (const redis::Address& address : url.addresses) {
    if (&address != &url.addresses[0]) text += ",";
    text += unix_socket ? "/" + percent(address.path.substr(1))
                        : percent(address.host) + ":" + std::to_string(address.port);
  }
  if (url.kind == redis::Url::Kind::sentinel) text += "/" + percent(url.master_name);
  if (!unix_socket && url.kind != redis::Url::Kind::cluster) text += "/" + std::to_string(url.database);
  char mark = '?';
  const auto option = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text.append(1, mark).append(name).append("=").append(percent(value));
    mark = '&';
  };
  if (unix_socket) option("db", std::to_string(url.database));
  option("sentinel_user", url.sentinel_user);
  option("sentinel_password", url.sentinel_password);
  if (!url.tls) return text;
  option("ca_file", url.tls->ca_file);
  option("cert_file", url.tls->cert_file);
  option("key_file", url.tls->key_file);
  option("server_name", url.tls->server_name);
  option("verify", url.tls->verify ? "true" : "false");
  return text;
}

bool same_tls(const std::optional<redis::UrlTls>& a, const std::optional<redis::UrlTls>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->ca_file == b->ca_file && a->cert_file == b->cert_file && a->key_file == b->key_file &&
         a->server_name == b->server_name && a->verify == b->verify;
}

void check_redis_url(std::string_view text) {
  const auto url = redis::parse_url(text);
  if (!url) {
    check(url.error().starts_with("Redis URL: ") && url.error().size() < 250, "an error is a sentence");
    const std::size_t secret = text.find("secret");  // passwords are not quoted
    check(secret == std::string_view::npos || !url.error().contains("secret"), "an error tells no password");
    return;
  }
  check(!url->addresses.empty(), "there is an address");
  for (const redis::Address& address : url->addresses) {
    check(!address.path.empty() || (!address.host.empty() && address.port != 0),
          "there is a host and a port, or a path");
    const std::string end = address.path.empty() ? ":" + std::to_string(address.port) : address.path;
    check(redis::endpoint(address).ends_with(end), "an endpoint has its port");
  }
  const auto other = redis::parse_url(write_url(*url));
  check(other && other->kind == url->kind && other->user == url->user && other->password == url->password &&
            other->addresses == url->addresses && other->database == url->database &&
            other->master_name == url->master_name && other->sentinel_user == url->sentinel_user &&
            other->sentinel_password == url->sentinel_password && same_tls(other->tls, url->tls),
        "a URL that was written is the same");
}

}  // namespace
}  // namespace carillon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::fuzz;
  Input input(data, size);
  switch (input.below(4)) {
    case 0:
      check_address(input.rest());
      break;
    case 1: {
      const std::string_view network = input.line();
      check_network(network, input.line());
      break;
    }
    case 2:
      check_host_port(input.rest());
      break;
    default:
      check_redis_url(input.rest());
  }
  return 0;
}
